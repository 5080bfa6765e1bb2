//! `GET /v1/billing/adjustments`: what an account pays more or less than it was charged.
//!
//! Only what is approved, and nobody's name: who proposed and who approved is the platform's affair.

use axum::{extract::State, http::Method};
use projections::adjustments::adjustments::{self, Adjustment, ApprovedFilter};
use schema::{AccountId, AdjustmentAmount, AdjustmentId, Currency, MessageId, Personal, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{open, sealed};
use crate::{
    http::{
        answer::Found,
        endpoint::Endpoint,
        params::Params,
        problem::{Code, Problem},
    },
    rest::{
        access::whose,
        context::RequestContext,
        cursor::{Limit, List},
        fault,
        state::AppState,
    },
};

/// What the log is told of looks at others' adjustments.
const ENDPOINT: &str = "GET /v1/billing/adjustments";

/// Which of an account's adjustments.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Query {
    /// On which account; by default that of the token.
    account_id: Option<AccountId>,
    /// Only those approved at this time or later.
    from: Option<Timestamp>,
    /// Only those approved before this time.
    to: Option<Timestamp>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// The most adjustments of a page.
    #[serde(default)]
    limit: Limit,
}

/// Adjustments in the order they were approved.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ApprovedAdjustmentList")]
struct Approved {
    /// One page of them.
    data: Vec<ApprovedRow>,
    /// For the next page; null if this is the last.
    next_cursor: Option<String>,
}

/// An adjustment as the customer sees it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ApprovedAdjustment")]
struct ApprovedRow {
    /// The adjustment.
    adjustment_id: AdjustmentId,
    /// The account.
    account_id: AccountId,
    /// What the account pays more; less, if it is negative.
    amount: AdjustmentAmount,
    /// In this currency.
    currency: Currency,
    /// The charged message that it is about; null if it is about none.
    message_id: Option<MessageId>,
    /// Why.
    #[serde(serialize_with = "sealed::exposed")]
    #[schemars(with = "Option<String>")]
    reason: Option<Personal>,
    /// When it was approved: the time at which it counts.
    approved_at: Option<Timestamp>,
}

/// The right to read is looked at in [`whose`], because a refusal may have to be recorded.
pub(super) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, "/v1/billing/adjustments", list)
        .named(
            "listApprovedAdjustments",
            "What an account pays more or less than it was charged; needs `billing:read`",
        )
        .may_refuse(&[Code::InvalidCursor, Code::Unavailable, Code::Contended])
        .may_refuse(whose::CODES)
}

async fn list(
    State(shared): State<AppState>,
    context: RequestContext,
    Params(query): Params<Query>,
) -> Result<Found<Approved>, Problem> {
    let whose = whose::whose(&shared, &context, query.account_id, ENDPOINT).await?;
    let filters = (whose.account, query.from, query.to);
    let list = List::new("approved-adjustments", &filters, query.limit);
    let page = list.page(query.cursor.as_deref())?;
    let filter = ApprovedFilter {
        account: whose.account,
        from: query.from,
        to: query.to,
    };
    let rows = adjustments::approved(&shared.questions, whose.tenant, filter, page).await;
    let rows = rows.map_err(fault::unread)?;
    let (rows, next_cursor) = list.shown(rows, |row| row.changed_position);
    let mut data = Vec::with_capacity(rows.len());
    for row in rows {
        data.push(shown(&shared, row).await?);
    }
    Ok(Found(Approved { data, next_cursor }))
}

async fn shown(shared: &AppState, row: Adjustment) -> Result<ApprovedRow, Problem> {
    Ok(ApprovedRow {
        adjustment_id: row.id,
        account_id: row.account,
        amount: row.amount,
        currency: row.currency,
        message_id: row.message,
        reason: open(shared, row.id, row.reason.as_ref()).await?,
        approved_at: row.decided.map(|decided| decided.at),
    })
}
