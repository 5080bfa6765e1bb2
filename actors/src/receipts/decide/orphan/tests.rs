//! What becomes of receipts without a message, one test per rule, as given / when / then.

use eventstore::LogId;
use schema::{MessageId, OperatorId, OperatorMessageId, StreamVersion};
use uuid::Uuid;

use super::*;
use crate::runtime::decider::testing::{Given, given};

fn operator() -> OperatorId {
    OperatorId(Uuid::from_u128(2))
}

fn id() -> OperatorMessageId {
    OperatorMessageId::new("a").expect("valid")
}

const WINDOW: Duration = Duration::from_hours(7 * 24);

/// Arrived on this day of March.
fn keep_of(word: &str, day: u8) -> KeepOrphan {
    let at = Timestamp::parse(&format!("2026-03-{day:02}T12:00:00Z")).expect("valid");
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
    KeepOrphan::new(received, DataKey::new(1, &[1; 32]), WINDOW, None)
}

fn keep(word: &str, day: u8) -> OrphanCommand {
    OrphanCommand::Keep(keep_of(word, day))
}

/// The orphan of that day found its message.
fn found(word: &str, day: u8) -> OrphanCommand {
    matched(orphan_id(&keep_of(word, day).received.facts))
}

fn matched(orphan_id: EventId) -> OrphanCommand {
    OrphanCommand::Match(MatchOrphan {
        matched: OrphanMatched {
            orphan_id,
            message_id: MessageId(Uuid::from_u128(3)),
            receipt_id: Some(EventId(Uuid::from_u128(4))),
        },
        origin: Origin::of_request(4),
    })
}

fn orphans(before: &[OrphanCommand]) -> Given<OrphanDecider> {
    given(StreamId::orphan(operator(), &id()), before)
}

#[test]
fn each_status_of_an_unknown_id_is_one_orphan() {
    assert_eq!(orphans(&[]).when(&keep("ENROUTE", 1)).len(), 1);
    let enroute = orphans(&[keep("ENROUTE", 1)]);
    assert_eq!(enroute.when(&keep("DELIVRD", 1)).len(), 1);
}

#[test]
fn the_same_orphan_again_adds_nothing() {
    let enroute = orphans(&[keep("ENROUTE", 9)]);
    for day in [2, 9, 16] {
        assert_eq!(enroute.when(&keep("ACCEPTD", day)), [], "day {day}");
    }
}

#[test]
fn an_orphan_outside_the_match_window_does_not_stand_for_a_later_life_of_its_id() {
    for word in [
        "ENROUTE", "DELIVRD", "EXPIRED", "UNDELIV", "REJECTD", "FAILED",
    ] {
        let long_ago = orphans(&[keep(word, 9)]);
        assert_eq!(long_ago.when(&keep(word, 17)).len(), 1, "{word}");
        assert_eq!(long_ago.when(&keep(word, 1)).len(), 1, "{word}, overtaken");
    }
}

#[test]
fn a_matched_orphan_does_not_stand_for_a_later_life_of_its_id() {
    for word in [
        "ENROUTE", "DELIVRD", "EXPIRED", "UNDELIV", "REJECTD", "FAILED",
    ] {
        let matched = orphans(&[keep(word, 1), found(word, 1)]);
        assert_eq!(matched.when(&keep(word, 2)).len(), 1, "{word}");
        let same = matched.when(&keep(word, 1));
        assert_eq!(same, [], "{word}: the very same receipt, redelivered");
    }
}

#[test]
fn each_life_of_an_id_is_a_fact_of_its_own() {
    let mut lives = orphans(&[]);
    let record = |command: &OrphanCommand, event: Event| {
        let place = EventPlace {
            log: LogId::DEFAULT,
            stream: StreamId::orphan(operator(), &id()),
            version: StreamVersion(1),
        };
        command.record(place, event).id
    };
    let first = lives.and(&keep("DELIVRD", 1)).remove(0);
    let second = lives.and(&keep("DELIVRD", 20)).remove(0);
    let ids = [
        record(&keep("DELIVRD", 1), first.clone()),
        record(&keep("DELIVRD", 20), second),
    ];
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[0], record(&keep("DELIVRD", 1), first), "a repeat");
}

#[test]
fn an_orphan_is_matched_once() {
    let before = orphans(&[keep("DELIVRD", 1)]);
    assert_eq!(before.when(&found("DELIVRD", 1)).len(), 1);
    let after = orphans(&[keep("DELIVRD", 1), found("DELIVRD", 1)]);
    assert_eq!(after.when(&found("DELIVRD", 1)), []);
    assert_eq!(after.when(&found("DELIVRD", 2)).len(), 1);
}

#[test]
fn of_a_large_payload_the_beginning_is_kept() {
    let small = Personal::new(r#"{"a":1}"#.into());
    assert_eq!(beginning(&small), small);
    let large = Personal::new("é".repeat(PAYLOAD_MAX));
    assert_eq!(beginning(&large).expose().len(), PAYLOAD_MAX);
    let odd = Personal::new(format!("a{}", "é".repeat(PAYLOAD_MAX)));
    assert_eq!(beginning(&odd).expose().len(), PAYLOAD_MAX - 1);
}

#[test]
fn an_orphan_is_dated_within_the_window_and_what_was_stated_is_kept() {
    let mut old = keep_of("DELIVRD", 20);
    let stated = Timestamp::parse("1970-01-01T00:00:00Z").expect("valid");
    old.received.facts.delivered_at = stated;
    let facts = old.facts();
    assert_eq!(
        facts.delivered_at.to_string(),
        "2026-03-13T12:00:00.000000Z"
    );
    assert_eq!(facts.stated_delivered_at, Some(stated));
}
