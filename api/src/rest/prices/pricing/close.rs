//! `DELETE /v1/admin/pricing/{pricingTableId}`: closes a price, now or later. One that has not begun
//! is withdrawn.

use crate::{
    http::{
        endpoint::Endpoint,
        headers::IfMatch,
        params::{Params, PathParams},
        problem::Problem,
    },
    identity::Right,
    rest::{context::RequestContext, etag, fault, prices::versions, state::AppState, visible},
};
use actors::prices::decide::timeline::Wish;
use axum::{extract::State, http::Method};
use schema::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{PricePath, PriceRow, Shown, find, key, shown, written};

/// When.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Query {
    /// The first instant at which the price is not in effect any more, now or later; now, if none
    /// is given, or its beginning if that is later.
    effective_to: Option<Timestamp>,
}

pub(in crate::rest) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::DELETE, "/v1/admin/pricing/{pricingTableId}", close)
        .named("closePrice", "The end of a price")
        .needs(Right::BillingAdmin)
        .may_refuse(versions::AMENDING)
        .may_refuse(visible::CODES)
}

async fn close(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<PricePath>,
    Params(query): Params<Query>,
    condition: IfMatch,
) -> Result<Shown<PriceRow>, Problem> {
    let id = path.pricing_table_id;
    let price = key(&find(&shared.reader, id).await?);
    let wish = Wish::Close {
        id: id.0,
        at: query.effective_to,
    };
    let origin = context.origin(&shared, context.fresh).await?;
    let if_at = etag::insisted(condition);
    let closed = shared
        .commands
        .prices
        .amend_price(origin, price, wish, if_at)
        .await;
    let refused = |refusal| versions::refused(refusal, "effectiveTo");
    let closed = closed.map_err(|error| fault::undone(error, refused))?;
    written(&shared, id, closed.position).await.map(shown)
}
