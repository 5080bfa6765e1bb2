//! Prices: the platform's list, and what tenants have agreed to instead.

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
    rest::{etag, fault, fields::BillableStatuses, state::AppState, visible},
};
use actors::prices::commands::PriceFor;
use projections::{
    Reader,
    prices::pricing_tables::{self, PriceVersion, PricingTables},
};
use schema::{
    AccountTier, Currency, Direction, OperatorId, PricingModel, PricingTableId, TenantId,
    Timestamp, UnitPrice,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The projection that shows prices.
const PROJECTION: &str = PricingTables::NAME;

/// Where one price is.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PricePath {
    /// The version.
    pricing_table_id: PricingTableId,
}

/// A version of a price.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PriceRow {
    /// The version.
    pricing_table_id: PricingTableId,
    /// Whose own price it is; null: the platform's.
    tenant_id: Option<TenantId>,
    /// For accounts of this tier.
    account_tier: AccountTier,
    /// For messages through this carrier.
    operator_id: OperatorId,
    /// Going this way.
    direction: Direction,
    /// What the unit price is multiplied with.
    pricing_model: PricingModel,
    /// The price of one.
    unit_price: UnitPrice,
    /// For accounts that pay in this currency.
    currency: Currency,
    /// The final statuses that are charged for.
    billable_statuses: BillableStatuses,
    /// The first instant at which it is in effect.
    effective_from: Timestamp,
    /// The first instant at which it is not any more; null: open.
    effective_to: Option<Timestamp>,
    /// Who opened it.
    created_by: String,
    /// When that was recorded.
    created_at: Timestamp,
}

impl From<PriceVersion> for PriceRow {
    fn from(version: PriceVersion) -> Self {
        Self {
            pricing_table_id: version.pricing_table_id,
            tenant_id: version.tenant,
            account_tier: version.account_tier,
            operator_id: version.operator_id,
            direction: version.direction,
            pricing_model: version.terms.pricing_model,
            unit_price: version.terms.unit_price,
            currency: version.currency,
            billable_statuses: BillableStatuses(version.terms.billable_statuses),
            effective_from: version.period.effective_from,
            effective_to: version.period.effective_to,
            created_by: version.created_by,
            created_at: version.created_at,
        }
    }
}

/// One price with its `ETag`.
type Shown<T> = Versioned<Found<T>>;

/// The version, if there is one.
async fn find(reader: &Reader, version: PricingTableId) -> Result<PriceVersion, Problem> {
    let found = pricing_tables::one(reader, version).await;
    found
        .map_err(fault::unread)?
        .ok_or(Problem::new(Code::NotFound))
}

/// The version as it was written at `position`.
async fn written(
    shared: &AppState,
    version: PricingTableId,
    position: i64,
) -> Result<PriceVersion, Problem> {
    visible::shown(shared, PROJECTION, position).await?;
    let found = pricing_tables::one(&shared.reader, version).await;
    // It is not there only while the table is built anew.
    found
        .map_err(fault::unread)?
        .ok_or(Problem::new(Code::NotYetVisible))
}

fn shown(version: PriceVersion) -> Shown<PriceRow> {
    let etag = etag::of(version.changed_position);
    Versioned(etag, Found(version.into()))
}

/// What the version is for.
const fn key(version: &PriceVersion) -> PriceFor {
    PriceFor {
        tenant: version.tenant,
        account_tier: version.account_tier,
        operator_id: version.operator_id,
        direction: version.direction,
        currency: version.currency,
    }
}
