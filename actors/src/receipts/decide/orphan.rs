//! What becomes of receipts that match no message.
//!
//! An orphan is one receipt: the same (operator, operator message id, status) again adds nothing
//! while the orphan is open. Once its message is found and the receipt is recorded there, the
//! orphan is matched, once. Carriers use their ids again: an orphan that was matched, or arrived
//! longer ago than a receipt can wait for its message, speaks of another message and must not
//! stand for a later receipt.
//!
//! Nobody knows yet whether an orphan is worth anything, and it is kept for years: of a large
//! payload only the beginning is.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    time::Duration,
};

use eventstore::{EventData, RecordedEvent, seal::DataKey};
use schema::{
    Event, EventId, Personal, ReceiptFacts, ReceiptPrivate, ReceivedReceipt, Sealed, Status,
    StreamId, Timestamp,
    event::{OrphanMatched, ReceiptOrphaned},
};

use super::origin;
use crate::runtime::{
    decider::{Command, Decider, Decision, EventPlace},
    origin::Origin,
};

/// The most bytes of an orphan's payload that are kept.
const PAYLOAD_MAX: usize = 1024;

/// What is known about one (operator, operator message id).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Orphans {
    /// Those without a message: what they say, and when they arrived.
    open: BTreeMap<EventId, (Status, Timestamp)>,
    matched: BTreeSet<EventId>,
}

impl Orphans {
    /// Whether this receipt is one of them, or says again what an open one says, which a message
    /// handed in up to `window` earlier would settle.
    fn know(&self, receipt: &ReceiptFacts, window: Duration) -> bool {
        let id = orphan_id(receipt);
        let same_life = |&(status, received_at): &(Status, Timestamp)| {
            let apart = received_at.datetime() - receipt.received_at.datetime();
            status == receipt.dlr_status && apart.unsigned_abs() <= window
        };
        self.matched.contains(&id)
            || self.open.contains_key(&id)
            || self.open.values().any(same_life)
    }
}

/// The commands about receipts without a message.
#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "commands travel boxed, and most are the large one"
)]
pub enum OrphanCommand {
    /// This receipt matched no message in its grace period.
    Keep(KeepOrphan),
    /// This orphan was recorded with its message.
    Match(MatchOrphan),
}

/// See [`OrphanCommand::Keep`].
#[derive(Debug, Clone)]
pub struct KeepOrphan {
    /// The receipt.
    pub received: ReceivedReceipt,
    /// The key of the day it was received.
    pub key: DataKey,
    /// How long before its arrival its message may have been handed in.
    pub match_window: Duration,
    /// The message that brought it.
    pub origin: Origin,
}

/// See [`OrphanCommand::Match`].
#[derive(Debug, Clone)]
pub struct MatchOrphan {
    /// The orphan, its message, and the receipt recorded there.
    pub matched: OrphanMatched,
    /// Caused by what was recorded with the message, at the time of the receipt and in its trace.
    pub origin: Origin,
}

/// Decides for the streams of category `orphan`.
#[derive(Debug)]
pub struct OrphanDecider;

impl Decider for OrphanDecider {
    type State = Orphans;
    type Command = OrphanCommand;
    type Refusal = Infallible;

    fn fold(state: &mut Orphans, event: &RecordedEvent) {
        match &event.data.event {
            Event::ReceiptOrphaned(orphaned) => {
                let receipt = &orphaned.receipt;
                let said = (receipt.dlr_status, receipt.received_at);
                state.open.insert(event.data.id, said);
            }
            Event::OrphanMatched(matched) => {
                state.open.remove(&matched.orphan_id);
                state.matched.insert(matched.orphan_id);
            }
            _ => {}
        }
    }

