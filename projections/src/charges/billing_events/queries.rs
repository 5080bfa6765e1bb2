//! What is asked of `billing.billing_events`.

use eventstore::postgres::Statement;
use schema::{Period, PriceKey, TenantId, Timestamp, event::AccountFacts};

use crate::{
    ReadError, Reader, Scope,
    read::{Cells, Parameters},
};

/// Of each of these prices of tenants' own, whether a charge that it would be for, and that was rated
/// for an instant of its period, used the platform's price. A price of the tenant's own for that time
/// would have to re-price it; the platform's comes before none.
///
/// # Errors
/// See [`ReadError`].
pub async fn charged_by_the_platform(
    reader: &Reader,
    own: &[(PriceKey<TenantId>, Period)],
) -> Result<Vec<bool>, ReadError> {
    const BY_THE_PLATFORM: Statement = Statement::new(include_str!("by_the_platform.sql"));
    fn column<T>(
        own: &[(PriceKey<TenantId>, Period)],
        of: impl Fn(&PriceKey<TenantId>, &Period) -> T,
    ) -> Vec<T> {
        own.iter().map(|(key, period)| of(key, period)).collect()
    }
    let ends = |period: &Period| period.effective_to.map(Timestamp::datetime);
    let parameters: Parameters = vec![
        Box::new(column(own, |key, _| key.tenant.map(|tenant| tenant.0))),
        Box::new(column(own, |key, _| key.account_tier.as_str())),
        Box::new(column(own, |key, _| key.operator_id.0)),
        Box::new(column(own, |key, _| key.direction.as_str())),
        Box::new(column(own, |key, _| key.currency.to_string())),
        Box::new(column(own, |_, period| period.effective_from.datetime())),
        Box::new(column(own, |_, period| ends(period))),
    ];
    let rows = reader.rows(BY_THE_PLATFORM, Scope::EveryTenant, parameters);
    let rows = rows.await?;
    let charged = |row| Cells::new("billing.billing_events", row, "exists").get("charged");
    rows.iter().map(charged).collect()
}

/// Whether this tenant was charged on the account, for an instant of `period`, by another tier or in
/// another currency than these.
///
/// # Errors
/// See [`ReadError`].
pub async fn charged_otherwise(
    reader: &Reader,
    tenant: TenantId,
    account: &AccountFacts,
    period: Period,
) -> Result<bool, ReadError> {
    const OTHERWISE: Statement = Statement::new(include_str!("otherwise.sql"));
    let parameters: Parameters = vec![
        Box::new(tenant.0),
        Box::new(account.account_id.0),
        Box::new(period.effective_from.datetime()),
        Box::new(period.effective_to.map(Timestamp::datetime)),
        Box::new(account.account_tier.as_str()),
        Box::new(account.currency.to_string()),
    ];
    let rows = reader.rows(OTHERWISE, Scope::Tenant(tenant), parameters);
    let rows = rows.await?;
    let row = rows.first();
    // Unwrap safety: a bare `select exists` answers with one row.
    let row = row.expect("one row");
    Cells::new("billing.billing_events", row, "exists").get("charged")
}
