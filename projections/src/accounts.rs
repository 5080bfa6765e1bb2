//! Accounts: whose one is, and what it is over time.

pub mod account_versions;
#[expect(
    clippy::module_inception,
    reason = "a table's module is called like the table"
)]
pub mod accounts;

use std::sync::Arc;

use schema::{AccountId, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use self::account_versions::AccountFilter;
use crate::{Page, Projection, ReadError, Reader};

/// All of them.
pub(crate) fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(accounts::Accounts)]
}

/// Asks the tables what the edge asks them, about nobody.
pub(crate) async fn probe(reader: &Reader) -> Result<(), ReadError> {
    let at = Timestamp::from_datetime(OffsetDateTime::UNIX_EPOCH);
    accounts::owner(reader, AccountId(Uuid::nil())).await?;
    account_versions::in_effect(reader, AccountId(Uuid::nil()), at).await?;
    account_versions::list(reader, AccountFilter::default(), at, Page::ONE).await?;
    Ok(())
}
