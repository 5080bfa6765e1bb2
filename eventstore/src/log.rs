//! The log's vocabulary and its promises.

use std::sync::Arc;

use async_trait::async_trait;
use ring::digest;
use schema::{
    AccountId, Event, EventId, Position, Pseudonym, Sealed, StreamId, StreamVersion, Timestamp,
};
use uuid::Uuid;

pub use crate::told::chain;

/// Which log. A deployment has one; more are how it grows past one writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogId(pub i16);

impl LogId {
    /// The log of a deployment that has one.
    pub const DEFAULT: Self = Self(1);
}

/// What is recorded of an event, whichever position it gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventData {
    /// Derived from what happened: a repeat has the same.
    pub id: EventId,
    /// The event itself; its type says in which category of streams it may stand.
    pub event: Event,
    /// Whose, where known. Never a tenant id.
    pub tenant: Option<Pseudonym>,
    /// On which account, where known.
    pub account: Option<AccountId>,
    /// When it happened outside, in microseconds of UTC; the log adds when it was recorded.
    pub occurred_at: Timestamp,
    /// The message or event that made us decide it.
    pub cause: Option<Uuid>,
    /// The W3C `traceparent` of what caused it.
    pub trace: Option<String>,
    /// Who recorded it: a service's or a person's name.
    pub principal: String,
    /// Its personal data, sealed to this stream and version.
    pub sealed: Sealed,
}

/// Events for the end of one stream; all are recorded or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Append {
    /// The stream they are for.
    pub stream: StreamId,
    /// The version the stream must have.
    pub expected: StreamVersion,
    /// At least one event; the first becomes the version after `expected`.
    pub events: Vec<EventData>,
    /// What else must not have moved.
    pub guards: Vec<Guard>,
}

/// A stream that is not written but must still be at the version the decision was based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Guard {
    /// The stream.
    pub stream: StreamId,
    /// The version it must have.
    pub version: StreamVersion,
}

/// What became of one [`Append`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Recorded and on disk.
    Recorded {
        /// The position of the first of its events; the rest follow densely.
        position: Position,
        /// The stream's version after it.
        version: StreamVersion,
        /// When the log recorded it.
        recorded_at: Timestamp,
    },
    /// Every one of its events was there already, with the same content.
    AlreadyRecorded,
    /// An event with one of its ids is there with other content.
    Diverged {
        /// That id.
        id: EventId,
    },
    /// The stream is at another version than expected; nothing of this append was recorded.
    Conflict {
        /// The version it is at.
        actual: StreamVersion,
    },
    /// A guarded stream has moved; nothing of this append was recorded.
    GuardMoved {
        /// The first guard that does not hold.
        stream: StreamId,
        /// The version that stream is at.
        actual: StreamVersion,
    },
    /// The log will never take it, whenever it comes: it has no events, names an event twice, has
    /// an event that belongs to another kind of stream, or holds what may not be stored. Nothing of
    /// it was recorded; why is in the process's log.
    Refused,
}

/// What became of appends that go in together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Together {
    /// All of them are recorded and on disk, in their order and with nothing between them.
    Recorded {
        /// The position of the first event.
        first: Position,
        /// The position of the last one.
        last: Position,
        /// When the log recorded them.
        recorded_at: Timestamp,
    },
    /// Every one of their events was there already, with the same content.
    AlreadyRecorded,
    /// Nothing of any was recorded. These are the reason, each by its number from 0; of the others
    /// nothing is known.
    Prevented(Vec<(usize, Outcome)>),
    /// The log will never take one of them, and so took none; why is in the process's log.
    Refused,
}

/// An event in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// 1, 2, 3, … without gaps in its log.
    pub position: Position,
    /// Its stream.
    pub stream: StreamId,
    /// 1, 2, 3, … without gaps in its stream.
    pub version: StreamVersion,
    /// When the log recorded it; never earlier than the event before it.
    pub recorded_at: Timestamp,
    /// What was recorded, lifted to today's shape.
    pub data: EventData,
}

