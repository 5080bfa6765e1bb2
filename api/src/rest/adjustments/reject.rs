//! `POST /v1/admin/adjustments/{adjustmentId}/reject`: the account will never pay it.

use actors::adjustments::{commands::Decision, decide::Verdict};
use axum::{extract::State, http::Method};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{AdjustmentPath, DECIDING, Shown, decide, reason::Reason};
use crate::{
    http::{
        body::Body, endpoint::Endpoint, headers::IfMatch, params::PathParams, problem::Problem,
    },
    identity::Right,
    rest::{context::RequestContext, etag, state::AppState, visible},
};

/// Why an adjustment is rejected.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rejection {
    /// Why.
    reason: Reason,
}

pub(super) fn endpoint() -> Endpoint<AppState> {
    let path = "/v1/admin/adjustments/{adjustmentId}/reject";
    Endpoint::new(Method::POST, path, reject)
        .named("rejectAdjustment", "Rejects an adjustment, for a reason")
        .needs(Right::Finance)
        .may_refuse(DECIDING)
        .may_refuse(visible::CODES)
}

async fn reject(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<AdjustmentPath>,
    condition: IfMatch,
    Body(rejection): Body<Rejection>,
) -> Result<Shown, Problem> {
    let decision = Decision {
        adjustment: path.adjustment_id,
        verdict: Verdict::Rejected,
        reason: Some(rejection.reason.0),
        if_at: etag::insisted(condition),
    };
    decide(&shared, &context, decision).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_schema_of_a_rejection_accepts_is_taken_and_nothing_else() {
        crate::http::body::keeps_to_its_schema(|_: Rejection| true);
    }
}
