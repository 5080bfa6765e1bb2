//! What a projection is, and what can go wrong with one.

use std::{ops::Deref, sync::Arc};

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{
    LogId, RecordedEvent, StoreError, UnreadableRow, feed::SharedStretch, keyring::KeyringError,
    seal::OpenError,
};
use schema::{EventType, Position};
use tokio_postgres::error::SqlState;

use super::publishing::PublishError;

/// Events of a log that a projection is to take in, of the types it reads, in order of position.
/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The log they are from.
    pub log: LogId,
    events: Arc<[Arc<RecordedEvent>]>,
}

impl Batch {
    /// These events of `log`.
    #[must_use]
    pub fn new(log: LogId, events: Vec<Arc<RecordedEvent>>) -> Self {
        Self {
            log,
            events: events.into(),
        }
    }

    /// The first `length` events of `shared` that a reader of `types` takes, and the position up
    /// to which the log is then considered. Ends before a row that cannot be understood, if it may
    /// be of these types.
    ///
    /// # Errors
    /// There is nothing before that row.
    pub(crate) fn first_of(
        log: LogId,
        shared: &SharedStretch,
        types: &[EventType],
        length: usize,
    ) -> Result<(Self, Position), StoreError> {
        let mut events = Vec::new();
        let mut before = None;
        for (index, entry) in shared.events.iter().enumerate() {
            let position = match entry {
                Ok(event) if !types.contains(&event.data.event.event_type()) => continue,
                Ok(event) if events.len() < length => {
                    events.push(Arc::clone(event));
                    continue;
                }
                Err(row) if !may_be_of(types, row) => continue,
                Err(row) if index == 0 => return Err(StoreError::Unreadable(Arc::clone(row))),
                Ok(event) => event.position,
                Err(row) => row.position,
            };
            before = Some(position);
            break;
        }
        // Events for others count as considered, but only behind the last one taken.
        let through = before.map_or(shared.through, |position| position.plus(-1));
        Ok((Self::new(log, events), through))
    }
}

/// Whether a reader of `types` may need `row`. Who needs a type that nobody here knows cannot be
/// told; so it is needed by whoever reads its kind of streams.
fn may_be_of(types: &[EventType], row: &UnreadableRow) -> bool {
    match EventType::parse(&row.event_type) {
        Some(known) => types.contains(&known),
        None => types
            .iter()
            .any(|known| known.category().as_str() == row.category),
    }
}

impl Deref for Batch {
    type Target = [Arc<RecordedEvent>];

    fn deref(&self) -> &Self::Target {
        &self.events
    }
}

/// One way to see the log. The same batch again must have no further effect.
///
/// A later rebuild runs the same code into a second set of tables: an implementation keeps no
/// state of its own about the log, and each of its statements names its table once.
#[async_trait]
pub trait Projection: Send + Sync {
    /// Its name: of its checkpoint, in logs and in metrics. It must never change.
    fn name(&self) -> &'static str;

    /// The types of events it takes; its batches hold no others. An event of another type never
    /// stops it, even if nobody can read it.
    fn reads(&self) -> &'static [EventType];

    /// Whether its effect is messages, so that what it has not taken in waits to be published.
    fn publishes(&self) -> bool {
        false
    }

    /// Reads what is needed besides the events and makes ready what is to happen. No transaction
    /// is open, so it may take its time and its own connections.
    ///
    /// # Errors
    /// See [`ApplyError`].
    async fn prepare(&self, batch: &Batch) -> Result<Box<dyn Effect>, ApplyError>;
}

/// What a batch does to the world.
#[async_trait]
pub trait Effect: Send {
    /// Lets it happen. The checkpoint is advanced in the same transaction afterwards; if that
    /// does not come about, the same happens once more.
    ///
    /// # Errors
    /// See [`ApplyError`].
    async fn apply(&mut self, transaction: &Transaction<'_>) -> Result<(), ApplyError>;
}

/// A batch that has not been taken in. Nothing of it is in the tables.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The store or the table refused or went away.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keyring could not be asked.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// Not every message of the batch is known to be in its stream.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// A fact that this projection cannot understand.
    #[error("taking in the event at position {position}")]
    Unusable {
        /// The position of the event in the log.
        position: Position,
        /// What about it cannot be understood.
        source: Unusable,
    },
}

/// What can be wrong with a fact. Never shows its content.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// An event of a message that names no tenant or no account.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Sealed data that does not open under its own key.
    #[error("opening the sealed field {field}")]
    Sealed {
        /// The name of the field, of `Sealed`.
        field: &'static str,
        /// What the key said.
        source: OpenError,
    },
    /// Sealed data that is not of the shape it should have.
    #[error("the sealed field {0} has another shape")]
    Shape(&'static str),
    /// A message that its stream will never take.
    #[error("its message of {0} bytes is too large to publish")]
    TooLarge(usize),
}

impl ApplyError {
    /// Whether trying again is pointless, because a fact is what is wrong.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Store(error) | Self::Keyring(KeyringError::Store(error)) => store_refused(error),
            // The master key may be on its way; until then nothing is lost.
            Self::Keyring(_) | Self::Publish(_) => false,
            Self::Unusable { .. } => true,
        }
    }

    /// The position of the fact that is wrong, where the error knows it.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Unusable { position, .. } => Some(*position),
            Self::Store(StoreError::Unreadable(row)) => Some(row.position),
            _ => None,
        }
    }
}

