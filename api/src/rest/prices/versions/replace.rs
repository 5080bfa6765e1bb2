//! `PATCH` of one version: closes it and opens its successor, which lasts as long as the old one
//! would have.

use actors::prices::decide::Action;
use axum::{extract::State, http::Method};
use schemars::JsonSchema;
use serde::Serialize;

use super::{AMENDING, Shown, VersionResource, amend, find, id, word, written};
use crate::{
    http::{
        answer::{Found, Tagged},
        body::Body,
        endpoint::Endpoint,
        headers::IfMatch,
        params::PathParams,
        problem::Problem,
    },
    identity::Right,
    rest::{context::RequestContext, etag, state::AppState, visible},
};

/// The successor of a version.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", bound = "")]
#[schemars(
    rename = "Replaced{K}",
    description = format!("The successor of a {}.", word::<K>())
)]
struct Replaced<K: VersionResource> {
    /// The successor.
    #[serde(flatten)]
    successor: K::Row,
    /// The version that it replaces.
    replaces: K::Id,
}

pub(super) fn endpoint<K: VersionResource>() -> Endpoint<AppState> {
    let (id, summary) = K::OPERATIONS.replace;
    Endpoint::new(Method::PATCH, K::ONE, replace::<K>)
        .named(id, summary)
        .needs(Right::BillingAdmin)
        .may_refuse(AMENDING)
        .may_refuse(visible::CODES)
}

async fn replace<K: VersionResource>(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<K::Path>,
    condition: IfMatch,
    Body(change): Body<K::Change>,
) -> Result<Shown<Replaced<K>>, Problem> {
    let old: K::Id = path.into();
    let version = find::<K>(&shared.reader, old).await?;
    let (terms, at) = K::replacing(change, version.terms)?;
    let id = id::<K>(context.fresh, &old);
    let action = Action::Replace { old, id, terms, at };
    let origin = context.origin(&shared, context.fresh).await?;
    let if_at = etag::insisted(condition);
    let key = version.key;
    let replaced = amend::<K>(&shared, origin, key, action, if_at, "/effectiveFrom").await?;
    let version = written::<K>(&shared, id, replaced).await?;
    let etag = etag::of(version.changed_position);
    let answer = Replaced {
        successor: version.into(),
        replaces: old,
    };
    Ok(Tagged(etag, Found(answer)))
}
