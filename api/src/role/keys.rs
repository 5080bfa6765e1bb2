//! `tollbook keys`: looks after the keys of personal data. Jobs of the role `tollbook_admin`; services
//! go on meanwhile.

use eventstore::{
    keyring::{KeyringError, MasterKeyFile},
    log::chain,
    postgres::{Database, PgKeyring, RewrapError, Rewrapped, expire_keys_of_days},
};

use super::{RoleError, say};
use crate::{
    cli::{ExpireSettings, KeysCommand, RewrapSettings},
    config::ConfigError,
    database,
    settings::{DatabaseSettings, MasterKeySettings},
};

/// The role of Postgres that does such jobs.
pub(super) const JOBS: &str = "tollbook_admin";

/// Does what `command` says, once, and says what was done.
///
/// # Errors
/// Something needed is not there, or it could not be done.
pub async fn run(command: &KeysCommand) -> Result<(), RoleError> {
    match command {
        KeysCommand::Rewrap(settings) => rewrap(settings).await,
        KeysCommand::Expire(settings) => expire(settings).await,
    }
}

/// Puts every data key under the newest version of the master key.
async fn rewrap(settings: &RewrapSettings) -> Result<(), RoleError> {
    let file = master_keys(&settings.master_key)?;
    let database = connect(&settings.database, "tollbook-keys-rewrap")?;
    database::check_job(&database, JOBS).await?;
    let done = match PgKeyring::new(database, file).rewrap().await {
        Err(error @ RewrapError::Missing(_)) => return Err(wrong_file(&error)),
        Err(RewrapError::Keyring(
            error @ (KeyringError::OtherMasterKey { .. }
            | KeyringError::OtherVersion { .. }
            | KeyringError::Master(_)),
        )) => return Err(wrong_file(&error)),
        done => done?,
    };
    tell(&done);
    match done.locked.len() {
        0 => Ok(()),
        locked => Err(RoleError::StayedLocked(locked)),
    }
}

fn tell(done: &Rewrapped) {
    let version = done.version;
    say(format_args!(
        "{} data keys put under version {version} of the master key",
        done.data_keys
    ));
    for locked in &done.locked {
        say(locked);
    }
    for version in &done.unused {
        say(format_args!(
            "version {version} is not used by any data key; it may be taken out of the file"
        ));
    }
    for (version, until) in &done.awaited {
        say(format_args!(
            "version {version} is not used by any data key; keep it until {until}, for it knows \
             erased tenants again"
        ));
    }
    for (version, data_keys) in &done.in_use {
        say(format_args!(
            "version {version} is still used by {data_keys} data keys"
        ));
    }
}

/// Destroys the keys of orphans of long ago.
async fn expire(settings: &ExpireSettings) -> Result<(), RoleError> {
    let (keep, window) = (settings.dlr_orphan_keep, settings.dlr_match_window);
    let age = settings.dlr_orphan_key_age;
    if age < keep.saturating_add(window) {
        let problem = "must be at least DLR_ORPHAN_KEEP and DLR_MATCH_WINDOW together: until then \
            orphans are matched, with what they say of people";
        return Err(ConfigError::value("DLR_ORPHAN_KEY_AGE", problem).into());
    }
    let database = connect(&settings.database, "tollbook-keys-expire")?;
    database::check_job(&database, JOBS).await?;
    let expired = expire_keys_of_days(&database, age).await;
    let expired = expired.map_err(database::DatabaseError::from)?;
    say(format_args!(
        "{} data keys of days destroyed",
        expired.data_keys
    ));
    if let (Some(first), Some(last)) = (expired.days.first(), expired.days.last()) {
        say(format_args!(
            "what orphans from {first} to {last} say of people can no longer be read"
        ));
    }
    Ok(())
}

/// The database of a job, with nothing asked of it yet.
pub(super) fn connect(
    settings: &DatabaseSettings,
    application: &str,
) -> Result<Database, ConfigError> {
    Database::new(settings.options(application)?)
        .map_err(|error| ConfigError::value("DATABASE_URL", chain(&error)))
}

/// The file with the master keys, which can be used now.
pub(super) fn master_keys(settings: &MasterKeySettings) -> Result<MasterKeyFile, RoleError> {
    MasterKeyFile::new(settings.path()?).map_err(|error| wrong_file(&error))
}

fn wrong_file(error: &(dyn std::error::Error + 'static)) -> RoleError {
    ConfigError::value("MASTER_KEY_FILE", chain(error)).into()
}
