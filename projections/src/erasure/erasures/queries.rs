//! What whoever erases asks.

use eventstore::{
    LogId, StoreError,
    postgres::{Database, Statement},
};
use schema::{Pseudonym, TenantId};

const PENDING: Statement = Statement::new(include_str!("pending.sql"));

/// A tenant that is to be erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    /// What the log calls it.
    pub pseudonym: Pseudonym,
    /// Who it is, unless that is forgotten already.
    pub tenant: Option<TenantId>,
}

/// Everybody who is to be erased and is not, in the order in which it was asked for.
///
/// # Errors
/// A fault of Postgres.
pub async fn pending(database: &Database, log: LogId) -> Result<Vec<Pending>, StoreError> {
    let rows = database.query(PENDING, &[&log.0]).await?;
    let pending = rows.iter().map(|row| Pending {
        pseudonym: Pseudonym(row.get(0)),
        tenant: row.get::<_, Option<_>>(1).map(TenantId),
    });
    Ok(pending.collect())
}
