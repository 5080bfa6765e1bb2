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
    rest::{
        access::look::{self, Look},
        context::RequestContext,
        state::AppState,
    },
};

pub(in crate::rest) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, "/v1/admin/pricing/{pricingTableId}", show)
        .named("showPrice", "One price; needs `billing:admin`")
        .may_refuse(&[Code::NotFound])
        .may_refuse(look::CODES)
}

async fn show(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<PricePath>,
) -> Result<Shown<PriceRow>, Problem> {
    let mut look = Look {
        endpoint: "GET /v1/admin/pricing/{pricingTableId}",
        tenant: None,
        account: None,
    };
    look::needs(&shared, &context, Right::BillingAdmin, look).await?;
    let price = find(&shared.questions, path.pricing_table_id).await?;
    look.tenant = price.tenant;
    if look.tenant.is_some() {
        look::allowed(&shared, &context, look).await?;
    }
    Ok(shown(price))
}
