//! `GET /v1/admin/adjustments/{adjustmentId}`: an adjustment, with the `ETag` that a decision may name.

use axum::{extract::State, http::Method};

use super::{AdjustmentPath, Shown, find, shown};
use crate::{
    http::{
        endpoint::Endpoint,
        params::PathParams,
        problem::{Code, Problem},
    },
    rest::{
        access::look::{self, Look},
        context::RequestContext,
        state::AppState,
    },
};

pub(super) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, "/v1/admin/adjustments/{adjustmentId}", show)
        .named(
            "showAdjustment",
            "An adjustment; for `platform.billing_admin`, `platform.finance` and `platform.admin`",
        )
        .may_refuse(&[Code::NotFound])
        .may_refuse(look::CODES)
}

async fn show(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<AdjustmentPath>,
) -> Result<Shown, Problem> {
    let mut look = Look {
        endpoint: "GET /v1/admin/adjustments/{adjustmentId}",
        tenant: None,
        account: None,
    };
    look::needs_one_of(&shared, &context, look::TO_SETTLE, look).await?;
    let Some(row) = find(&shared.questions, path.adjustment_id).await? else {
        return Err(Problem::new(Code::NotFound));
    };
    (look.tenant, look.account) = (Some(row.tenant), Some(row.account));
    look::allowed(&shared, &context, look).await?;
    shown(&shared, row).await
}
