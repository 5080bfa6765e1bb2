//! `tollbook migrate`: brings the database up to date.

use eventstore::{log::chain, postgres::Database};

use super::{RoleError, say};
use crate::{cli::MigrateSettings, config::ConfigError, database::DatabaseError};

/// Applies what is missing, the log first, and says what was applied.
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
    let log = eventstore::migrate::run(&mut client)
        .await
        .map_err(RoleError::MigrateLog)?;
    for name in &log {
        say(format_args!("applied   log: {name}"));
    }
    let projections = projections::migrate::run(&mut client)
        .await
        .map_err(RoleError::MigrateProjections)?;
    for name in &projections {
        say(format_args!("applied   projections: {name}"));
    }
    if log.is_empty() && projections.is_empty() {
        say("unchanged everything was applied before");
    }
    Ok(())
}
