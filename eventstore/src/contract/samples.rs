//! Events to try a log with: settlements of realistic size in streams that nobody else uses.

use std::sync::atomic::{AtomicU64, Ordering};

use schema::{
    AccountId, Category, Event, EventId, OperatorId, OperatorMessageId, Pseudonym, ReceiptFacts,
    Sealed, SealedValue, Status, StreamId, StreamVersion, Timestamp, event::MessageSettled,
    id::derive,
};
use uuid::Uuid;

use crate::{Append, EventData, clock};

/// The number of a stream that nobody has used, in this or any other run.
#[must_use]
pub fn fresh() -> u128 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let run = u128::from(std::process::id()) << 96;
    let time = u128::from(clock::now().micros().unsigned_abs()) << 32;
    run | time | u128::from(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The stream of this number.
#[must_use]
pub const fn stream(number: u128) -> StreamId {
    StreamId {
        category: Category::Message,
        id: Uuid::from_u128(number),
    }
}

/// `count` events for the stream of this number, which should be at `expected`.
#[must_use]
pub fn append(number: u128, expected: i32, count: i32) -> Append {
    let events = (expected + 1..=expected + count).map(|event| new_event(number, event));
    Append {
        stream: stream(number),
        expected: StreamVersion(expected),
        events: events.collect(),
        guards: Vec::new(),
    }
}

/// One event, the stream's `event`-th, wherever the stream should be.
#[must_use]
pub fn append_numbered(number: u128, expected: i32, event: i32) -> Append {
    let events = vec![new_event(number, event)];
    Append {
        stream: stream(number),
        expected: StreamVersion(expected),
        events,
        guards: Vec::new(),
    }
}

/// An event of realistic size: a settlement with sealed addresses.
#[must_use]
pub fn new_event(number: u128, event: i32) -> EventData {
    let at = Timestamp::from_micros(1_767_225_600_000_000 + i64::from(event)).expect("valid");
    let receipt = ReceiptFacts {
        source_event_id: Uuid::from_u128(number ^ 1),
        operator_id: OperatorId(Uuid::from_u128(7)),
        operator_message_id: OperatorMessageId::new(&format!("op-{number:x}-{event}"))
            .expect("short ascii"),
        raw_stat: "DELIVRD".into(),
        dlr_status: Status::Delivered,
        error_code: Some("000".into()),
        delivered_at: at,
        stated_delivered_at: None,
        received_at: at,
    };
    let sealed = |field: &str| {
        let value = format!("1.{}", "c2VhbGVk".repeat(7));
        (field.to_owned(), SealedValue(value))
    };
    EventData {
        id: EventId(derive(
            "sample",
            &[&number.to_be_bytes(), &event.to_be_bytes()],
        )),
        event: Event::MessageSettled(MessageSettled {
            receipt,
            segment_count: 1,
        }),
        tenant: Some(Pseudonym(Uuid::from_u128(3))),
        account: Some(AccountId(Uuid::from_u128(4))),
        occurred_at: at,
        cause: Some(Uuid::from_u128(number ^ 1)),
        trace: None,
        principal: "contract".into(),
        sealed: Sealed(
            [Sealed::TO, Sealed::DEST_ADDR]
                .into_iter()
                .map(sealed)
                .collect(),
        ),
    }
}