/// Whether the store will refuse the same again: a row nobody can read, a value or a constraint
/// (classes 22 and 23), or a panic of ours. A missing table or grant (class 42) may yet be made.
fn store_refused(error: &StoreError) -> bool {
    match error {
        StoreError::Unreadable(_) => true,
        StoreError::Postgres { source, .. } => source.code().is_some_and(is_about_a_value),
        StoreError::Died { source, .. } => source.is_panic(),
        _ => false,
    }
}

fn is_about_a_value(state: &SqlState) -> bool {
    state.code().starts_with("22") || state.code().starts_with("23")
}

#[cfg(test)]
mod tests {
    use eventstore::keyring::Locked;

    use super::*;
    use crate::fixture;

    const ALL: usize = usize::MAX;
    const SETTLED: &[EventType] = &[EventType::MessageSettled];

    fn unreadable(position: i64, category: &str, event_type: &str) -> UnreadableRow {
        UnreadableRow {
            position: Position(position),
            category: category.to_owned(),
            event_type: event_type.to_owned(),
            column: "payload",
            source: "broken".into(),
        }
    }

    /// A stretch from position 1: names of types, or rows that cannot be read.
    fn stretch<const N: usize>(entries: [Result<&str, UnreadableRow>; N]) -> SharedStretch {
        let event = |(position, name): (i64, &str)| Arc::new(fixture::recorded((&name, position)));
        let entry = |(position, entry): (i64, Result<&str, _>)| match entry {
            Ok(name) => Ok(event((position, name))),
            Err(row) => Err(Arc::new(row)),
        };
        let events: Vec<_> = (1..).zip(entries).map(entry).collect();
        let through = Position(i64::try_from(events.len()).expect("few"));
        SharedStretch { events, through }
    }

    /// The positions taken, and how far the log is then considered.
    fn taken(
        shared: &SharedStretch,
        types: &[EventType],
        length: usize,
    ) -> Option<(Vec<i64>, i64)> {
        let (batch, through) = Batch::first_of(fixture::LOG, shared, types, length).ok()?;
        let positions = batch.iter().map(|event| event.position.0);
        Some((positions.collect(), through.0))
    }

    #[test]
    fn a_batch_holds_what_is_read_and_passes_over_the_rest() {
        let mixed = ["ReceiptOrphaned", "MessageSettled", "OrphanMatched"];
        let shared = stretch([mixed[0], mixed[1], mixed[2], mixed[1], mixed[0]].map(Ok));
        assert_eq!(taken(&shared, SETTLED, ALL), Some((vec![2, 4], 5)));
        assert_eq!(taken(&shared, SETTLED, 1), Some((vec![2], 3)));
        let none = &[EventType::PriceOpened];
        assert_eq!(taken(&shared, none, ALL), Some((vec![], 5)));
    }

    #[test]
    fn a_row_nobody_can_read_ends_the_batch_of_who_needs_its_type_and_of_nobody_else() {
        let orphans = &[EventType::ReceiptOrphaned];
        for (event_type, needed) in [
            ("MessageSettled", true),
            ("LateReceiptRecorded", false),
            ("NeverHeardOf", true),
        ] {
            let row = unreadable(2, "message", event_type);
            let shared = stretch([Ok("MessageSettled"), Err(row), Ok("MessageSettled")]);
            let expected = if needed {
                (vec![1], 1)
            } else {
                (vec![1, 3], 3)
            };
            assert_eq!(taken(&shared, SETTLED, ALL), Some(expected), "{event_type}");
            assert_eq!(taken(&shared, orphans, ALL), Some((vec![], 3)));
        }
    }

    #[test]
    fn a_row_nobody_can_read_is_an_error_for_who_has_nothing_before_it() {
        let row = unreadable(1, "message", "MessageSettled");
        let shared = stretch([Err(row), Ok("MessageSettled")]);
        let refused = Batch::first_of(fixture::LOG, &shared, SETTLED, ALL).err();
        let position = refused.and_then(|error| ApplyError::from(error).position());
        assert_eq!(position, Some(Position(1)));
    }

    #[test]
    fn only_a_fact_that_is_wrong_is_final() {
        let row = Arc::new(unreadable(7, "message", "MessageSettled"));
        let error = ApplyError::from(StoreError::Unreadable(row));
        assert_eq!(
            (error.is_final(), error.position()),
            (true, Some(Position(7)))
        );
        let missing = ApplyError::Unusable {
            position: Position(8),
            source: Unusable::Missing("its account"),
        };
        assert_eq!(
            (missing.is_final(), missing.position()),
            (true, Some(Position(8)))
        );
        let locked = Locked {
            key: 1,
            master_key: 1,
        };
        for passing in [
            ApplyError::Keyring(KeyringError::Locked(locked)),
            ApplyError::Publish(PublishError::Disconnected),
        ] {
            assert_eq!((passing.is_final(), passing.position()), (false, None));
        }
    }

    #[test]
    fn a_constraint_is_about_a_value_and_a_missing_table_is_not() {
        assert!(is_about_a_value(&SqlState::CHECK_VIOLATION));
        assert!(is_about_a_value(&SqlState::STRING_DATA_RIGHT_TRUNCATION));
        assert!(!is_about_a_value(&SqlState::UNDEFINED_TABLE));
        assert!(!is_about_a_value(&SqlState::ADMIN_SHUTDOWN));
    }
}
