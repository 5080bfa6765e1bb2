//! Recorded events for tests, made from the golden files of `schema`.

use std::{fs, path::Path, sync::Arc};

use eventstore::{EventData, LogId, RecordedEvent};
use schema::{
    AccountId, Category, Event, EventId, Position, Pseudonym, Sealed, StreamId, StreamVersion,
    Timestamp,
};
use uuid::Uuid;

/// The log the samples are from.
pub(crate) const LOG: LogId = LogId::DEFAULT;
/// What stands for the samples' tenant.
pub(crate) const PSEUDONYM: Pseudonym = Pseudonym(Uuid::from_u128(0x7));
/// The samples' account.
pub(crate) const ACCOUNT: AccountId = AccountId(Uuid::from_u128(0xacc));
/// The samples' trace.
pub(crate) const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// The golden event of this type, recorded at this position in a stream of its own.
pub(crate) fn recorded((name, position): (&&str, i64)) -> RecordedEvent {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/golden");
    let stored = fs::read_to_string(golden.join(name).join("v1.json")).expect("a golden file");
    let event = Event::from_stored(name, 1, &stored).expect("readable");
    let number = u128::try_from(position).expect("positive");
    let category = event.event_type().category();
    let orphan = category == Category::Orphan;
    let recorded_at = Timestamp::from_micros(1_772_366_400_000_000 + position).expect("in range");
    RecordedEvent {
        position: Position(position),
        stream: StreamId {
            category,
            id: Uuid::from_u128(0x5000 + number),
        },
        version: StreamVersion(1),
        recorded_at,
        data: EventData {
            id: EventId(Uuid::from_u128(0xe000 + number)),
            event,
            tenant: (!orphan).then_some(PSEUDONYM),
            account: (!orphan).then_some(ACCOUNT),
            occurred_at: recorded_at,
            cause: None,
            trace: Some(TRACE.to_owned()),
            principal: "test".to_owned(),
            sealed: Sealed::default(),
        },
    }
}

/// One event of each type about receipts, in an order in which they may come.
pub(crate) fn receipts() -> Vec<Arc<RecordedEvent>> {
    let types = Event::TYPES.iter().map(|(name, _)| name);
    let events = types.zip(1..).map(recorded);
    batch(events.filter(|recorded| {
        matches!(
            recorded.stream.category,
            Category::Message | Category::Orphan
        )
    }))
}

/// Samples as a batch holds them.
pub(crate) fn batch(events: impl IntoIterator<Item = RecordedEvent>) -> Vec<Arc<RecordedEvent>> {
    events.into_iter().map(Arc::new).collect()
}
