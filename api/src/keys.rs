//! The keys of personal data: whether the master key file is the right one, which data keys do not
//! open, which are gone.
//!
//! A wrong master key must never wrap anything: what it wraps no other process could open.

use std::{convert::Infallible, sync::Arc, time::Duration};

use eventstore::{
    keyring::{KeyringError, MasterKeyFile},
    log::chain,
    postgres::{PgKeyring, TellLocked},
};
use prometheus_client::{metrics::gauge::Gauge, registry::Registry};
use tokio::sync::watch;

use crate::{config::ConfigError, start::StartError};

/// How often destroyed keys are looked for, and locked ones tried again.
const WATCH: Duration = Duration::from_secs(2);

/// Shows how many data keys are known not to open.
pub fn locked_gauge(registry: &mut Registry) -> TellLocked {
    let gauge = Gauge::<i64>::default();
    let help = "data keys that do not open under the master keys at hand";
    registry.register("keyring_locked_keys", help, gauge.clone());
    Arc::new(move |locked| {
        gauge.set(i64::try_from(locked).unwrap_or(i64::MAX));
    })
}

/// Makes sure that the master key file means what this database was used with, and tells what is
/// doubtful about it.
///
/// # Errors
/// A version means another key: a mistake in the configuration. Or a fault.
pub async fn check(file: &MasterKeyFile, keyring: &PgKeyring) -> Result<(), StartError> {
    match file.open_to_others() {
        Ok(Some(mode)) => tracing::warn!(
            event = "keyring.file_open_to_others",
            mode = format!("{mode:o}"),
            "everybody on this machine may read or write the master key file"
        ),
        Ok(None) => {}
        Err(error) => return Err(wrong(&error).into()),
    }
    let missing = keyring.check().await.map_err(|error| match error {
        KeyringError::OtherMasterKey { .. } => StartError::from(wrong(&error)),
        KeyringError::Master(error) => wrong(&error).into(),
        other => StartError::Keyring(other),
    })?;
    for missing in missing {
        tracing::error!(
            event = "keyring.version_missing",
            version = missing.version,
            dataKeys = missing.data_keys,
            "the master key file lacks a version in use; what those data keys seal waits"
        );
    }
    Ok(())
}

fn wrong(error: &(dyn std::error::Error + 'static)) -> ConfigError {
    ConfigError::value("MASTER_KEY_FILE", chain(error))
}

/// Forgets what is destroyed and tries again what did not open, for ever. Where the log turns out
/// to be another `incarnation`, keys may be gone with its end, so all are forgotten.
pub async fn watch(keyring: &PgKeyring, mut incarnation: watch::Receiver<u64>) -> Infallible {
    let mut ticks = tokio::time::interval(WATCH);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            Ok(()) = incarnation.changed() => keyring.forget(),
        }
        if let Err(error) = keyring.look_again().await {
            tracing::warn!(event = "keyring.not_looked_at", error = chain(&error));
        }
    }
}
