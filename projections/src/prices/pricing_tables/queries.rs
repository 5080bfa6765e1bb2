//! What is asked of `billing.pricing_tables`. Only the platform's own people ask, so every
//! question is asked for all tenants.

use std::collections::BTreeSet;

use eventstore::postgres::Statement;
use schema::{
    AccountTier, Currency, Direction, OperatorId, Period, PricingModel, PricingTableId, Status,
    TenantId, Timestamp, event::PriceTerms,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    Page, ReadError, Reader, Scope,
    read::{Cells, Parameters},
};

/// A version of a price as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceVersion {
    /// Which.
    pub pricing_table_id: PricingTableId,
    /// Whose own price it is; `None` for the platform's list.
    pub tenant: Option<TenantId>,
    /// For accounts of this tier.
    pub account_tier: AccountTier,
    /// For messages through this carrier.
    pub operator_id: OperatorId,
    /// Going this way.
    pub direction: Direction,
    /// For accounts that pay in this currency.
    pub currency: Currency,
    /// What is paid.
    pub terms: PriceTerms,
    /// When it is in effect.
    pub period: Period,
    /// Who opened it.
    pub created_by: String,
    /// When that was recorded.
    pub created_at: Timestamp,
    /// Who moved its end last, if anybody did.
    pub closed_by: Option<String>,
    /// Where in the log it was opened; its place in lists.
    pub position: i64,
    /// Where in the log it was opened or closed last.
    pub changed_position: i64,
    /// The request that opened it.
    pub request: Uuid,
}

/// Which versions; a field that is not given leaves nothing out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PriceFilter {
    /// `Some(None)`: only the platform's. `Some(tenant)`: only this tenant's own.
    pub of: Option<Option<TenantId>>,
    /// For this tier.
    pub account_tier: Option<AccountTier>,
    /// For this carrier.
    pub operator_id: Option<OperatorId>,
    /// For this direction.
    pub direction: Option<Direction>,
    /// For this currency.
    pub currency: Option<Currency>,
    /// In effect at this time.
    pub active_at: Option<Timestamp>,
}

/// The versions that `filter` leaves, in the order they were opened. With a whole key in the
/// filter and [`Page::WHOLE`]: the key's history.
///
/// # Errors
/// See [`ReadError`].
pub async fn list(
    reader: &Reader,
    filter: PriceFilter,
    page: Page,
) -> Result<Vec<PriceVersion>, ReadError> {
    const LIST: Statement = Statement::new(include_str!("list.sql"));
    let parameters: Parameters = vec![
        Box::new(reader.log().0),
        Box::new(page.after.unwrap_or(0)),
        Box::new(page.limit),
        Box::new(filter.of.flatten().map(|tenant| tenant.0)),
        Box::new(filter.of == Some(None)),
        Box::new(filter.account_tier.map(AccountTier::as_str)),
        Box::new(filter.operator_id.map(|operator| operator.0)),
        Box::new(filter.direction.map(Direction::as_str)),
        Box::new(filter.currency.map(|currency| currency.to_string())),
        Box::new(filter.active_at.map(Timestamp::datetime)),
    ];
    versions(reader, LIST, parameters).await
}

/// One version.
///
/// # Errors
/// See [`ReadError`].
pub async fn one(
    reader: &Reader,
    version: PricingTableId,
) -> Result<Option<PriceVersion>, ReadError> {
    const ONE: Statement = Statement::new(include_str!("one.sql"));
    let found = versions(reader, ONE, vec![Box::new(version.0)]).await?;
    Ok(found.into_iter().next())
}

/// The first version that `request` opened.
///
/// # Errors
/// See [`ReadError`].
pub async fn by_request(reader: &Reader, request: Uuid) -> Result<Option<PriceVersion>, ReadError> {
    const BY_REQUEST: Statement = Statement::new(include_str!("by_request.sql"));
    let found = versions(reader, BY_REQUEST, vec![Box::new(request)]).await?;
    Ok(found.into_iter().next())
}

async fn versions(
    reader: &Reader,
    statement: Statement,
    parameters: Parameters,
) -> Result<Vec<PriceVersion>, ReadError> {
    let rows = reader
        .rows(statement, Scope::EveryTenant, parameters)
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<PriceVersion, ReadError> {
    const TABLE: &str = "billing.pricing_tables";
    let id: Uuid = Cells::new(TABLE, row, "?").get("pricing_table_id")?;
    let cells = Cells::new(TABLE, row, id);
    let statuses: Vec<&str> = cells.get("billable_statuses")?;
    let statuses: Option<BTreeSet<Status>> = statuses.into_iter().map(Status::parse).collect();
    let tenant: Option<Uuid> = cells.get("tenant_id")?;
    Ok(PriceVersion {
        pricing_table_id: PricingTableId(id),
        tenant: tenant.map(TenantId),
        account_tier: cells.word("account_tier", AccountTier::parse)?,
        operator_id: OperatorId(cells.get("operator_id")?),
        direction: cells.word("direction", Direction::parse)?,
        currency: cells.currency("currency")?,
        terms: PriceTerms {
            pricing_model: cells.word("pricing_model", PricingModel::parse)?,
            unit_price: cells.unit_price("unit_price")?,
            billable_statuses: cells.known("billable_statuses", statuses)?,
        },
        period: Period {
            effective_from: cells.time("effective_from")?,
            effective_to: cells.time_if_any("effective_to")?,
        },
        created_by: cells.get("created_by")?,
        created_at: cells.time("created_at")?,
        closed_by: cells.get("closed_by")?,
        position: cells.get("position")?,
        changed_position: cells.get("changed_position")?,
        request: cells.get("request")?,
    })
}
