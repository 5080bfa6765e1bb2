//! `GET /v1/admin/pricing`: prices, those in effect now or all there ever were.

use axum::{extract::State, http::Method};
use eventstore::clock;
use projections::prices::pricing_tables::{self, PriceFilter};
use schema::{AccountTier, OperatorId, TenantId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PriceRow;
use crate::{
    http::{
        answer::Found,
        endpoint::Endpoint,
        params::Params,
        problem::{Code, Problem},
    },
    identity::Right,
    rest::{
        access::look::{self, Look},
        context::RequestContext,
        cursor::{Limit, List},
        fault, fields,
        state::AppState,
    },
};

/// Which prices.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Query {
    /// Only this tenant's own.
    tenant_id: Option<TenantId>,
    /// Only for accounts of this tier.
    account_tier: Option<AccountTier>,
    /// Only for messages through this carrier.
    operator_id: Option<OperatorId>,
    /// Only those in effect now; `false` tells the history, withdrawn versions included.
    #[serde(default = "fields::yes")]
    active_only: bool,
    /// Where the page before ended.
    cursor: Option<String>,
    /// The most prices of a page.
    #[serde(default)]
    limit: Limit,
}

/// Prices in the order in which they were opened.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PriceList {
    /// One page of them.
    data: Vec<PriceRow>,
    /// For the next page; null if this is the last.
    next_cursor: Option<String>,
}

pub(in crate::rest) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, "/v1/admin/pricing", list)
        .named(
            "listPrices",
            "Prices, those in effect or all; needs `billing:admin`",
        )
        .may_refuse(&[Code::InvalidCursor])
        .may_refuse(look::CODES)
}

async fn list(
    State(shared): State<AppState>,
    context: RequestContext,
    Params(query): Params<Query>,
) -> Result<Found<PriceList>, Problem> {
    let look = Look {
        endpoint: "GET /v1/admin/pricing",
        tenant: query.tenant_id,
        account: None,
    };
    look::needs(&shared, &context, Right::BillingAdmin, look).await?;
    let filters = (
        query.tenant_id,
        query.account_tier,
        query.operator_id,
        query.active_only,
    );
    let list = List::new("pricing", &filters, query.limit);
    let page = list.page(query.cursor.as_deref())?;
    look::allowed(&shared, &context, look).await?;
    let filter = PriceFilter {
        of: query.tenant_id.map(Some),
        account_tier: query.account_tier,
        operator_id: query.operator_id,
        active_at: query.active_only.then(clock::now),
        ..PriceFilter::default()
    };
    let rows = pricing_tables::list(&shared.questions, filter, page).await;
    let rows = rows.map_err(fault::unread)?;
    let (rows, next_cursor) = list.shown(rows, |row| row.position);
    let data = rows.into_iter().map(PriceRow::from).collect();
    Ok(Found(PriceList { data, next_cursor }))
}
