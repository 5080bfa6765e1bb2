//! What billing has heard, and what it could not rate yet.

use schema::{AccountId, MessageId, OperatorId, Status, TenantId, Timestamp};
use tokio_postgres::Client;

use crate::{
    traffic::agreement::{self, Settled},
    world::Fault,
};

/// What billing heard first of every settled message.
///
/// # Errors
/// The log cannot be read.
pub async fn settled(database: &Client) -> Result<Vec<Settled>, Fault> {
    let rows = database.query(include_str!("settled.sql"), &[]).await?;
    let settled = rows.iter().map(|row| {
        Ok(Settled {
            message: MessageId(row.get(0)),
            tenant: TenantId(row.get(1)),
            account: AccountId(row.get(2)),
            operator: OperatorId(row.get(3)),
            segments: row.get(4),
            status: Status::parse(row.get(5)).ok_or("an unknown status")?,
            charged_at: Timestamp::from_datetime(row.get(6)),
            received_at: Timestamp::from_datetime(row.get(7)),
            tier: agreement::word(row.get(8)),
            currency: agreement::word(row.get(9)),
        })
    });
    settled.collect()
}

/// How many charges wait.
///
/// # Errors
/// The table cannot be read.
pub async fn waiting(database: &Client) -> Result<usize, Fault> {
    let row = database.query_one(include_str!("waiting.sql"), &[]).await?;
    Ok(usize::try_from(row.get::<_, i64>(0))?)
}