/// Consecutive events of the log, as far as the reader may see them.
#[derive(Debug)]
pub struct Stretch {
    /// In order of position. A reader without the right to a category does not see its events.
    pub events: Vec<Result<RecordedEvent, UnreadableRow>>,
    /// Everything up to and including this position has been considered.
    pub through: Position,
    /// When the event there was recorded, whoever may read it; nothing if nothing was read.
    pub recorded_at: Option<Timestamp>,
}

impl Stretch {
    /// All of its events, for a reader that needs every one.
    ///
    /// # Errors
    /// The first of them that cannot be understood.
    pub fn whole(self) -> Result<Vec<RecordedEvent>, StoreError> {
        let events = self.events.into_iter().collect::<Result<_, _>>();
        events.map_err(|row| StoreError::Unreadable(Arc::new(row)))
    }
}

/// A row of the log that cannot be understood. It stops whoever needs its type; nobody may take
/// it for absent.
#[derive(Debug, thiserror::Error)]
#[error("column {column} of eventlog.event at position {position} cannot be read")]
pub struct UnreadableRow {
    /// The position of the row in its log.
    pub position: Position,
    /// The stored kind of its stream.
    pub category: String,
    /// The stored type of its event.
    pub event_type: String,
    /// The column of `eventlog.event` that cannot be read.
    pub column: &'static str,
    /// What was wrong with its value.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// A fault of the store, as opposed to an [`Outcome`], which is an answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection could be had.
    #[error("getting a connection for {operation}")]
    Pool {
        /// The name of the statement or transaction.
        operation: &'static str,
        /// What the pool says: no free connection in time, or none could be made.
        source: deadpool_postgres::PoolError,
    },
    /// Postgres refused or went away. Whether a write happened is unknown; appending again is
    /// safe (L4).
    #[error("running {operation} in postgres")]
    Postgres {
        /// The name of the statement or transaction.
        operation: &'static str,
        /// What Postgres or the connection to it says.
        source: tokio_postgres::Error,
    },
    /// Postgres did not answer before the deadline; the connection was given up. Whether a write
    /// happened is unknown; appending again is safe (L4).
    #[error("{operation} took too long")]
    Overdue {
        /// The name of the statement or transaction.
        operation: &'static str,
    },
    /// A statement that answers with one row answered with another number of them.
    #[error("{operation} was answered with {count} rows")]
    Rows {
        /// The name of the statement or transaction.
        operation: &'static str,
        /// The number of rows that came, any but one.
        count: usize,
    },
    /// The task that ran a transaction died; its transaction was rolled back.
    #[error("{operation} was cut short")]
    Died {
        /// The name of the statement or transaction.
        operation: &'static str,
        /// Whether it panicked or was cancelled.
        source: tokio::task::JoinError,
    },
    /// A row cannot be understood. Nothing is skipped: the reader stops here.
    #[error(transparent)]
    Unreadable(Arc<UnreadableRow>),
    /// The log is not the one that was read: its end was lost to a failover or a restore. What is
    /// remembered of it has to be forgotten.
    #[error("{operation}: the log is not the one that was read before")]
    Replaced {
        /// The name of the statement or transaction.
        operation: &'static str,
    },
    /// A checkpoint says that events were applied which the log does not have.
    #[error("the checkpoint of {projection} stands at {position}, beyond the head of the log")]
    BeyondHead {
        /// The projection whose checkpoint it is.
        projection: &'static str,
        /// The position of the last event that it says was applied.
        position: Position,
    },
    /// What was asked can never be done.
    #[error("append refused: {0}")]
    Misuse(&'static str),
}

/// An append-only log of events in streams.
///
/// - **L1 Immutable.** No event is ever updated or deleted.
/// - **L2 Dense and in commit order.** Positions are 1, 2, 3, … without a gap, and a reader that
///   saw n has seen everything before n.
/// - **L3 Optimistic.** A stream's versions are 1, 2, 3, …; an append names the version it
///   expects. On conflict that append is refused with the actual version; the others in the
///   batch go in.
/// - **L4 Idempotent, by content.** The same event id in the same stream with the same content
///   again is `AlreadyRecorded`; with other content it is `Diverged`, never a silent drop. An
///   append that names an id twice is `Refused`.
/// - **L5 Durable.** When `append` returns, what it recorded is on disk.
/// - **L6 Guarded.** If a stream that an append guards has moved, nothing of it is recorded.
/// - **L7 Typed and versioned.** Every event has a type and a schema version, and its type says in
///   which category of streams it stands; an append that puts it elsewhere is `Refused`. Old shapes
///   are lifted on read, and what cannot be read is never left out: it stops whoever needs its type.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Records a batch; the answers are in the order of the batch. Appends are considered one
    /// after the other, so a later one sees what an earlier one did; one that is refused keeps no
    /// other from going in. Safe to repeat after an error. Runs to its end even if the returned
    /// future is dropped.
    ///
    /// # Errors
    /// A fault: whether anything was recorded is unknown.
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Outcome>, StoreError>;

