//! How a projection writes rows.
//!
//! Every statement stands in its own file and takes a whole batch as arrays.

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
pub(crate) const SETTINGS: &str = include_str!("statement/settings.sql");

/// Runs one statement.
pub(crate) async fn execute(
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
