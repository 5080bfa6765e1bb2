//! Compares what was published with the log, message by message as they come in.

use std::collections::{BTreeMap, HashMap, HashSet};

use schema::{EventId, MessageId, Status, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Invariant,
    facts::{Body, Log, LogEvent, Receipt},
    findings::Findings,
    private::shows_private,
};
use crate::traffic::Expected;

/// One message of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) sequence: u64,
    pub(super) payload: Vec<u8>,
    /// `Nats-Msg-Id`.
    pub(super) id: Option<String>,
    /// `X-Tenant-Id`.
    pub(super) tenant: Option<String>,
}

/// The three subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Billing,
    Webhook,
    Unmatched,
}

impl Subject {
    pub(super) const ALL: [Self; 3] = [Self::Billing, Self::Webhook, Self::Unmatched];

    pub(super) const fn stream(self) -> &'static str {
        match self {
            Self::Billing => "BILLING_EVENTS",
            Self::Webhook => "WEBHOOK_DISPATCH",
            Self::Unmatched => "SMS_DLR_UNMATCHED",
        }
    }

    const fn subject(self) -> &'static str {
        match self {
            Self::Billing => "billing.events",
            Self::Webhook => "webhook.dispatch",
            Self::Unmatched => "sms.dlr.unmatched",
        }
    }

    const fn invariant(self) -> Invariant {
        match self {
            Self::Billing => Invariant::BilledOnce,
            Self::Webhook => Invariant::WebhookPerStatusChange,
            Self::Unmatched => Invariant::UnmatchedOnce,
        }
    }

    /// Whether an event is announced here.
    fn announces(self, event: &LogEvent) -> bool {
        match self {
            Self::Billing => matches!(event.body, Body::Settled { .. }),
            Self::Webhook => event.changes_status(),
            Self::Unmatched => matches!(event.body, Body::Orphaned { .. }),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Billing {
    schema_version: String,
    event_type: String,
    message_id: Uuid,
    tenant_id: Uuid,
    account_id: Uuid,
    operator_id: Uuid,
    direction: String,
    segment_count: i16,
    dlr_status: Status,
    occurred_at: Timestamp,
    charged_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    schema_version: String,
    account_id: Uuid,
    message_id: Uuid,
    dlr_status: Status,
    to: String,
    operator_id: Uuid,
    occurred_at: Timestamp,
    metadata: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unmatched {
    schema_version: String,
    orphan_id: Uuid,
    operator_id: Uuid,
    operator_message_id: String,
    stat: String,
    dlr_status: Status,
    delivered_at: Timestamp,
    received_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Announcement {
    event_id: Uuid,
}

/// What one subject must carry, and what of it was seen.
pub(super) struct Due<'a> {
    subject: Subject,
    log: &'a Log,
    expected: &'a Expected,
    findings: &'a mut Findings,
    count: &'a mut u64,
    /// By event id: the event announced, and how often.
    announcements: HashMap<Uuid, (usize, u32)>,
    /// Event ids of what tests have announced to billing themselves.
    announced: HashSet<Uuid>,
    /// Sequences of what tests have sent to be refused.
    strange: HashSet<u64>,
}

impl<'a> Due<'a> {
    pub(super) fn new(
        subject: Subject,
        log: &'a Log,
        expected: &'a Expected,
        findings: &'a mut Findings,
        count: &'a mut u64,
    ) -> Self {
        let announced = |event: &LogEvent| EventId(event.event_id).announced_on(subject.subject());
        let due = (0..)
            .zip(&log.events)
            .filter(|(_, event)| subject.announces(event));
        let announcements = due
            .map(|(place, event)| (announced(event), (place, 0)))
            .collect();
        Self {
            subject,
            log,
            expected,
            findings,
            count,
            announcements,
            strange: expected.strange.clone(),
            announced: expected
                .announced
                .values()
                .flatten()
                .map(|announced| announced.event_id)
                .collect(),
        }
    }

    /// Notes one message.
    pub(super) fn message(&mut self, message: &Message) {
        *self.count += 1;
        let Message {
            sequence, payload, ..
        } = message;
        let (invariant, stream) = (self.subject.invariant(), self.subject.stream());
        let event_id = serde_json::from_slice(payload)
            .map(|it: Announcement| it.event_id)
            .ok();
        let announced = |id: &Uuid| self.announced.contains(id);
        let strange = self.strange.contains(sequence);
        if self.subject == Subject::Billing && (strange || event_id.as_ref().is_some_and(announced))
        {
            return;
        }
        let Some((place, times)) = event_id.and_then(|id| self.announcements.get_mut(&id)) else {
            self.findings.wrong(invariant, || {
                format!("{stream} {sequence}: announces nothing known")
            });
            return;
        };
        *times += 1;
        let event = &self.log.events[*place];
        if *times > 1 {
            self.findings.doubled(invariant, || {
                format!("{stream} {sequence}: position {} once more", event.position)
            });
        }
        self.findings
            .hold(invariant, self.holds(event, payload), || {
                format!(
                    "{stream} {sequence}: position {} says something else",
                    event.position
                )
            });
        self.findings.hold(
            Invariant::PublishedWithHeaders,
            self.has_headers(event, message),
            || format!("{stream} {sequence}"),
        );
        if self.subject != Subject::Webhook && shows_private(&String::from_utf8_lossy(payload)) {
            self.findings.wrong(Invariant::NoPersonalDataInClear, || {
                format!("{stream} {sequence}")
            });
        }
    }

    /// After the last message: what was never published.
    pub(super) fn end(self) {
        let stream = self.subject.stream();
        for (place, _) in self.announcements.values().filter(|(_, times)| *times == 0) {
            let position = self.log.events[*place].position;
            self.findings.lost(self.subject.invariant(), || {
                format!("{stream}: position {position}")
            });
        }
    }

    fn holds(&self, event: &LogEvent, payload: &[u8]) -> bool {
        let Some(receipt) = event.receipt() else {
            return false;
        };
        let holds = match self.subject {
            Subject::Billing => self.billing(event, receipt, payload),
            Subject::Webhook => self.webhook(event, receipt, payload),
            Subject::Unmatched => unmatched(event, receipt, payload),
        };
        holds == Some(true)
    }

    fn billing(&self, event: &LogEvent, receipt: &Receipt, payload: &[u8]) -> Option<bool> {
        let billing: Billing = serde_json::from_slice(payload).ok()?;
        let message = self.expected.messages.get(&MessageId(event.stream))?;
        Some(
            billing.schema_version == "1.0"
                && billing.event_type == "DLR_TERMINAL"
                && billing.direction == "MT"
                && billing.message_id == event.stream
                && billing.tenant_id == message.tenant.0
                && billing.account_id == message.account.0
                && billing.operator_id == message.operator.0
                && billing.segment_count == message.segments
                && billing.dlr_status == receipt.dlr_status
                && billing.occurred_at == receipt.delivered_at
                && billing.charged_at == receipt.delivered_at,
        )
    }

    fn webhook(&self, event: &LogEvent, receipt: &Receipt, payload: &[u8]) -> Option<bool> {
        let webhook: Webhook = serde_json::from_slice(payload).ok()?;
        let message = self.expected.messages.get(&MessageId(event.stream))?;
        Some(
            webhook.schema_version == "1.0"
                && webhook.message_id == event.stream
                && webhook.account_id == message.account.0
                && webhook.operator_id == message.operator.0
                && webhook.dlr_status == receipt.dlr_status
                && webhook.to == message.to_msisdn()
                && webhook.metadata == message.metadata()
                && webhook.occurred_at == receipt.delivered_at,
        )
    }

    fn has_headers(&self, event: &LogEvent, message: &Message) -> bool {
        let tenant = event
            .tenant
            .and_then(|pseudonym| self.log.tenants.get(&pseudonym));
        message.id.is_some() && message.tenant == tenant.map(Uuid::to_string)
    }
}

fn unmatched(event: &LogEvent, receipt: &Receipt, payload: &[u8]) -> Option<bool> {
    let unmatched: Unmatched = serde_json::from_slice(payload).ok()?;
    Some(
        unmatched.schema_version == "1.0"
            && unmatched.orphan_id == event.event_id
            && unmatched.operator_id == receipt.operator_id
            && *unmatched.operator_message_id == *receipt.operator_message_id
            && *unmatched.stat == *receipt.raw_stat
            && unmatched.dlr_status == receipt.dlr_status
            && unmatched.delivered_at == receipt.delivered_at
            && unmatched.received_at == receipt.received_at,
    )
}
