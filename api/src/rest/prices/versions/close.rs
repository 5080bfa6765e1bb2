//! `DELETE` of one version: closes it, now or later, or for a time gone by where that may be
//! corrected. One that has not begun is withdrawn.

use std::marker::PhantomData;

use actors::prices::decide::Action;
use axum::{extract::State, http::Method};
use schema::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{AMENDING, Shown, VersionResource, amend, find, shown, word, written};
use crate::{
    http::{
        endpoint::Endpoint,
        headers::IfMatch,
        params::{Params, PathParams},
        problem::Problem,
    },
    identity::Right,
    rest::{context::RequestContext, etag, state::AppState, visible},
};

/// When a version is to end.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, bound = "")]
struct End<K: VersionResource> {
    #[schemars(description = format!(
        "The first instant at which the {} is not in effect any more, {}; now, if none is given, or\n\
         its beginning if that is later.",
        word::<K>(),
        if K::CORRECTABLE { "at any time since its beginning" } else { "now or later" },
    ))]
    effective_to: Option<Timestamp>,
    #[serde(skip)]
    of: PhantomData<K>,
}

pub(super) fn endpoint<K: VersionResource>() -> Endpoint<AppState> {
    let (id, summary) = K::OPERATIONS.close;
    Endpoint::new(Method::DELETE, K::ONE, close::<K>)
        .named(id, summary)
        .needs(Right::BillingAdmin)
        .may_refuse(AMENDING)
        .may_refuse(visible::CODES)
}

async fn close<K: VersionResource>(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<K::Path>,
    Params(end): Params<End<K>>,
    condition: IfMatch,
) -> Result<Shown<K::Row>, Problem> {
    let id: K::Id = path.into();
    let key = find::<K>(&shared.reader, id).await?.key;
    let action = Action::Close {
        id,
        at: end.effective_to,
    };
    let origin = context.origin(&shared, context.fresh).await?;
    let if_at = etag::insisted(condition);
    let closed = amend::<K>(&shared, origin, key, action, if_at, "effectiveTo").await?;
    written::<K>(&shared, id, closed).await.map(shown)
}
