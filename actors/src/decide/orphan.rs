//! What becomes of receipts that match no message.
//!
//! An orphan is one receipt: the same (operator, operator message id, status) again adds nothing.
//! Once its message is found and the receipt is recorded there, the orphan is matched, once.

use std::collections::{BTreeMap, BTreeSet};

use eventstore::{
    NewEvent,
    seal::{DataKey, Place},
};
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

    fn fold(state: &mut Orphans, event: &Event) {
        match event {
            Event::ReceiptOrphaned(orphaned) => {
                state.statuses.insert(orphaned.receipt.dlr_status);
            }
            Event::OrphanMatched(matched) => {
                state.matched.insert(matched.orphan_id, matched.message_id);
            }
            _ => {}
        }
    }

    fn decide(state: &Orphans, command: &OrphanCommand) -> Vec<Event> {
        match command {
            OrphanCommand::Keep(keep) => {
                let receipt = keep.received.facts.clone();
                if state.statuses.contains(&receipt.dlr_status) {
                    return Vec::new();
                }
                let message_hint = keep.received.message_hint;
                vec![Event::ReceiptOrphaned(ReceiptOrphaned {
                    receipt,
                    message_hint,
                })]
            }
            OrphanCommand::Match(found) => {
                if state.matched.contains_key(&found.matched.orphan_id) {
                    return Vec::new();
                }
                vec![Event::OrphanMatched(found.matched.clone())]
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
    let EventPlace {
        log,
        stream,
        version,
    } = place;
    let fields = [
        (Sealed::SOURCE_ADDR, &private.source_addr),
        (Sealed::DEST_ADDR, &private.dest_addr),
        (Sealed::RAW_PAYLOAD, &private.raw_payload),
    ];
    let sealed = fields.into_iter().filter_map(|(field, personal)| {
        let place = Place {
            log,
            stream,
            version,
            field,
        };
        Some((field.to_owned(), key.seal(&place, personal.as_ref()?)))
    });
    Sealed(sealed.collect())
}

#[cfg(test)]
mod tests {
    use schema::{OperatorId, OperatorMessageId, ReceiptFacts};

    use super::*;

    fn keep(word: &str) -> OrphanCommand {
        let at = Timestamp::parse("2026-03-01T12:00:00Z").expect("valid");
        let facts = ReceiptFacts {
            source_event_id: Uuid::from_u128(1),
            operator_id: OperatorId(Uuid::from_u128(2)),
            operator_message_id: OperatorMessageId::new("a").expect("valid"),
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

    fn given(before: &[OrphanCommand]) -> Orphans {
        let mut state = Orphans::default();
        for command in before {
            for event in OrphanDecider::decide(&state, command) {
                OrphanDecider::fold(&mut state, &event);
            }
        }
        state
    }

    #[test]
    fn each_status_of_an_unknown_id_is_one_orphan() {
        assert_eq!(
            OrphanDecider::decide(&given(&[]), &keep("ENROUTE")).len(),
            1
        );
        let enroute = given(&[keep("ENROUTE")]);
        assert_eq!(OrphanDecider::decide(&enroute, &keep("DELIVRD")).len(), 1);
    }

    #[test]
    fn the_same_orphan_again_adds_nothing() {
        let enroute = given(&[keep("ENROUTE"), matched(1)]);
        assert_eq!(OrphanDecider::decide(&enroute, &keep("ACCEPTD")), []);
    }

    #[test]
    fn an_orphan_is_matched_once() {
        let before = given(&[keep("DELIVRD")]);
        assert_eq!(OrphanDecider::decide(&before, &matched(1)).len(), 1);
        let after = given(&[keep("DELIVRD"), matched(1)]);
        assert_eq!(OrphanDecider::decide(&after, &matched(1)), []);
        assert_eq!(OrphanDecider::decide(&after, &matched(2)).len(), 1);
    }
}
