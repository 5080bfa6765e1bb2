//! The rules of CONTRACTS 4, one test each, as given / when / then.

use eventstore::{LogId, seal::DataKey};
use schema::{Pseudonym, StreamId, StreamVersion, Timestamp};
use uuid::Uuid;

use super::*;
use crate::runtime::decider::testing::{self, Given};

const DELIVERED: &str = "DELIVRD";
const EXPIRED: &str = "EXPIRED";
const ENROUTE: &str = "ENROUTE";

fn receipt(operator_message: &str, word: &str) -> RecordReceipt {
    let at = Timestamp::parse("2026-03-01T12:00:00Z").expect("valid");
    RecordReceipt {
        receipt: ReceiptFacts {
            source_event_id: Uuid::from_u128(1),
            operator_id: OperatorId(Uuid::from_u128(2)),
            operator_message_id: OperatorMessageId::new(operator_message).expect("valid"),
            raw_stat: word.into(),
            dlr_status: Status::from_word(word),
            error_code: None,
            delivered_at: at,
            stated_delivered_at: None,
            received_at: at,
        },
        private: ReceiptPrivate {
            dest_addr: Some(Personal::new("+491512345".into())),
            ..ReceiptPrivate::default()
        },
        message: MatchedMessage {
            id: MessageId(Uuid::from_u128(3)),
            account: AccountId(Uuid::from_u128(4)),
            segment_count: 2,
            enqueued_at: Timestamp::parse("2026-03-01T11:00:00Z").expect("valid"),
            to: Personal::new("+491512345".into()),
            metadata: None,
        },
        tenant: TenantKey {
            pseudonym: Pseudonym(Uuid::from_u128(5)),
            key: Some(DataKey::new(1, &[1; 32])),
        },
        origin: Origin::of_request(1),
    }
}

fn given(before: &[RecordReceipt]) -> Given<MessageDecider> {
    testing::given(StreamId::message(MessageId(Uuid::from_u128(3))), before)
}

#[test]
fn the_first_final_receipt_settles_the_message() {
    let events = given(&[]).when(&receipt("a", DELIVERED));
    assert!(matches!(&events[..], [Event::MessageSettled(settled)]
        if settled.receipt.dlr_status == Status::Delivered && settled.segment_count == 2));
}

#[test]
fn an_intermediate_receipt_is_recorded_and_changes_the_status_once() {
    let events = given(&[]).when(&receipt("a", ENROUTE));
    assert!(matches!(&events[..], [Event::ReceiptRecorded(event)] if event.changed_status));
    let other_part = given(&[receipt("a", ENROUTE)]).when(&receipt("b", ENROUTE));
    assert!(matches!(&other_part[..], [Event::ReceiptRecorded(event)] if !event.changed_status));
}

#[test]
fn an_intermediate_receipt_never_blocks_a_final_one() {
    let events = given(&[receipt("a", ENROUTE)]).when(&receipt("a", DELIVERED));
    assert!(matches!(&events[..], [Event::MessageSettled(_)]));
}

#[test]
fn the_same_receipt_again_adds_nothing() {
    let settled = given(&[receipt("a", ENROUTE), receipt("a", DELIVERED)]);
    for repeat in [ENROUTE, "accepted", DELIVERED, "delivered"] {
        assert_eq!(settled.when(&receipt("a", repeat)), [], "{repeat}");
    }
}

#[test]
fn a_later_different_final_is_kept_and_settles_nothing() {
    let events = given(&[receipt("a", DELIVERED)]).when(&receipt("a", EXPIRED));
    assert!(matches!(&events[..], [Event::LateReceiptRecorded(late)]
        if late.settled_as == Status::Delivered && late.receipt.dlr_status == Status::Expired));
}

#[test]
fn parts_of_a_message_settle_it_once() {
    let events = given(&[receipt("a", DELIVERED)]).when(&receipt("b", DELIVERED));
    assert!(matches!(&events[..], [Event::LateReceiptRecorded(_)]));
}

#[test]
fn an_intermediate_receipt_after_the_settlement_is_late() {
    let events = given(&[receipt("a", DELIVERED)]).when(&receipt("a", ENROUTE));
    assert!(matches!(&events[..], [Event::LateReceiptRecorded(_)]));
}

