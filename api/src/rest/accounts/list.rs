//! `GET /v1/admin/accounts`: registered accounts as they are at a time.

use axum::{extract::State, http::Method};
use eventstore::clock;
use projections::accounts::account_versions::{self, AccountFilter};
use schema::{AccountTier, TenantId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::row::{AccountRow, all_opened};
use crate::{
    http::{
        answer::Found,
        endpoint::Endpoint,
        params::Params,
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

/// Which accounts.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Query {
    /// Only this tenant's.
    tenant_id: Option<TenantId>,
    /// Only those of this tier.
    account_tier: Option<AccountTier>,
    /// The time at which they are shown; now, if none is given.
    at: Option<Timestamp>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// The most accounts of a page.
    #[serde(default)]
    limit: Limit,
}

/// Accounts in the order in which they were registered.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AccountList {
    /// One page of them.
    data: Vec<AccountRow>,
    /// For the next page; null if this is the last.
    next_cursor: Option<String>,
}

pub(in crate::rest) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, "/v1/admin/accounts", list)
        .named(
            "listAccounts",
            "Accounts as they are now, or at a time; for `platform.billing_admin`, `platform.finance` and `platform.admin`",
        )
        .may_refuse(&[Code::InvalidCursor])
        .may_refuse(look::CODES)
}

async fn list(
    State(shared): State<AppState>,
    context: RequestContext,
    Params(query): Params<Query>,
) -> Result<Found<AccountList>, Problem> {
    let look = Look {
        endpoint: "GET /v1/admin/accounts",
        tenant: query.tenant_id,
        account: None,
    };
    look::needs_one_of(&shared, &context, look::TO_SETTLE, look).await?;
    let filters = (query.tenant_id, query.account_tier, query.at);
    let list = List::new("accounts", &filters, query.limit);
    let page = list.page(query.cursor.as_deref())?;
    look::allowed(&shared, &context, look).await?;
    let filter = AccountFilter {
        tenant: query.tenant_id,
        tier: query.account_tier,
    };
    let at = query.at.unwrap_or_else(clock::now);
    let versions = account_versions::list(&shared.questions, filter, at, page).await;
    let versions = versions.map_err(fault::unread)?;
    let (versions, next_cursor) = list.shown(versions, |version| version.registered_position);
    let data = all_opened(&shared, versions).await?;
    Ok(Found(AccountList { data, next_cursor }))
}
