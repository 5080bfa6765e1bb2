//! Compares the streams of messages with the receipts that were sent.

use std::collections::BTreeSet;

use schema::{MessageId, Status, StreamId, Timestamp};

use super::{
    Invariant,
    facts::{Body, Log, LogEvent, Receipt},
    findings::Findings,
};
use crate::traffic::{Expected, Message, Sent};

/// How long before its receipts a message may have been handed in: seven days, which no test
/// changes where the auditor looks.
pub(super) const MATCH_WINDOW_MICROS: i64 = 7 * 24 * 3_600 * 1_000_000;
/// How long after them it may seem to have been.
const CLOCK_SKEW_MICROS: i64 = 60 * 1_000_000;

pub(super) fn check(log: &Log, expected: &Expected, findings: &mut Findings) {
    for (&id, message) in &expected.messages {
        check_message(log, id, message, findings);
    }
    for event in &log.events {
        if event.message_receipt().is_some()
            && !expected.messages.contains_key(&MessageId(event.stream))
        {
            findings.wrong(Invariant::NothingInvented, || {
                format!(
                    "position {}: message {} was never sent",
                    event.position, event.stream
                )
            });
        }
    }
}

fn check_message(log: &Log, id: MessageId, message: &Message, findings: &mut Findings) {
    let stream = log.stream(StreamId::message(id));
    let identities = message.identities();
    let mut recorded = BTreeSet::new();
    for event in &stream {
        let Some(receipt) = event.receipt() else {
            continue;
        };
        owner(log, event, message, findings);
        let identity = message
            .part_called(&receipt.operator_message_id)
            .filter(|_| receipt.operator_id == message.operator.0)
            .map(|part| (part, receipt.dlr_status));
        let Some(identity) = identity.filter(|sent| identities.contains(sent)) else {
            findings.wrong(Invariant::NothingInvented, || {
                format!(
                    "position {}: message {id} has no such receipt",
                    event.position
                )
            });
            continue;
        };
        if !recorded.insert(identity) {
            findings.doubled(Invariant::OneEventPerReceipt, || {
                format!("position {}: message {id}, {identity:?}", event.position)
            });
        }
        findings.hold(
            Invariant::SaysWhatWasSent,
            message
                .sent
                .iter()
                .any(|sent| sent.part == identity.0 && says(receipt, sent, message.enqueued)),
            || format!("position {}: message {id}, {identity:?}", event.position),
        );
        let waited = receipt.received_at.micros() - message.enqueued.micros();
        findings.hold(
            Invariant::MatchedInTime,
            (-CLOCK_SKEW_MICROS..=MATCH_WINDOW_MICROS).contains(&waited),
            || format!("position {}: message {id}", event.position),
        );
    }
    let kept = stream.iter().filter(|event| event.receipt().is_some());
    let places = usize::try_from(message.segments).unwrap_or(0) * 6;
    findings.hold(Invariant::ReceiptsBounded, kept.count() <= places, || {
        format!("message {id}")
    });
    for identity in identities.difference(&recorded) {
        findings.lost(Invariant::NothingLost, || {
            format!("message {id}, {identity:?}")
        });
    }
    settlement(id, message, &stream, findings);
}

/// Whether `receipt` repeats `sent`, where nothing of it happened before `earliest`.
pub(super) fn says(receipt: &Receipt, sent: &Sent, earliest: Timestamp) -> bool {
    let (happened, stated) = sent.happened(earliest, receipt.received_at);
    receipt.source_event_id == sent.event_id
        && receipt.dlr_status == sent.word.status()
        && *receipt.raw_stat == *sent.word.text()
        && receipt.delivered_at == happened
        && receipt.stated_delivered_at == stated
}

fn owner(log: &Log, event: &LogEvent, message: &Message, findings: &mut Findings) {
    let tenant = event
        .tenant
        .and_then(|pseudonym| log.tenants.get(&pseudonym));
    let right = tenant == Some(&message.tenant.0)
        && event.account == Some(message.account.0)
        && event.tenant != Some(message.tenant.0);
    findings.hold(Invariant::RightOwner, right, || {
        format!("position {}", event.position)
    });
}

/// Walks a stream from its begin: open, then settled for good.
fn settlement(id: MessageId, message: &Message, stream: &[&LogEvent], findings: &mut Findings) {
    let mut settled: Option<Status> = None;
    for event in stream {
        let holds = match (&event.body, settled) {
            (
                Body::Recorded {
                    receipt,
                    changed_status,
                },
                None,
            ) => !receipt.dlr_status.is_final() && *changed_status == event.changes_status(),
            (Body::Settled { receipt, segments }, None) => {
                settled = Some(receipt.dlr_status);
                message.finals().contains(&receipt.dlr_status) && *segments == message.segments
            }
            (Body::Settled { .. }, Some(_)) => {
                findings.doubled(Invariant::SettledOnce, || {
                    format!("position {}: message {id}", event.position)
                });
                true
            }
            (Body::Late { settled_as, .. }, Some(status)) => *settled_as == status,
            (Body::Elsewhere | Body::Unreadable, _) => true,
            _ => false,
        };
        findings.hold(Invariant::FirstFinalSettles, holds, || {
            format!("position {}: message {id}", event.position)
        });
    }
    if settled.is_none() && !message.finals().is_empty() {
        findings.lost(Invariant::SettledOnce, || format!("message {id}"));
    }
}
