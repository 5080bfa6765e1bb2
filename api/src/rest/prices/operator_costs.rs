//! What carriers take of us. No customer ever sees it.

pub(super) mod close;
pub(super) mod list;
pub(super) mod open;
pub(super) mod replace;
pub(super) mod show;

use crate::{
    http::{
        answer::{Found, Versioned},
        problem::{Code, Problem},
    },
    rest::{etag, fault, state::AppState, visible},
};
use projections::{
    Reader,
    prices::operator_costs::{self, CostVersion, OperatorCosts},
};
use schema::{CostKey, Currency, Direction, OperatorCostId, OperatorId, Timestamp, UnitPrice};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The projection that shows costs.
const PROJECTION: &str = OperatorCosts::NAME;

/// Where one cost is.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CostPath {
    /// The version.
    operator_cost_id: OperatorCostId,
}

/// A version of a cost.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CostRow {
    /// The version.
    operator_cost_id: OperatorCostId,
    /// What this carrier takes.
    operator_id: OperatorId,
    /// For messages going this way.
    direction: Direction,
    /// For one segment.
    cost_per_segment: UnitPrice,
    /// In this currency.
    currency: Currency,
    /// The first instant at which it is in effect.
    effective_from: Timestamp,
    /// The first instant at which it is not any more; null: open.
    effective_to: Option<Timestamp>,
    /// Who opened it.
    created_by: String,
    /// When that was recorded.
    created_at: Timestamp,
}

impl From<CostVersion> for CostRow {
    fn from(version: CostVersion) -> Self {
        Self {
            operator_cost_id: version.operator_cost_id,
            operator_id: version.operator_id,
            direction: version.direction,
            cost_per_segment: version.terms.cost_per_segment,
            currency: version.terms.currency,
            effective_from: version.period.effective_from,
            effective_to: version.period.effective_to,
            created_by: version.created_by,
            created_at: version.created_at,
        }
    }
}

/// One cost with its `ETag`.
type Shown<T> = Versioned<Found<T>>;

/// The version, if there is one.
async fn find(reader: &Reader, version: OperatorCostId) -> Result<CostVersion, Problem> {
    let found = operator_costs::one(reader, version).await;
    found
        .map_err(fault::unread)?
        .ok_or(Problem::new(Code::NotFound))
}

/// The version as it was written at `position`.
async fn written(
    shared: &AppState,
    version: OperatorCostId,
    position: i64,
) -> Result<CostVersion, Problem> {
    visible::shown(shared, PROJECTION, position).await?;
    let found = operator_costs::one(&shared.reader, version).await;
    // It is not there only while the table is built anew.
    found
        .map_err(fault::unread)?
        .ok_or(Problem::new(Code::NotYetVisible))
}

fn shown(version: CostVersion) -> Shown<CostRow> {
    let etag = etag::of(version.changed_position);
    Versioned(etag, Found(version.into()))
}

/// What the version is for.
const fn key(version: &CostVersion) -> CostKey {
    CostKey {
        operator_id: version.operator_id,
        direction: version.direction,
    }
}
