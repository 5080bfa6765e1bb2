//! `GET /v1/admin/held-charges`: what is not charged yet, and what it waits for.

use axum::{extract::State, http::Method};
use projections::{
    Scope,
    charges::held_charges::{self, HeldFilter},
};
use schema::{
    AccountId, AccountTier, Currency, Direction, MessageId, OperatorId, Status, TenantId,
    Timestamp, event::HoldReason,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// Which of those that wait.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Query {
    /// Only this tenant's.
    tenant_id: Option<TenantId>,
    /// Only on this account.
    account_id: Option<AccountId>,
    /// Only through this carrier.
    operator_id: Option<OperatorId>,
    /// Only what waits for this.
    reason: Option<HoldReason>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// The most charges of a page.
    #[serde(default)]
    limit: Limit,
}

/// Charges that wait, in the order in which they were held.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct HeldCharges {
    /// One page of them.
    data: Vec<HeldCharge>,
    /// For the next page; null if this is the last.
    next_cursor: Option<String>,
    /// How many there are on all pages.
    total: i64,
    /// All of them, added up by what they wait for. What they will cost is not known yet.
    sums: Vec<HeldSum>,
}

/// Charges that wait for the same, added up.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct HeldSum {
    /// What they wait for.
    reason: HoldReason,
    /// How many messages.
    message_count: i64,
    /// Their SMS segments.
    segment_count: i64,
}

impl From<held_charges::HeldSum> for HeldSum {
    fn from(sum: held_charges::HeldSum) -> Self {
        Self {
            reason: sum.reason,
            message_count: sum.messages,
            segment_count: sum.segments,
        }
    }
}

/// A charge that waits.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct HeldCharge {
    /// Of which message.
    message_id: MessageId,
    /// Whose message.
    tenant_id: TenantId,
    /// On which account.
    account_id: AccountId,
    /// The tier a price was sought for, where one is known.
    account_tier: Option<AccountTier>,
    /// Through which carrier.
    operator_id: OperatorId,
    /// Which way.
    direction: Direction,
    /// The currency a price was sought in, where one is known.
    currency: Option<Currency>,
    /// SMS segments.
    segment_count: i16,
    /// The message's final status.
    dlr_status: Status,
    /// When it was settled.
    charged_at: Timestamp,
    /// Since when it waits.
    held_at: Timestamp,
    /// What it waits for.
    reason: HoldReason,
}

impl From<held_charges::HeldCharge> for HeldCharge {
    fn from(held: held_charges::HeldCharge) -> Self {
        Self {
            message_id: held.message_id,
            tenant_id: held.tenant,
            account_id: held.account,
            account_tier: held.account_tier,
            operator_id: held.operator_id,
            direction: held.direction,
            currency: held.currency,
            segment_count: held.segment_count,
            dlr_status: held.dlr_status,
            charged_at: held.charged_at,
            held_at: held.held_at,
            reason: held.reason,
        }
    }
}

pub(super) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, "/v1/admin/held-charges", list)
        .named(
            "listHeldCharges",
            "What waits for a price; for `platform.billing_admin`, `platform.finance` and `platform.admin`",
        )
        .may_refuse(&[Code::InvalidCursor])
        .may_refuse(look::CODES)
}

async fn list(
    State(shared): State<AppState>,
    context: RequestContext,
    Params(query): Params<Query>,
) -> Result<Found<HeldCharges>, Problem> {
    let look = Look {
        endpoint: "GET /v1/admin/held-charges",
        tenant: query.tenant_id,
        account: query.account_id,
    };
    look::needs_one_of(&shared, &context, look::TO_SETTLE, look).await?;
    let filter = HeldFilter {
        tenant: query.tenant_id,
        account: query.account_id,
        operator: query.operator_id,
        reason: query.reason,
    };
    let filters = (
        (query.tenant_id, query.account_id),
        (query.operator_id, query.reason),
    );
    let list = List::new("held-charges", &filters, query.limit);
    let page = list.page(query.cursor.as_deref())?;
    look::allowed(&shared, &context, look).await?;
    let (reader, scope) = (&shared.questions, Scope::EveryTenant);
    let rows = held_charges::list(reader, scope, filter, page).await;
    let rows = rows.map_err(fault::unread)?;
    let sums = held_charges::sums(reader, scope, filter).await;
    let sums = sums.map_err(fault::unread)?;
    let (rows, next_cursor) = list.shown(rows, |row| row.position);
    Ok(Found(HeldCharges {
        data: rows.into_iter().map(HeldCharge::from).collect(),
        next_cursor,
        total: sums.iter().map(|sum| sum.messages).sum(),
        sums: sums.into_iter().map(HeldSum::from).collect(),
    }))
}
