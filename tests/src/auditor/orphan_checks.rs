//! Compares the streams of orphans with the receipts that had no message when they came.

use std::collections::{BTreeSet, HashMap};

use schema::{Category, MessageId, OperatorId, OperatorMessageId, StreamId, Timestamp};
use uuid::Uuid;

use super::{
    Invariant,
    facts::{Body, Log, LogEvent, Match, Receipt},
    findings::Findings,
    receipt_checks::{MATCH_WINDOW_MICROS, says},
};
use crate::traffic::{Expected, RowComes, Sent};

/// What a receipt without a message may turn out to be.
enum Fate<'a> {
    /// It stays one.
    ForEver(Vec<&'a Sent>),
    /// Its message's row was late.
    Heals(MessageId, Vec<&'a Sent>),
}

type Fates<'a> = HashMap<(OperatorId, OperatorMessageId), Fate<'a>>;

pub(super) fn check(log: &Log, expected: &Expected, findings: &mut Findings) {
    let fates = fates(expected);
    for stream in log
        .streams()
        .filter(|stream| stream[0].is_in(Category::Orphan))
    {
        check_stream(log, &stream, &fates, findings);
    }
    for ((operator, name), sent) in &expected.orphans {
        let stream = log.stream(StreamId::orphan(*operator, name));
        let recorded: BTreeSet<_> = stream
            .iter()
            .filter_map(|event| event.receipt())
            .map(|it| it.dlr_status)
            .collect();
        let statuses: BTreeSet<_> = sent.iter().map(|sent| sent.word.status()).collect();
        for status in statuses.difference(&recorded) {
            findings.lost(Invariant::NothingLost, || {
                format!("orphan of operator {operator}, {name:?}, {status:?}")
            });
        }
    }
}

fn fates(expected: &Expected) -> Fates<'_> {
    let mut fates: Fates<'_> = HashMap::new();
    for ((operator, name), sent) in &expected.orphans {
        fates.insert(
            (*operator, name.clone()),
            Fate::ForEver(sent.iter().collect()),
        );
    }
    // A receipt whose row was there before it was sent must never become an orphan.
    let late = expected
        .messages
        .iter()
        .filter(|(_, message)| message.row != RowComes::Before);
    for (&id, message) in late {
        let parts: BTreeSet<_> = message.sent.iter().map(|sent| sent.part).collect();
        for part in parts {
            let sent = message
                .sent
                .iter()
                .filter(|sent| sent.part == part)
                .collect();
            let name = message.operator_message(part);
            fates.insert((message.operator, name), Fate::Heals(id, sent));
        }
    }
    fates
}

fn check_stream(log: &Log, stream: &[&LogEvent], fates: &Fates<'_>, findings: &mut Findings) {
    let mut orphans: HashMap<_, (&Receipt, bool)> = HashMap::new();
    for event in stream {
        let position = event.position;
        match &event.body {
            Body::Orphaned { receipt } => {
                orphaned(event, receipt, fates, findings);
                if orphans.contains_key(&event.event_id) || is_open(&orphans, receipt) {
                    findings.doubled(Invariant::OneEventPerReceipt, || {
                        format!("position {position}: orphan {}", event.stream)
                    });
                }
                orphans.insert(event.event_id, (receipt, false));
            }
            Body::Matched(matched) => match orphans.get_mut(&matched.orphan) {
                None => findings.wrong(Invariant::HealedOrphanHasEffect, || {
                    format!("position {position}: there was no such orphan")
                }),
                Some((_, true)) => findings.doubled(Invariant::HealedOrphanHasEffect, || {
                    format!("position {position}: orphan {}", matched.orphan)
                }),
                Some((receipt, healed)) => {
                    *healed = true;
                    let holds = has_effect(log, receipt, matched, fates);
                    findings.hold(Invariant::HealedOrphanHasEffect, holds, || {
                        format!("position {position}: orphan {}", matched.orphan)
                    });
                }
            },
            _ => findings.wrong(Invariant::EventsReadable, || format!("position {position}")),
        }
    }
    for (id, (receipt, healed)) in orphans {
        if !healed && matches!(fate(receipt, fates), Some(Fate::Heals(..))) {
            findings.lost(Invariant::HealedOrphanHasEffect, || format!("orphan {id}"));
        }
    }
}

/// Whether an orphan waits that says the same and speaks of the same life of its id.
fn is_open(orphans: &HashMap<Uuid, (&Receipt, bool)>, receipt: &Receipt) -> bool {
    orphans.values().any(|(other, healed)| {
        let apart = other.received_at.micros() - receipt.received_at.micros();
        !healed && other.dlr_status == receipt.dlr_status && apart.abs() <= MATCH_WINDOW_MICROS
    })
}

fn fate<'a, 'b>(receipt: &Receipt, fates: &'b Fates<'a>) -> Option<&'b Fate<'a>> {
    let name = OperatorMessageId::new(&receipt.operator_message_id)?;
    fates.get(&(OperatorId(receipt.operator_id), name))
}

fn orphaned(event: &LogEvent, receipt: &Receipt, fates: &Fates<'_>, findings: &mut Findings) {
    let position = event.position;
    let Some(Fate::ForEver(sent) | Fate::Heals(_, sent)) = fate(receipt, fates) else {
        findings.wrong(Invariant::NothingInvented, || {
            format!("position {position}: its message was there, or it was never sent")
        });
        return;
    };
    let earliest = receipt.received_at.micros() - MATCH_WINDOW_MICROS;
    let earliest = Timestamp::from_micros(earliest).unwrap_or(receipt.received_at);
    findings.hold(
        Invariant::SaysWhatWasSent,
        sent.iter().any(|sent| says(receipt, sent, earliest)),
        || format!("position {position}: orphan {}", event.stream),
    );
    findings.hold(
        Invariant::RightOwner,
        event.tenant.is_none() && event.account.is_none(),
        || format!("position {position}: an orphan has no owner"),
    );
}

/// Whether the match names the right message, and the event there that holds the receipt.
fn has_effect(log: &Log, receipt: &Receipt, matched: &Match, fates: &Fates<'_>) -> bool {
    let Some(Fate::Heals(message, _)) = fate(receipt, fates) else {
        return false;
    };
    let there = log.stream(StreamId::message(*message));
    let event = there
        .iter()
        .find(|event| Some(event.event_id) == matched.receipt);
    message.0 == matched.message
        && event
            .and_then(|event| event.receipt())
            .is_some_and(|there| {
                there.operator_id == receipt.operator_id
                    && there.operator_message_id == receipt.operator_message_id
                    && there.dlr_status == receipt.dlr_status
            })
}
