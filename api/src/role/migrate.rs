//! `tollbook migrate`: brings the database up to date.

use eventstore::{log::chain, migrate::Done, postgres::Database};

use super::{RoleError, say};
use crate::{cli::MigrateSettings, config::ConfigError, database::DatabaseError};

/// Applies what is missing, the log first, and says what was done.
///
/// # Errors
/// The database cannot be reached, or a migration failed; those before it stay applied.
pub async fn run(settings: &MigrateSettings) -> Result<(), RoleError> {
    let options = settings.database.options("tollbook-migrate")?;
    let database = Database::new(options)
        .map_err(|error| ConfigError::value("DATABASE_URL", chain(&error)))?;
    let mut client = database
        .unhurried("migrate")
        .await
        .map_err(DatabaseError::from)?;
    let schemas = projections::migrate::schemas();
    let done = eventstore::migrate::run(&mut client, schemas).await;
    let Done {
        applied,
        granted,
        revoked,
    } = done.map_err(RoleError::Migrate)?;
    for name in &applied {
        say(format_args!("applied   {name}"));
    }
    // They were given past the declaration; somebody may want to know.
    for statement in &revoked {
        say(format_args!("taken     {statement}"));
    }
    if !granted.is_empty() {
        say(format_args!("granted   {} declared rights", granted.len()));
    }
    if applied.is_empty() && granted.is_empty() && revoked.is_empty() {
        say("unchanged everything was applied before");
    }
    Ok(())
}