    fn decide(state: &Orphans, command: &OrphanCommand) -> Result<Decision, Infallible> {
        match command {
            OrphanCommand::Keep(keep) => {
                let receipt = keep.facts();
                if state.know(&receipt, keep.match_window) {
                    return Ok(Decision::NOTHING);
                }
                let message_hint = keep.received.message_hint;
                let orphaned = Event::ReceiptOrphaned(ReceiptOrphaned {
                    receipt,
                    message_hint,
                });
                Ok(Decision::record([orphaned]))
            }
            OrphanCommand::Match(found) => {
                if state.matched.contains(&found.matched.orphan_id) {
                    return Ok(Decision::NOTHING);
                }
                let matched = Event::OrphanMatched(found.matched.clone());
                Ok(Decision::record([matched]))
            }
        }
    }

    fn is_finished(_: &Orphans) -> bool {
        true
    }
}

impl KeepOrphan {
    /// The command to keep what was received, and whose message may have been handed in up to
    /// `match_window` before; `key` is that of the day it was received.
    #[must_use]
    pub fn new(
        received: ReceivedReceipt,
        key: DataKey,
        match_window: Duration,
        trace: Option<String>,
    ) -> Self {
        Self {
            origin: origin(&received.facts, trace),
            received,
            key,
            match_window,
        }
    }

    /// The stream of this receipt's operator and operator message id.
    #[must_use]
    pub fn stream(&self) -> StreamId {
        let facts = &self.received.facts;
        StreamId::orphan(facts.operator_id, &facts.operator_message_id)
    }

    /// What the receipt says: whichever message it is about was handed in within the window.
    fn facts(&self) -> ReceiptFacts {
        let facts = self.received.facts.clone();
        let earliest = facts.received_at.datetime() - self.match_window;
        facts.not_before(Timestamp::from_datetime(earliest))
    }
}

fn orphan_id(receipt: &ReceiptFacts) -> EventId {
    EventId::of_orphan(
        receipt.operator_id,
        &receipt.operator_message_id,
        receipt.dlr_status,
        receipt.received_at,
    )
}

impl MatchOrphan {
    /// The command to record that an orphan found its message, with which `receipt` (the one that
    /// the orphan is) was recorded, unless the message keeps no more.
    #[must_use]
    pub fn new(matched: OrphanMatched, receipt: &ReceiptFacts, trace: Option<String>) -> Self {
        let cause = matched.receipt_id.unwrap_or(matched.orphan_id);
        let origin = Origin {
            request: cause.0,
            time: receipt.delivered_at,
            ..origin(receipt, trace)
        };
        Self { matched, origin }
    }
}

impl Command for OrphanCommand {
    fn record(&self, place: EventPlace, event: Event) -> EventData {
        match self {
            Self::Keep(keep) => {
                let facts = keep.facts();
                EventData {
                    occurred_at: facts.delivered_at,
                    sealed: seal(&keep.received.private, &keep.key, place),
                    ..keep.origin.record(orphan_id(&facts), event)
                }
            }
            Self::Match(found) => {
                let id = EventId::of_orphan_match(found.matched.orphan_id);
                found.origin.record(id, event)
            }
        }
    }
}

fn seal(private: &ReceiptPrivate, key: &DataKey, place: EventPlace) -> Sealed {
    let raw_payload = private.raw_payload.as_ref().map(beginning);
    let fields = [
        (Sealed::SOURCE_ADDR, &private.source_addr),
        (Sealed::DEST_ADDR, &private.dest_addr),
        (Sealed::RAW_PAYLOAD, &raw_payload),
    ];
    let sealed = fields.into_iter().filter_map(|(field, personal)| {
        let sealed = key.seal(&place.of_field(field), personal.as_ref()?);
        Some((field.to_owned(), sealed))
    });
    Sealed(sealed.collect())
}

/// At most [`PAYLOAD_MAX`] bytes of it, whole characters.
fn beginning(payload: &Personal) -> Personal {
    let text = payload.expose();
    Personal::new(text[..text.floor_char_boundary(PAYLOAD_MAX)].to_owned())
}

#[cfg(test)]
mod tests;
