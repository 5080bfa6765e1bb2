//! The projections whose effect is rows in tables.
//!
//! Every statement stands in its own file and takes a whole batch as arrays.

pub mod billing;
pub mod delivery_receipts;
pub mod orphaned_receipts;
pub mod sms_messages;

use deadpool_postgres::Transaction;
use eventstore::log::postgres_error;
use tokio_postgres::types::ToSql;

use crate::ApplyError;

/// What a whole batch is written with.
///
/// Commits are not waited for: rows and checkpoint are lost together or not at all, and what is
/// lost is applied again from the log. Batches are arrays whose length the planner does not know;
/// these settings leave it only the plan that is right for every size of table, an index lookup
/// per row in the order of the array, whatever the statistics say.
pub(crate) const SETTINGS: &str = include_str!("tables/settings.sql");

/// Runs one statement.
async fn execute(
    transaction: &Transaction<'_>,
    operation: &'static str,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<(), ApplyError> {
    let failed = postgres_error(operation);
    let statement = transaction.prepare_cached(sql).await.map_err(failed)?;
    transaction
        .execute(&statement, parameters)
        .await
        .map_err(failed)?;
    Ok(())
}
