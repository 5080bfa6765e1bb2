//! `GET /v1/admin/operator-costs`: costs, those in effect now or all there ever were.

use axum::{extract::State, http::Method};
use eventstore::clock;
use projections::prices::operator_costs::{self, CostFilter};
use schema::OperatorId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CostRow;
use crate::{
    http::{
        answer::Found,
        endpoint::Endpoint,
        params::Params,
        problem::{Code, Problem},
    },
    identity::Right,
    rest::{
        cursor::{Limit, List},
        fault, fields,
        state::AppState,
    },
};

/// Which costs.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Query {
    /// Only of this carrier.
    operator_id: Option<OperatorId>,
    /// Only those in effect now; `false` tells the history, withdrawn versions included.
    #[serde(default = "fields::yes")]
    active_only: bool,
    /// Where the page before ended.
    cursor: Option<String>,
    /// The most costs of a page.
    #[serde(default)]
    limit: Limit,
}

/// Costs in the order in which they were opened.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CostList {
    /// One page of them.
    data: Vec<CostRow>,
    /// For the next page; null if this is the last.
    next_cursor: Option<String>,
}

pub(in crate::rest) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, "/v1/admin/operator-costs", list)
        .named("listCosts", "Costs, those in effect or all")
        .needs(Right::BillingAdmin)
        .may_refuse(&[Code::InvalidCursor, Code::Unavailable])
}

async fn list(
    State(shared): State<AppState>,
    Params(query): Params<Query>,
) -> Result<Found<CostList>, Problem> {
    let filters = (query.operator_id, query.active_only);
    let list = List::new("operator-costs", &filters, query.limit);
    let page = list.page(query.cursor.as_deref())?;
    let filter = CostFilter {
        operator_id: query.operator_id,
        active_at: query.active_only.then(clock::now),
        ..CostFilter::default()
    };
    let rows = operator_costs::list(&shared.questions, filter, page).await;
    let rows = rows.map_err(fault::unread)?;
    let (rows, next_cursor) = list.shown(rows, |row| row.position);
    let data = rows.into_iter().map(CostRow::from).collect();
    Ok(Found(CostList { data, next_cursor }))
}
