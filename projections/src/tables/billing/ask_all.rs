//! Whether the tables can be asked at all, now: a column, a table or a right may have gone.

use schema::{AccountId, TenantId};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{Page, accounts, held_charges, operator_costs, pricing_tables, usage};
use crate::{ReadError, Reader, Scope};

/// At most one row of each list.
const ONE: Page = Page {
    after: None,
    limit: 1,
};

/// Asks each table what the edge asks it, about nobody.
///
/// # Errors
/// A question cannot be answered.
pub async fn ask_all(reader: &Reader) -> Result<(), ReadError> {
    let (tenant, account) = (TenantId(Uuid::nil()), AccountId(Uuid::nil()));
    let day: Date = OffsetDateTime::UNIX_EPOCH.date();
    accounts::find(reader, account).await?;
    pricing_tables::list(reader, pricing_tables::PriceFilter::default(), ONE).await?;
    operator_costs::list(reader, operator_costs::CostFilter::default(), ONE).await?;
    let held = held_charges::HeldFilter::default();
    held_charges::list(reader, Scope::EveryTenant, held, ONE).await?;
    let of = usage::UsageOf {
        tenant,
        account,
        from: day,
        to: day,
        granularity: usage::Granularity::Day,
        operator: None,
    };
    usage::usage(reader, Scope::Tenant(tenant), of).await?;
    Ok(())
}
