//! Accounts: whose one is, and what it pays by.

#[expect(
    clippy::module_inception,
    reason = "a table's module is called like the table"
)]
pub mod accounts;

use std::sync::Arc;

use schema::AccountId;
use uuid::Uuid;

use crate::{Projection, ReadError, Reader};

/// All of them.
pub(crate) fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(accounts::Accounts)]
}

/// Asks the table what the edge asks it, about nobody.
pub(crate) async fn probe(reader: &Reader) -> Result<(), ReadError> {
    accounts::find(reader, AccountId(Uuid::nil())).await?;
    Ok(())
}
