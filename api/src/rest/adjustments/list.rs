//! `GET /v1/admin/adjustments`: adjustments in the order they were proposed.

use axum::{extract::State, http::Method};
use projections::adjustments::adjustments::{self, Filter};
use schema::{AccountId, TenantId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ALL, AdjustmentRow, AdjustmentStatus, opened};
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

/// Which adjustments.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Query {
    /// Only those that have come so far.
    status: Option<AdjustmentStatus>,
    /// Only this tenant's.
    tenant_id: Option<TenantId>,
    /// Only on this account.
    account_id: Option<AccountId>,
    /// Only those proposed at this time or later.
    from: Option<Timestamp>,
    /// Only those proposed before this time.
    to: Option<Timestamp>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// The most adjustments of a page.
    #[serde(default)]
    limit: Limit,
}

/// Adjustments in the order they were proposed.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AdjustmentList")]
struct Listed {
    /// One page of them.
    data: Vec<AdjustmentRow>,
    /// For the next page; null if this is the last.
    next_cursor: Option<String>,
}

pub(super) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, ALL, list)
        .named(
            "listAdjustments",
            "Adjustments; for `platform.billing_admin`, `platform.finance` and `platform.admin`",
        )
        .may_refuse(&[Code::InvalidCursor])
        .may_refuse(look::CODES)
}

async fn list(
    State(shared): State<AppState>,
    context: RequestContext,
    Params(query): Params<Query>,
) -> Result<Found<Listed>, Problem> {
    let look = Look {
        endpoint: "GET /v1/admin/adjustments",
        tenant: query.tenant_id,
        account: query.account_id,
    };
    look::needs_one_of(&shared, &context, look::TO_SETTLE, look).await?;
    let filter = Filter {
        status: query.status.map(Into::into),
        tenant: query.tenant_id,
        account: query.account_id,
        from: query.from,
        to: query.to,
    };
    let filters = (
        query.status,
        query.tenant_id,
        query.account_id,
        query.from,
        query.to,
    );
    let list = List::new("adjustments", &filters, query.limit);
    let page = list.page(query.cursor.as_deref())?;
    look::allowed(&shared, &context, look).await?;
    let rows = adjustments::list(&shared.questions, filter, page).await;
    let (rows, next_cursor) = list.shown(rows.map_err(fault::unread)?, |row| row.position);
    let mut data = Vec::with_capacity(rows.len());
    for row in rows {
        data.push(opened(&shared, row).await?);
    }
    Ok(Found(Listed { data, next_cursor }))
}
