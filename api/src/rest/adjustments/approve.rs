//! `POST /v1/admin/adjustments/{adjustmentId}/approve`: from now on the account pays it.

use actors::adjustments::{commands::Decision, decide::Verdict};
use axum::{extract::State, http::Method};

use super::{AdjustmentPath, DECIDING, Shown, decide};
use crate::{
    http::{
        endpoint::Endpoint,
        headers::IfMatch,
        params::PathParams,
        problem::{Code, Problem},
    },
    identity::Right,
    rest::{context::RequestContext, etag, state::AppState, visible},
};

pub(super) fn endpoint() -> Endpoint<AppState> {
    let path = "/v1/admin/adjustments/{adjustmentId}/approve";
    Endpoint::new(Method::POST, path, approve)
        .named(
            "approveAdjustment",
            "Approves an adjustment that another person proposed",
        )
        .needs(Right::Finance)
        .may_refuse(&[Code::OwnProposal])
        .may_refuse(DECIDING)
        .may_refuse(visible::CODES)
}

async fn approve(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<AdjustmentPath>,
    condition: IfMatch,
) -> Result<Shown, Problem> {
    let decision = Decision {
        adjustment: path.adjustment_id,
        verdict: Verdict::Approved,
        reason: None,
        if_at: etag::insisted(condition),
    };
    decide(&shared, &context, decision).await
}