    /// Records all of `appends` or, if one of them cannot be, none. Each promise holds for each of
    /// them as in [`append`](Self::append); none may write or guard a stream that an earlier one
    /// writes. Safe to repeat after an error. Runs to its end even if the returned future is dropped.
    ///
    /// # Errors
    /// A fault: whether everything or nothing was recorded is unknown.
    async fn append_together(&self, appends: Vec<Append>) -> Result<Together, StoreError>;

    /// All events of each stream, in order of version; the answers are in the order asked.
    ///
    /// # Errors
    /// A fault, or a row that cannot be understood.
    async fn read_streams(
        &self,
        streams: &[StreamId],
    ) -> Result<Vec<Vec<RecordedEvent>>, StoreError>;

    /// At most `limit` events after `position`, in order; those that cannot be understood stand
    /// among them as such.
    ///
    /// # Errors
    /// A fault.
    async fn read_after(&self, position: Position, limit: i64) -> Result<Stretch, StoreError>;

    /// The position of the newest event; the beginning in an empty log.
    ///
    /// # Errors
    /// A fault.
    async fn head(&self) -> Result<Position, StoreError>;

    /// When the events at these positions were recorded, whoever may read them; the answers are in
    /// the order asked, and there is none beyond the head. All are of one moment.
    ///
    /// # Errors
    /// A fault.
    async fn recorded_at(
        &self,
        positions: &[Position],
    ) -> Result<Vec<Option<Timestamp>>, StoreError>;
}

impl Append {
    /// The first of its events that belongs to another kind of stream than this one.
    pub(crate) fn foreign(&self) -> Option<&EventData> {
        let category = self.stream.category;
        let mut events = self.events.iter();
        events.find(|new| new.event.category() != category)
    }
}

impl EventData {
    /// SHA-256 over what the event says and where: everything that must be equal for a repeat to
    /// count as the same fact. Not over how it came to be told (cause, trace, principal), which
    /// may differ between two tries.
    #[must_use]
    pub fn content_hash(&self, stream: StreamId, payload: &str, sealed: Option<&str>) -> [u8; 32] {
        let (name, version) = self.event.type_and_version();
        let mut hash = digest::Context::new(&digest::SHA256);
        let mut part = |bytes: &[u8]| {
            hash.update(&(bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        part(stream.category.as_str().as_bytes());
        part(stream.id.as_bytes());
        part(self.id.0.as_bytes());
        part(name.as_bytes());
        part(&version.to_be_bytes());
        part(
            self.tenant
                .as_ref()
                .map_or(&[], |tenant| tenant.0.as_bytes()),
        );
        part(
            self.account
                .as_ref()
                .map_or(&[], |account| account.0.as_bytes()),
        );
        part(&self.occurred_at.micros().to_be_bytes());
        part(payload.as_bytes());
        part(sealed.unwrap_or_default().as_bytes());
        let mut content = [0; 32];
        content.copy_from_slice(hash.finish().as_ref());
        content
    }
}
