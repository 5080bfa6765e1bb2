//! How far a projection has come.
//!
//! A projector takes its checkpoint, applies what follows and advances it, all in one
//! transaction. Taking it locks its row until that transaction ends; while another node holds it
//! there is nothing to take. There is no lease to renew: a dead node's lock dies with it.

use deadpool_postgres::Transaction;
use schema::Position;
use tokio_postgres::types::ToSql;

use super::Statement;
use crate::{LogId, StoreError, feed::Mark};

const TAKE: Statement = Statement::new(include_str!("checkpoint/take.sql"));
const ADVANCE: Statement = Statement::new(include_str!("checkpoint/advance.sql"));

/// Takes the checkpoint of `projection` for the rest of the transaction and says where it
/// stands, or `None` if another node holds it. A projection seen for the first time stands at the
/// beginning.
///
/// # Errors
/// A fault of Postgres.
pub async fn take(
    transaction: &Transaction<'_>,
    log: LogId,
    projection: &str,
) -> Result<Option<Position>, StoreError> {
    let row = TAKE.query_one(transaction, &[&log.0, &projection]).await?;
    Ok(row.get::<_, Option<i64>>(0).map(Position))
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
    from: Position,
    to: Position,
    seen: Mark,
) -> Result<(), StoreError> {
    let recorded_at = seen.recorded_at.datetime();
    let parameters: [&(dyn ToSql + Sync); 6] = [
        &log.0,
        &projection,
        &from.0,
        &to.0,
        &seen.position.0,
        &recorded_at,
    ];
    ADVANCE.execute(transaction, &parameters).await
}
