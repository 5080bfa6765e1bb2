//! Brings the database's roles and the log's tables up to date.

use tokio_postgres::Client;

const BOOTSTRAP: &str = include_str!("postgres/bootstrap.sql");

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// A migration that did not work. What had been applied before it stays applied.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The roles or the schema could not be made.
    #[error("making the roles and the schema (the first time this takes a superuser)")]
    Bootstrap(#[source] tokio_postgres::Error),
    /// A migration failed.
    #[error("applying a migration")]
    Migration(#[source] refinery::Error),
}

/// Makes what is missing and returns the names of the migrations applied now.
///
/// # Errors
/// Something could not be made; each migration is applied whole or not at all.
pub async fn run(client: &mut Client) -> Result<Vec<String>, MigrateError> {
    client
        .batch_execute(BOOTSTRAP)
        .await
        .map_err(MigrateError::Bootstrap)?;
    apply(client, "eventlog", embedded::migrations::runner()).await
}

/// Applies the migrations of `runner` to `schema`, whose table `migration` remembers them. All of
/// it is done as the role that owns every table, so that no login role owns anything.
///
/// # Errors
/// A migration failed, or the client's role may not become the owner.
pub async fn apply(
    client: &mut Client,
    schema: &str,
    mut runner: refinery::Runner,
) -> Result<Vec<String>, MigrateError> {
    let prepare = format!("set role tollbook_owner; create schema if not exists {schema}");
    client
        .batch_execute(&prepare)
        .await
        .map_err(MigrateError::Bootstrap)?;
    runner.set_migration_table_name(format!("{schema}.migration"));
    let report = runner
        .run_async(client)
        .await
        .map_err(MigrateError::Migration);
    client
        .batch_execute("reset role")
        .await
        .map_err(MigrateError::Bootstrap)?;
    Ok(report?
        .applied_migrations()
        .iter()
        .map(ToString::to_string)
        .collect())
}
