//! What is asked of `billing.billing_events`.

use eventstore::postgres::Statement;
use schema::{Period, PriceKey, TenantId};

use crate::{ReadError, Reader, Scope, read::Cells};

/// Whether a charge that `own` would be for, and that was rated for an instant of `period`, used the
/// platform's price. A price of the tenant's own for that time would have to re-price it; the
/// platform's comes before none.
///
/// # Errors
/// See [`ReadError`].
pub async fn charged_by_the_platform(
    reader: &Reader,
    own: PriceKey<TenantId>,
    period: Period,
) -> Result<bool, ReadError> {
    const BY_THE_PLATFORM: Statement = Statement::new(include_str!("by_the_platform.sql"));
    let Some(tenant) = own.tenant else {
        return Ok(false);
    };
    let rows = reader
        .rows(
            BY_THE_PLATFORM,
            Scope::Tenant(tenant),
            vec![
                Box::new(tenant.0),
                Box::new(own.account_tier.as_str()),
                Box::new(own.operator_id.0),
                Box::new(own.direction.as_str()),
                Box::new(own.currency.to_string()),
                Box::new(period.effective_from.datetime()),
                Box::new(period.effective_to.map(schema::Timestamp::datetime)),
            ],
        )
        .await?;
    let row = rows.first();
    // Unwrap safety: a bare `select exists` answers with one row.
    let row = row.expect("one row");
    Cells::new("billing.billing_events", row, "exists").get("charged")
}
