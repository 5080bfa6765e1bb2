//! What is asked of `billing.billing_events`.

use eventstore::postgres::Statement;
use schema::{AccountTier, Currency, Direction, OperatorId, Period, TenantId};

use crate::{ReadError, Reader, Scope, read::Cells};

/// What the charges have in common that one price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChargesOfKey {
    /// The tenant whose accounts were charged.
    pub tenant: TenantId,
    /// Of this tier.
    pub account_tier: AccountTier,
    /// For messages through this carrier.
    pub operator_id: OperatorId,
    /// Going this way.
    pub direction: Direction,
    /// In this currency.
    pub currency: Currency,
}

/// Whether a charge of `key` that was rated for an instant of `period` used the platform's price.
/// A price of the tenant's own for that time would have to re-price it.
///
/// # Errors
/// See [`ReadError`].
pub async fn charged_by_the_platform(
    reader: &Reader,
    key: ChargesOfKey,
    period: Period,
) -> Result<bool, ReadError> {
    const BY_THE_PLATFORM: Statement = Statement::new(include_str!("by_the_platform.sql"));
    let rows = reader
        .rows(
            BY_THE_PLATFORM,
            Scope::Tenant(key.tenant),
            vec![
                Box::new(key.tenant.0),
                Box::new(key.account_tier.as_str()),
                Box::new(key.operator_id.0),
                Box::new(key.direction.as_str()),
                Box::new(key.currency.to_string()),
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
