//! What is asked of `billing.operator_costs`, which belongs to no tenant.

use eventstore::postgres::Statement;
use schema::{Direction, OperatorCostId, OperatorId, Period, Timestamp, event::CostTerms};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    Page, ReadError, Reader, Scope,
    read::{Cells, Parameters},
};

/// A version of a cost as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostVersion {
    /// Which.
    pub operator_cost_id: OperatorCostId,
    /// What this carrier takes.
    pub operator_id: OperatorId,
    /// For messages going this way.
    pub direction: Direction,
    /// What is taken.
    pub terms: CostTerms,
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
pub struct CostFilter {
    /// Of this carrier.
    pub operator_id: Option<OperatorId>,
    /// For this direction.
    pub direction: Option<Direction>,
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
    filter: CostFilter,
    page: Page,
) -> Result<Vec<CostVersion>, ReadError> {
    const LIST: Statement = Statement::new(include_str!("list.sql"));
    let parameters: Parameters = vec![
        Box::new(reader.log().0),
        Box::new(page.after.unwrap_or(0)),
        Box::new(page.limit),
        Box::new(filter.operator_id.map(|operator| operator.0)),
        Box::new(filter.direction.map(Direction::as_str)),
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
    version: OperatorCostId,
) -> Result<Option<CostVersion>, ReadError> {
    const ONE: Statement = Statement::new(include_str!("one.sql"));
    let found = versions(reader, ONE, vec![Box::new(version.0)]).await?;
    Ok(found.into_iter().next())
}

/// The first version that `request` opened.
///
/// # Errors
/// See [`ReadError`].
pub async fn by_request(reader: &Reader, request: Uuid) -> Result<Option<CostVersion>, ReadError> {
    const BY_REQUEST: Statement = Statement::new(include_str!("by_request.sql"));
    let found = versions(reader, BY_REQUEST, vec![Box::new(request)]).await?;
    Ok(found.into_iter().next())
}

async fn versions(
    reader: &Reader,
    statement: Statement,
    parameters: Parameters,
) -> Result<Vec<CostVersion>, ReadError> {
    let rows = reader
        .rows(statement, Scope::EveryTenant, parameters)
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<CostVersion, ReadError> {
    const TABLE: &str = "billing.operator_costs";
    let id: Uuid = Cells::new(TABLE, row, "?").get("operator_cost_id")?;
    let cells = Cells::new(TABLE, row, id);
    Ok(CostVersion {
        operator_cost_id: OperatorCostId(id),
        operator_id: OperatorId(cells.get("operator_id")?),
        direction: cells.word("direction", Direction::parse)?,
        terms: CostTerms {
            cost_per_segment: cells.unit_price("cost_per_segment")?,
            currency: cells.currency("currency")?,
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
