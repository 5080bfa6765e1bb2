//! `GET /v1/admin/operator-costs/{operatorCostId}`: one cost, with the `ETag` that a change may name.

use axum::{extract::State, http::Method};

use super::{CostPath, CostRow, Shown, find, shown};
use crate::{
    http::{
        endpoint::Endpoint,
        params::PathParams,
        problem::{Code, Problem},
    },
    identity::Right,
    rest::state::AppState,
};

pub(in crate::rest) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(
        Method::GET,
        "/v1/admin/operator-costs/{operatorCostId}",
        show,
    )
    .named("showCost", "One cost")
    .needs(Right::BillingAdmin)
    .may_refuse(&[Code::NotFound, Code::Unavailable])
}

async fn show(
    State(shared): State<AppState>,
    PathParams(path): PathParams<CostPath>,
) -> Result<Shown<CostRow>, Problem> {
    find(&shared.questions, path.operator_cost_id)
        .await
        .map(shown)
}
