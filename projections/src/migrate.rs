//! Brings the tables of this crate's projections up to date.
//!
//! Runs after `eventstore::migrate`, which makes the roles. Must never touch `eventlog` or `orch`.

use tokio_postgres::Client;

const BOOTSTRAP: &str = include_str!("bootstrap.sql");
const HISTORY: &str = "dlr.migration";

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// A migration that did not work. What had been applied before it stays applied.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The schema could not be made.
    #[error("making the schema dlr")]
    Bootstrap(#[source] tokio_postgres::Error),
    /// A migration failed.
    #[error("migrating the schema dlr")]
    Migration(#[source] refinery::Error),
}

/// Makes what is missing and returns the names of the migrations applied now. The caller is a
/// superuser or a member of `tollbook_owner`.
///
/// # Errors
/// Something could not be made; each migration is applied whole or not at all.
pub async fn run(client: &mut Client) -> Result<Vec<String>, MigrateError> {
    bootstrap(client).await.map_err(MigrateError::Bootstrap)?;
    let mut runner = embedded::migrations::runner();
    runner.set_migration_table_name(HISTORY);
    let report = runner
        .run_async(client)
        .await
        .map_err(MigrateError::Migration)?;
    Ok(report
        .applied_migrations()
        .iter()
        .map(ToString::to_string)
        .collect())
}

async fn bootstrap(client: &mut Client) -> Result<(), tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(BOOTSTRAP).await?;
    transaction.commit().await
}
