//! A small world in which everything went right, made up fact by fact from what was sent: the
//! simplest service one can think of. Tests break one thing in it and see who notices.

use std::collections::{BTreeSet, HashMap};

use schema::{
    Category, EventId, MessageId, OperatorId, OperatorMessageId, Status, StreamId, Timestamp,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{
    Report,
    facts::{Body, Log, LogEvent, Match, Receipt},
    judge::Judge,
    private::Leak,
    published_checks::{Message, Subject},
    table_checks::{OrphanRow, ReceiptRow, ResolutionRow, StatusRow},
};
use super::billing_world::Shown;
use crate::{
    orchestrator::SENT,
    traffic::{self, Expected, RowComes, Sent, Shape, Traffic},
};

/// All facts the auditor reads.
#[derive(Clone)]
pub(super) struct World {
    pub(super) expected: Expected,
    pub(super) events: Vec<LogEvent>,
    pub(super) head: i64,
    pub(super) tenants: HashMap<Uuid, Uuid>,
    pub(super) checkpoints: Vec<(String, i64)>,
    pub(super) receipts: Vec<ReceiptRow>,
    pub(super) orphans: Vec<OrphanRow>,
    pub(super) resolutions: Vec<ResolutionRow>,
    pub(super) statuses: Vec<StatusRow>,
    pub(super) went_back: Vec<Uuid>,
    pub(super) leaks: Vec<Leak>,
    pub(super) published: [Vec<Message>; 3],
    /// What billing shows, where it is at work.
    pub(super) billing: Option<Shown>,
}

pub(super) fn start() -> Timestamp {
    Timestamp::parse("2026-03-01T12:00:00Z").expect("valid")
}

/// A tenant's pseudonym, for tests.
pub(super) fn pseudonym(tenant: Uuid) -> Uuid {
    Uuid::from_u128(!tenant.as_u128())
}

impl World {
    /// The seed of its traffic.
    pub(super) const SEED: u64 = 11;

    /// Some thousand messages, all worked off.
    pub(super) fn at_rest(messages: u64) -> Self {
        let Traffic { expected, .. } =
            Traffic::generate(&Shape::new(Self::SEED, messages, start()));
        let mut world = Self {
            expected: Expected::default(),
            events: Vec::new(),
            head: 0,
            tenants: HashMap::new(),
            checkpoints: Vec::new(),
            receipts: Vec::new(),
            orphans: Vec::new(),
            resolutions: Vec::new(),
            statuses: Vec::new(),
            went_back: Vec::new(),
            leaks: vec![Leak {
                table: "t".into(),
                column: "c".into(),
                rows: 0,
            }],
            published: [const { Vec::new() }; 3],
            billing: None,
        };
        let mut ids: Vec<_> = expected.messages.keys().copied().collect();
        ids.sort();
        for id in ids {
            world.message(id, &expected.messages[&id]);
        }
        for ((operator, name), sent) in &expected.orphans {
            let mut seen = BTreeSet::new();
            for sent in sent.iter().filter(|sent| seen.insert(sent.word.status())) {
                world.orphaned(&receipt(*operator, name, sent, window()));
            }
        }
        world.head = world.events.last().map_or(0, |event| event.position);
        world.checkpoints = vec![("one".into(), world.head), ("two".into(), world.head)];
        world.expected = expected;
        world
    }

    pub(super) fn log(&self) -> Log {
        let mut log = Log::new(self.events.clone());
        log.head = Some((self.head, Some(start())));
        log.tenants.clone_from(&self.tenants);
        log.checkpoints.clone_from(&self.checkpoints);
        log
    }

    pub(super) fn audit(&self) -> Report {
        let log = self.log();
        let billing = self.billing.is_some();
        let mut judge = Judge::new(&log, &self.expected, &["one", "two"], billing);
        self.receipts.iter().for_each(|row| judge.receipt_row(row));
        self.orphans.iter().for_each(|row| judge.orphan_row(row));
        self.resolutions
            .iter()
            .for_each(|row| judge.resolution_row(row));
        self.statuses.iter().for_each(|row| judge.status_row(row));
        self.show(&mut judge);
        judge.end_of_rows();
        judge.went_back(&self.went_back);
        judge.leaks(&self.leaks);
        for (subject, messages) in Subject::ALL.into_iter().zip(&self.published) {
            let mut published = judge.published(subject);
            for message in messages {
                published.message(message);
            }
            published.end();
        }
        judge.into_report()
    }

    fn message(&mut self, id: MessageId, message: &traffic::Message) {
        self.tenants
            .insert(pseudonym(message.tenant.0), message.tenant.0);
        let (mut seen, mut settled, mut version) = (BTreeSet::new(), None, 0);
        for sent in &message.sent {
            let status = sent.word.status();
            if !seen.insert((sent.part, status)) {
                continue;
            }
            version += 1;
            let name = message.operator_message(sent.part);
            let told = |earliest| receipt(message.operator, &name, sent, earliest);
            let orphan =
                (message.row == RowComes::PastGrace).then(|| self.orphaned(&told(window())));
            let receipt = told(message.enqueued);
            let body = match settled {
                Some(settled_as) => Body::Late {
                    receipt,
                    settled_as,
                },
                None if status.is_final() => {
                    settled = Some(status);
                    Body::Settled {
                        receipt,
                        segments: message.segments,
                    }
                }
                None => Body::Recorded {
                    receipt,
                    changed_status: version == 1,
                },
            };
            let event_id = self.record(id, message, version, body);
            if let Some(orphan) = orphan {
                self.matched(Match {
                    orphan,
                    message: id.0,
                    receipt: Some(event_id),
                });
            }
        }
        let dlr_status = settled.or((version > 0).then_some(Status::Unknown));
        self.statuses.push(StatusRow {
            message_id: id.0,
            status: settled.map_or(SENT, Status::as_str).to_owned(),
            dlr_status: dlr_status.map(|status| status.as_str().to_owned()),
            received: version > 0,
            processed: settled.is_some(),
        });
    }

    fn record(
        &mut self,
        id: MessageId,
        message: &traffic::Message,
        version: i32,
        body: Body,
    ) -> Uuid {
        let event = self.append(StreamId::message(id), version, body);
        let position = event.position;
        event.tenant = Some(pseudonym(message.tenant.0));
        event.account = Some(message.account.0);
        let event = event.clone();
        let receipt = event.receipt().expect("a receipt");
        self.receipts.push(ReceiptRow {
            position,
            receipt_id: event.event_id,
            message_id: id.0,
            tenant_id: message.tenant.0,
            account_id: message.account.0,
            operator_id: receipt.operator_id.to_string(),
            operator_message_id: receipt.operator_message_id.to_string(),
            raw_stat: receipt.raw_stat.to_string(),
            dlr_status: receipt.dlr_status.as_str().into(),
            error_code: None,
            delivered_at: receipt.delivered_at,
            correlated_at: event.recorded_at,
        });
        let tenant = Some(message.tenant.0);
        if matches!(event.body, Body::Settled { .. }) {
            self.publish(
                Subject::Billing,
                "billing.events",
                &event,
                tenant,
                json!({
                    "schemaVersion": "1.0", "eventType": "DLR_TERMINAL", "messageId": id,
                    "tenantId": message.tenant, "accountId": message.account,
                    "operatorId": message.operator, "direction": "MT",
                    "segmentCount": message.segments, "dlrStatus": receipt.dlr_status,
                    "occurredAt": receipt.delivered_at, "chargedAt": receipt.delivered_at,
                }),
            );
        }
        if event.changes_status() {
            self.publish(
                Subject::Webhook,
                "webhook.dispatch",
                &event,
                tenant,
                json!({
                    "schemaVersion": "1.0", "accountId": message.account, "messageId": id,
                    "dlrStatus": receipt.dlr_status, "to": message.to_msisdn(),
                    "operatorId": message.operator, "occurredAt": receipt.delivered_at,
                    "metadata": message.metadata(),
                }),
            );
        }
        event.event_id
    }

    fn orphaned(&mut self, receipt: &Receipt) -> Uuid {
        let name = OperatorMessageId::new(&receipt.operator_message_id).expect("valid");
        let stream = StreamId::orphan(OperatorId(receipt.operator_id), &name);
        let version = self.next_version(stream);
        let event = self.append(
            stream,
            version,
            Body::Orphaned {
                receipt: receipt.clone(),
            },
        );
        let event = event.clone();
        self.orphans.push(OrphanRow {
            position: event.position,
            orphan_id: event.event_id,
            operator_id: receipt.operator_id.to_string(),
            operator_message_id: receipt.operator_message_id.to_string(),
            raw_stat: receipt.raw_stat.to_string(),
            dlr_status: receipt.dlr_status.as_str().into(),
            delivered_at: receipt.delivered_at,
            received_at: receipt.received_at,
        });
        self.publish(
            Subject::Unmatched,
            "sms.dlr.unmatched",
            &event,
            None,
            json!({
                "schemaVersion": "1.0", "orphanId": event.event_id,
                "operatorId": receipt.operator_id,
                "operatorMessageId": receipt.operator_message_id, "stat": receipt.raw_stat,
                "dlrStatus": receipt.dlr_status, "deliveredAt": receipt.delivered_at,
                "receivedAt": receipt.received_at,
            }),
        );
        event.event_id
    }

    fn matched(&mut self, matched: Match) {
        let orphan = self
            .events
            .iter()
            .find(|event| event.event_id == matched.orphan);
        let id = orphan.expect("an orphan").stream;
        let stream = StreamId {
            category: Category::Orphan,
            id,
        };
        let version = self.next_version(stream);
        let position = self
            .append(stream, version, Body::Matched(matched))
            .position;
        self.resolutions.push(ResolutionRow {
            position,
            orphan_id: matched.orphan,
            resolved_receipt_id: matched.receipt,
            message_id: matched.message,
        });
    }

    pub(super) fn next_version(&self, stream: StreamId) -> i32 {
        let of = |event: &&LogEvent| event.stream == stream.id && event.is_in(stream.category);
        self.events
            .iter()
            .filter(of)
            .map(|event| event.version)
            .max()
            .unwrap_or(0)
            + 1
    }

    fn append(&mut self, stream: StreamId, version: i32, body: Body) -> &mut LogEvent {
        let event_id = match &body {
            Body::Matched(matched) => EventId::of_orphan_match(EventId(matched.orphan)),
            Body::Recorded { receipt, .. }
            | Body::Settled { receipt, .. }
            | Body::Late { receipt, .. } => {
                let name = OperatorMessageId::new(&receipt.operator_message_id).expect("valid");
                let operator = OperatorId(receipt.operator_id);
                EventId::of_receipt(stream, operator, &name, receipt.dlr_status)
            }
            Body::Orphaned { receipt } => {
                let name = OperatorMessageId::new(&receipt.operator_message_id).expect("valid");
                let operator = OperatorId(receipt.operator_id);
                EventId::of_orphan(operator, &name, receipt.dlr_status, receipt.received_at)
            }
            _ => EventId(Uuid::nil()),
        };
        self.events.push(LogEvent {
            position: i64::try_from(self.events.len()).expect("small") + 1,
            category: Some(stream.category),
            stream: stream.id,
            version,
            event_id: event_id.0,
            tenant: None,
            account: None,
            recorded_at: start(),
            principal: None,
            body,
        });
        self.events.last_mut().expect("just pushed")
    }

    fn publish(
        &mut self,
        subject: Subject,
        name: &str,
        event: &LogEvent,
        tenant: Option<Uuid>,
        mut content: Value,
    ) {
        let id = EventId(event.event_id).announced_on(name);
        content["eventId"] = json!(id);
        let place = Subject::ALL
            .iter()
            .position(|it| *it == subject)
            .expect("one of three");
        self.published[place].push(Message {
            sequence: u64::try_from(self.published[place].len()).expect("small") + 1,
            payload: content.to_string().into_bytes(),
            id: Some(id.to_string()),
            tenant: tenant.map(|tenant| tenant.to_string()),
        });
    }
}

/// The earliest time at which an orphan can have happened.
fn window() -> Timestamp {
    Timestamp::from_micros(start().micros() - 7 * 24 * 3_600_000_000).expect("valid")
}

fn receipt(
    operator: OperatorId,
    name: &OperatorMessageId,
    sent: &Sent,
    earliest: Timestamp,
) -> Receipt {
    let (delivered_at, stated_delivered_at) = sent.happened(earliest, start());
    Receipt {
        source_event_id: sent.event_id,
        operator_id: operator.0,
        operator_message_id: name.as_str().into(),
        raw_stat: sent.word.text().into(),
        dlr_status: sent.word.status(),
        error_code: None,
        delivered_at,
        stated_delivered_at,
        received_at: start(),
    }
}
