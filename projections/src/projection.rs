//! What a projection is, and what can go wrong with one.

use std::{ops::Deref, sync::Arc};

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{LogId, RecordedEvent, StoreError, keyring::KeyringError, seal::OpenError};
use tokio_postgres::error::SqlState;

use crate::publishers::PublishError;

/// Consecutive events of a log that a projection is to take in; cheap to clone.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The log they are from.
    pub log: LogId,
    events: Arc<[RecordedEvent]>,
    length: usize,
}

impl Batch {
    /// The first `length` of `events`, or all if there are not that many.
    #[must_use]
    pub fn new(log: LogId, events: Arc<[RecordedEvent]>, length: usize) -> Self {
        let length = length.min(events.len());
        Self {
            log,
            events,
            length,
        }
    }
}

impl Deref for Batch {
    type Target = [RecordedEvent];

    fn deref(&self) -> &[RecordedEvent] {
        &self.events[..self.length]
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
        /// Where it is.
        position: i64,
        /// What is wrong with it.
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
        /// Which field.
        field: &'static str,
        /// Why not.
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
    pub const fn position(&self) -> Option<i64> {
        match self {
            Self::Unusable { position, .. }
            | Self::Store(StoreError::Unreadable { position, .. }) => Some(*position),
            _ => None,
        }
    }
}

/// Whether the store will refuse the same again: a row nobody can read, a value or a constraint
/// (classes 22 and 23), or a panic of ours. A missing table or grant (class 42) may yet be made.
fn store_refused(error: &StoreError) -> bool {
    match error {
        StoreError::Unreadable { .. } => true,
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

    #[test]
    fn only_a_fact_that_is_wrong_is_final() {
        let unreadable = StoreError::Unreadable {
            column: "payload",
            position: 7,
            source: "broken".into(),
        };
        let error = ApplyError::from(unreadable);
        assert_eq!((error.is_final(), error.position()), (true, Some(7)));
        let missing = ApplyError::Unusable {
            position: 8,
            source: Unusable::Missing("its account"),
        };
        assert_eq!((missing.is_final(), missing.position()), (true, Some(8)));
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
