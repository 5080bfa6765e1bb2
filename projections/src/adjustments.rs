//! Adjustments: what accounts pay more or less than they were charged.

#[expect(
    clippy::module_inception,
    reason = "a table's module is called like the table"
)]
pub mod adjustments;

use std::sync::Arc;

use schema::{AccountId, AdjustmentId, Currency, TenantId};
use uuid::Uuid;

use crate::{Page, Projection, ReadError, Reader};
use adjustments::{ApprovedFilter, Filter};

/// All of them.
pub(crate) fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(adjustments::Adjustments)]
}

/// Asks the table what the edge asks it, about nobody.
pub(crate) async fn probe(reader: &Reader) -> Result<(), ReadError> {
    let (tenant, account) = (TenantId(Uuid::nil()), AccountId(Uuid::nil()));
    adjustments::one(reader, AdjustmentId(Uuid::nil())).await?;
    adjustments::list(reader, Filter::default(), Page::ONE).await?;
    let approved = ApprovedFilter {
        account,
        from: None,
        to: None,
    };
    adjustments::approved(reader, tenant, approved, Page::ONE).await?;
    if let Some(currency) = Currency::parse("EUR") {
        adjustments::paid_in(reader, tenant, account, currency).await?;
    }
    Ok(())
}
