//! `GET /v1/admin/accounts/{accountId}`: a registered account as it is at a time.

use axum::{extract::State, http::Method};
use eventstore::clock;
use projections::accounts::account_versions;
use schema::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    AccountPath, PATH,
    row::{AccountRow, opened},
};
use crate::{
    http::{
        answer::{Found, Tagged},
        endpoint::Endpoint,
        params::{Params, PathParams},
        problem::{Code, Problem},
    },
    rest::{
        access::look::{self, Look},
        context::RequestContext,
        etag, fault,
        state::AppState,
    },
};

/// At which time.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Query {
    /// The time at which it is shown; now, if none is given.
    at: Option<Timestamp>,
}

pub(in crate::rest) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, PATH, show)
        .named(
            "showAccount",
            "An account as it is now, or at a time; for `platform.billing_admin`, `platform.finance` and `platform.admin`",
        )
        .may_refuse(&[Code::NotFound])
        .may_refuse(look::CODES)
}

async fn show(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<AccountPath>,
    Params(query): Params<Query>,
) -> Result<Tagged<Found<AccountRow>>, Problem> {
    let mut look = Look {
        endpoint: "GET /v1/admin/accounts/{accountId}",
        tenant: None,
        account: Some(path.account_id),
    };
    look::needs_one_of(&shared, &context, look::TO_SETTLE, look).await?;
    let at = query.at.unwrap_or_else(clock::now);
    let found = account_versions::in_effect(&shared.questions, path.account_id, at).await;
    let Some(version) = found.map_err(fault::unread)? else {
        let absent = Problem::new(Code::NotFound);
        return Err(look::refused(&shared, &context, look, absent).await);
    };
    look.tenant = Some(version.tenant);
    look::allowed(&shared, &context, look).await?;
    let etag = etag::of(version.changed_position);
    Ok(Tagged(etag, Found(opened(&shared, version).await?)))
}
