//! What becomes of receipts that match no message.
//!
//! An orphan is one receipt: the same (operator, operator message id, status) again adds nothing.
//! Once its message is found and the receipt is recorded there, the orphan is matched, once.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
};

use eventstore::{NewEvent, RecordedEvent, seal::DataKey};
use schema::{
    Event, EventId, MessageId, ReceiptPrivate, ReceivedReceipt, Sealed, Status, StreamId,
    Timestamp,
    event::{OrphanMatched, ReceiptOrphaned},
};
use uuid::Uuid;

use super::{Command, Decider, EventPlace};

/// What is known about one (operator, operator message id).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Orphans {
    statuses: BTreeSet<Status>,
    matched: BTreeMap<EventId, MessageId>,
}

/// What may be asked.
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
    /// The `traceparent` it came with.
    pub trace: Option<String>,
}

/// See [`OrphanCommand::Match`].
#[derive(Debug, Clone)]
pub struct MatchOrphan {
    /// What was found.
    pub matched: OrphanMatched,
    /// When the receipt it is about happened.
    pub occurred_at: Timestamp,
    /// The `traceparent` the receipt came with.
    pub trace: Option<String>,
}

/// Decides for the streams of category `orphan`.
#[derive(Debug)]
pub struct OrphanDecider;

impl Decider for OrphanDecider {
    type State = Orphans;
    type Command = OrphanCommand;
    type Refusal = Infallible;

    fn fold(state: &mut Orphans, event: &RecordedEvent) {
        match &event.fact.event {
            Event::ReceiptOrphaned(orphaned) => {
                state.statuses.insert(orphaned.receipt.dlr_status);
            }
            Event::OrphanMatched(matched) => {
                state.matched.insert(matched.orphan_id, matched.message_id);
            }
            _ => {}
        }
    }

    fn decide(state: &Orphans, command: &OrphanCommand) -> Result<Vec<Event>, Infallible> {
        match command {
            OrphanCommand::Keep(keep) => {
                let receipt = keep.received.facts.clone();
                if state.statuses.contains(&receipt.dlr_status) {
                    return Ok(Vec::new());
                }
                let message_hint = keep.received.message_hint;
                Ok(vec![Event::ReceiptOrphaned(ReceiptOrphaned {
                    receipt,
                    message_hint,
                })])
            }
            OrphanCommand::Match(found) => {
                if state.matched.contains_key(&found.matched.orphan_id) {
                    return Ok(Vec::new());
                }
                Ok(vec![Event::OrphanMatched(found.matched.clone())])
            }
        }
    }

    fn is_finished(_: &Orphans) -> bool {
        true
    }
}

impl KeepOrphan {
    /// The stream of this receipt's operator and operator message id.
    #[must_use]
    pub fn stream(&self) -> StreamId {
        let facts = &self.received.facts;
        StreamId::orphan(facts.operator_id, &facts.operator_message_id)
    }
}

impl Command for OrphanCommand {
    fn record(&self, place: EventPlace, event: Event) -> NewEvent {
        match self {
            Self::Keep(keep) => {
                let facts = &keep.received.facts;
                let id = EventId::of_receipt(
                    place.stream,
                    facts.operator_id,
                    &facts.operator_message_id,
                    facts.dlr_status,
                );
                let cause = facts.source_event_id;
                let sealed = seal(&keep.received.private, &keep.key, place);
                envelope(
                    id,
                    event,
                    facts.delivered_at,
                    cause,
                    keep.trace.clone(),
                    sealed,
                )
            }
            Self::Match(found) => {
                let id = EventId::of_orphan_match(found.matched.orphan_id);
                let cause = found.matched.receipt_id.0;
                let sealed = Sealed::default();
                envelope(
                    id,
                    event,
                    found.occurred_at,
                    cause,
                    found.trace.clone(),
                    sealed,
                )
            }
        }
    }
}

fn envelope(
    id: EventId,
    event: Event,
    occurred_at: Timestamp,
    cause: Uuid,
    trace: Option<String>,
    sealed: Sealed,
) -> NewEvent {
    NewEvent {
        id,
        event,
        tenant: None,
        account: None,
        occurred_at,
        cause: Some(cause),
        trace,
        principal: crate::dlr::PRINCIPAL.to_owned(),
        sealed,
    }
}

fn seal(private: &ReceiptPrivate, key: &DataKey, place: EventPlace) -> Sealed {
    let fields = [
        (Sealed::SOURCE_ADDR, &private.source_addr),
        (Sealed::DEST_ADDR, &private.dest_addr),
        (Sealed::RAW_PAYLOAD, &private.raw_payload),
    ];
    let sealed = fields.into_iter().filter_map(|(field, personal)| {
        let sealed = key.seal(&place.of_field(field), personal.as_ref()?);
        Some((field.to_owned(), sealed))
    });
    Sealed(sealed.collect())
}

#[cfg(test)]
mod tests {
    use schema::{OperatorId, OperatorMessageId, ReceiptFacts};

    use super::*;
    use crate::decide::testing::{Given, given};

    fn operator() -> OperatorId {
        OperatorId(Uuid::from_u128(2))
    }

    fn id() -> OperatorMessageId {
        OperatorMessageId::new("a").expect("valid")
    }

    fn keep(word: &str) -> OrphanCommand {
        let at = Timestamp::parse("2026-03-01T12:00:00Z").expect("valid");
        let facts = ReceiptFacts {
            source_event_id: Uuid::from_u128(1),
            operator_id: operator(),
            operator_message_id: id(),
            raw_stat: word.into(),
            dlr_status: Status::from_word(word),
            error_code: None,
            delivered_at: at,
            stated_delivered_at: None,
            received_at: at,
        };
        let received = ReceivedReceipt {
            facts,
            private: ReceiptPrivate::default(),
            message_hint: None,
            foreign_schema_version: false,
            error_code_left_out: false,
        };
        let key = DataKey::new(1, &[1; 32]);
        OrphanCommand::Keep(KeepOrphan {
            received,
            key,
            trace: None,
        })
    }

    fn matched(orphan: u128) -> OrphanCommand {
        OrphanCommand::Match(MatchOrphan {
            matched: OrphanMatched {
                orphan_id: EventId(Uuid::from_u128(orphan)),
                message_id: MessageId(Uuid::from_u128(3)),
                receipt_id: EventId(Uuid::from_u128(4)),
            },
            occurred_at: Timestamp::parse("2026-03-01T12:00:00Z").expect("valid"),
            trace: None,
        })
    }

    fn orphans(before: &[OrphanCommand]) -> Given<OrphanDecider> {
        given(StreamId::orphan(operator(), &id()), before)
    }

    #[test]
    fn each_status_of_an_unknown_id_is_one_orphan() {
        assert_eq!(orphans(&[]).when(&keep("ENROUTE")).len(), 1);
        let enroute = orphans(&[keep("ENROUTE")]);
        assert_eq!(enroute.when(&keep("DELIVRD")).len(), 1);
    }

    #[test]
    fn the_same_orphan_again_adds_nothing() {
        let enroute = orphans(&[keep("ENROUTE"), matched(1)]);
        assert_eq!(enroute.when(&keep("ACCEPTD")), []);
    }

    #[test]
    fn an_orphan_is_matched_once() {
        let before = orphans(&[keep("DELIVRD")]);
        assert_eq!(before.when(&matched(1)).len(), 1);
        let after = orphans(&[keep("DELIVRD"), matched(1)]);
        assert_eq!(after.when(&matched(1)), []);
        assert_eq!(after.when(&matched(2)).len(), 1);
    }
}
