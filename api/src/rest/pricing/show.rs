//! `GET /v1/admin/pricing/{pricingTableId}`: one price, with the `ETag` that a change may name.

use axum::{extract::State, http::Method};

use super::{PricePath, PriceRow, Shown, find, shown};
use crate::{
    http::{
        endpoint::Endpoint,
        params::PathParams,
        problem::{Code, Problem},
    },
    identity::Right,
    rest::state::Shared,
};

pub(in crate::rest) fn endpoint() -> Endpoint<Shared> {
    Endpoint::new(Method::GET, "/v1/admin/pricing/{pricingTableId}", show)
        .named("showPrice", "One price")
        .needs(Right::BillingAdmin)
        .may_refuse(&[Code::NotFound, Code::Unavailable])
}

async fn show(
    State(shared): State<Shared>,
    PathParams(path): PathParams<PricePath>,
) -> Result<Shown<PriceRow>, Problem> {
    find(&shared.questions, path.pricing_table_id)
        .await
        .map(shown)
}
