//! `GET /v1/admin/accounts/{accountId}/versions`: everything that was told of an account, in the
//! order it was told, versions included that gave their place to another.

use axum::{extract::State, http::Method};
use projections::accounts::account_versions;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AccountPath,
    row::{AccountRow, all_opened},
};
use crate::{
    http::{
        answer::Found,
        endpoint::Endpoint,
        params::{Params, PathParams},
        problem::{Code, Problem},
    },
    rest::{
        access::look::{self, Look},
        context::RequestContext,
        cursor::{Limit, List},
        fault,
        state::AppState,
    },
};

const PATH: &str = "/v1/admin/accounts/{accountId}/versions";

/// Which page.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Query {
    /// Where the page before ended.
    cursor: Option<String>,
    /// The most versions of a page.
    #[serde(default)]
    limit: Limit,
}

/// Versions of an account, in the order in which they were told.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AccountHistory {
    /// One page of them.
    data: Vec<AccountRow>,
    /// For the next page; null if this is the last.
    next_cursor: Option<String>,
}

pub(in crate::rest) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, PATH, history)
        .named(
            "listAccountVersions",
            "All that was ever told of an account; for `platform.billing_admin`, `platform.finance` and `platform.admin`",
        )
        .may_refuse(&[Code::NotFound, Code::InvalidCursor])
        .may_refuse(look::CODES)
}

async fn history(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<AccountPath>,
    Params(query): Params<Query>,
) -> Result<Found<AccountHistory>, Problem> {
    let mut look = Look {
        endpoint: "GET /v1/admin/accounts/{accountId}/versions",
        tenant: None,
        account: Some(path.account_id),
    };
    look::needs_one_of(&shared, &context, look::TO_SETTLE, look).await?;
    let list = List::new("account-versions", &path.account_id, query.limit);
    let page = list.page(query.cursor.as_deref())?;
    let versions = account_versions::history(&shared.questions, path.account_id, page).await;
    let versions = versions.map_err(fault::unread)?;
    let first = versions.first();
    // Only the first page of nothing is that of an account that is not there.
    if first.is_none() && query.cursor.is_none() {
        let absent = Problem::new(Code::NotFound);
        return Err(look::refused(&shared, &context, look, absent).await);
    }
    look.tenant = first.map(|version| version.tenant);
    look::allowed(&shared, &context, look).await?;
    let (versions, next_cursor) = list.shown(versions, |version| version.position);
    let data = all_opened(&shared, versions).await?;
    Ok(Found(AccountHistory { data, next_cursor }))
}