#[test]
fn a_settled_message_may_sleep_and_an_open_one_may_not() {
    let finished = |word| MessageDecider::is_finished(&given(&[receipt("a", word)]).state);
    assert!(!finished(ENROUTE));
    assert!(finished(DELIVERED));
}

#[test]
fn the_recipient_is_sealed_only_where_a_webhook_needs_it() {
    let stream = StreamId::message(MessageId(Uuid::from_u128(3)));
    let place = EventPlace {
        log: LogId::DEFAULT,
        stream,
        version: StreamVersion(1),
    };
    let sealed = |before: &[RecordReceipt], command: &RecordReceipt| {
        let event = given(before).when(command).remove(0);
        command
            .record(place, event)
            .sealed
            .0
            .into_keys()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        sealed(&[], &receipt("a", DELIVERED)),
        [Sealed::DEST_ADDR, Sealed::TO]
    );
    assert_eq!(
        sealed(&[receipt("a", DELIVERED)], &receipt("a", EXPIRED)),
        [Sealed::DEST_ADDR]
    );
}

#[test]
fn a_repeat_is_recorded_under_the_same_id() {
    let stream = StreamId::message(MessageId(Uuid::from_u128(3)));
    let place = EventPlace {
        log: LogId::DEFAULT,
        stream,
        version: StreamVersion(1),
    };
    let recorded = |command: RecordReceipt| {
        let event = given(&[]).when(&command).remove(0);
        command.record(place, event).id
    };
    assert_eq!(
        recorded(receipt("a", "DELIVRD")),
        recorded(receipt("a", "delivered"))
    );
    assert_ne!(
        recorded(receipt("a", "DELIVRD")),
        recorded(receipt("b", "DELIVRD"))
    );
}

#[test]
fn a_receipt_is_dated_between_its_messages_begin_and_its_arrival() {
    let mut early = receipt("a", DELIVERED);
    let stated = Timestamp::parse("2026-03-01T10:59:59Z").expect("valid");
    early.receipt.delivered_at = stated;
    let stream = StreamId::message(early.message.id);
    let event = given(&[]).when(&early).remove(0);
    let place = EventPlace {
        log: LogId::DEFAULT,
        stream,
        version: StreamVersion(1),
    };
    let recorded = early.record(place, event);
    let facts = recorded.event.receipt().expect("a receipt");
    assert_eq!(facts.delivered_at, early.message.enqueued_at);
    assert_eq!(
        facts.stated_delivered_at,
        Some(stated),
        "what was said is kept"
    );
    assert_eq!(recorded.occurred_at, early.message.enqueued_at);
}

/// As many receipts of parts as a message of two segments keeps, each of another status or part.
fn many(word: &str, parts: usize) -> Vec<RecordReceipt> {
    let part = |number| receipt(&format!("part-{number}"), word);
    (0..parts).map(part).collect()
}

#[test]
fn a_message_keeps_six_receipts_per_segment_and_no_more() {
    let full = given(&many(DELIVERED, 12));
    assert_eq!(full.refuses(&receipt("one more", EXPIRED)), KeepsNoMore);
    assert_eq!(full.when(&receipt("part-3", DELIVERED)), [], "a duplicate");
    assert_eq!(
        given(&many(DELIVERED, 11))
            .when(&receipt("a", EXPIRED))
            .len(),
        1
    );
}

#[test]
fn intermediate_receipts_leave_a_place_for_the_one_that_settles() {
    let waiting = given(&many(ENROUTE, 11));
    assert_eq!(waiting.refuses(&receipt("one more", ENROUTE)), KeepsNoMore);
    let settled = waiting.when(&receipt("a", DELIVERED));
    assert!(matches!(&settled[..], [Event::MessageSettled(_)]));
}

#[test]
fn a_message_of_more_than_ten_segments_settles_like_any_other() {
    let mut long = receipt("a", DELIVERED);
    long.message.segment_count = 16;
    let events = given(&[]).when(&long);
    assert!(matches!(&events[..], [Event::MessageSettled(settled)]
        if settled.segment_count == 16));
}
