//! How far a projection has come.
//!
//! A projector takes its checkpoint, applies what follows and advances it, all in one
//! transaction. Taking it locks its row until that transaction ends; while another node holds it
//! there is nothing to take. There is no lease to renew: a dead node's lock dies with it.

use deadpool_postgres::Transaction;

use crate::{LogId, StoreError, feed::Mark, log::postgres_error};

/// Takes the checkpoint of `projection` for the rest of the transaction and says where it
/// stands, or `None` if another node holds it. A projection seen for the first time stands at 0.
///
/// # Errors
/// A fault of Postgres.
pub async fn take(
    transaction: &Transaction<'_>,
    log: LogId,
    projection: &str,
) -> Result<Option<i64>, StoreError> {
    const SQL: &str = "select eventlog.take_checkpoint($1, $2)";
    let failed = postgres_error("taking a checkpoint");
    let statement = transaction.prepare_cached(SQL).await.map_err(failed)?;
    let row = transaction
        .query_one(&statement, &[&log.0, &projection])
        .await
        .map_err(failed)?;
    Ok(row.get(0))
}

/// Moves the checkpoint of `projection` from `from` to `to`. Only valid in the transaction that
/// took it; an advance from another position than the stored one is refused by Postgres. So is one
/// beyond `seen`, and any if `seen` does not stand in the log: then what was read is another log's.
///
/// # Errors
/// [`StoreError::Replaced`], or a fault of Postgres.
pub async fn advance(
    transaction: &Transaction<'_>,
    log: LogId,
    projection: &str,
    from: i64,
    to: i64,
    seen: Mark,
) -> Result<(), StoreError> {
    const SQL: &str = "select eventlog.advance_checkpoint($1, $2, $3, $4, $5, $6)";
    let failed = postgres_error("advancing a checkpoint");
    let statement = transaction.prepare_cached(SQL).await.map_err(failed)?;
    transaction
        .execute(
            &statement,
            &[
                &log.0,
                &projection,
                &from,
                &to,
                &seen.position,
                &seen.recorded_at.datetime(),
            ],
        )
        .await
        .map_err(failed)?;
    Ok(())
}
