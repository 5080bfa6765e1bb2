//! The start of a service while something it needs is away: it waits and tries again, and its
//! probes say so. What a person must mend ends it, with words about what that is.

use std::time::Duration;

use eventstore::{keyring::KeyringError, log::chain};

use crate::{config::ConfigError, database::DatabaseError, health::Dependency, nats::NatsError};

/// Why a service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// NATS is not there or not as it must be.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// Postgres is not there or not as it must be.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The keyring cannot be asked.
    #[error("checking the master keys")]
    Keyring(#[from] KeyringError),
}

impl StartError {
    /// Whether it is worth trying again, because a server is merely away.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Nats(error) => error.is_passing(),
            Self::Database(error) => error.is_passing(),
            Self::Keyring(KeyringError::Store(error)) => error.is_passing(),
            Self::Config(_) | Self::Keyring(_) => false,
        }
    }
}

/// The pause after the first failure; it doubles with each.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Tries until it succeeds, or fails for a reason that does not pass. `dependency` is told how it
/// goes.
///
/// # Errors
/// A failure that does not pass.
pub async fn until_there<T>(
    what: &str,
    dependency: &Dependency,
    attempt: impl AsyncFn() -> Result<T, StartError>,
) -> Result<T, StartError> {
    let mut pause = PAUSE_FIRST;
    loop {
        match attempt().await {
            Ok(there) => {
                dependency.good();
                return Ok(there);
            }
            Err(error) if error.is_passing() => {
                dependency.bad("not there yet");
                tracing::warn!(
                    event = "service.waiting",
                    for_what = what,
                    retry_in_ms = pause.as_millis(),
                    error = %chain(&error),
                );
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
            Err(error) => return Err(error),
        }
    }
}
