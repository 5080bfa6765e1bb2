//! `GET /v1/admin/charge-conflicts`: messages that were settled twice, differently.

use axum::{extract::State, http::Method};
use projections::{
    Scope,
    charges::charge_conflicts::{self, ConflictFilter, Said},
};
use schema::{
    AccountId, AccountTier, Currency, Direction, EventId, MessageId, OperatorId, Status, TenantId,
    Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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

const PATH: &str = "/v1/admin/charge-conflicts";

/// Which of them.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Query {
    /// Only what says it is this tenant's.
    tenant_id: Option<TenantId>,
    /// Only what says it is this account's.
    account_id: Option<AccountId>,
    /// Only what was recorded then or later.
    from: Option<Timestamp>,
    /// Only what was recorded before then.
    to: Option<Timestamp>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// The most contradictions of a page.
    #[serde(default)]
    limit: Limit,
}

/// Contradictions, in the order in which they were recorded.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ChargeConflicts {
    /// One page of them.
    data: Vec<ChargeConflict>,
    /// For the next page; null if this is the last.
    next_cursor: Option<String>,
}

/// A message that was settled again, and otherwise. The first settlement counts.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ChargeConflict {
    /// The contradiction.
    conflict_id: EventId,
    /// Of which message.
    message_id: MessageId,
    /// The names of the fields that differ, as the announcement has them.
    differs: Vec<String>,
    /// What counts.
    first: SettlementSaid,
    /// What was said afterwards.
    second: SettlementSaid,
    /// When that was recorded.
    recorded_at: Timestamp,
}

/// What an announcement said of a settled message.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SettlementSaid {
    /// The announcement.
    event_id: Uuid,
    /// Whose message.
    tenant_id: TenantId,
    /// On which account.
    account_id: AccountId,
    /// Through which carrier.
    operator_id: OperatorId,
    /// Which way.
    direction: Direction,
    /// SMS segments.
    segment_count: i16,
    /// The message's final status.
    dlr_status: Status,
    /// When it was reached.
    occurred_at: Timestamp,
    /// What decides the price.
    charged_at: Timestamp,
    /// The tier that was named, if any.
    account_tier: Option<AccountTier>,
    /// The currency that was named, if any.
    currency: Option<Currency>,
}

impl From<Said> for SettlementSaid {
    fn from(said: Said) -> Self {
        Self {
            event_id: said.source_event_id,
            tenant_id: said.tenant,
            account_id: said.account,
            operator_id: said.operator_id,
            direction: said.direction,
            segment_count: said.segment_count,
            dlr_status: said.dlr_status,
            occurred_at: said.occurred_at,
            charged_at: said.charged_at,
            account_tier: said.stated_tier,
            currency: said.stated_currency,
        }
    }
}

impl From<charge_conflicts::ChargeConflict> for ChargeConflict {
    fn from(conflict: charge_conflicts::ChargeConflict) -> Self {
        Self {
            conflict_id: conflict.id,
            message_id: conflict.message_id,
            differs: conflict.differs,
            first: conflict.first.into(),
            second: conflict.said.into(),
            recorded_at: conflict.recorded_at,
        }
    }
}

pub(super) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, PATH, list)
        .named(
            "listChargeConflicts",
            "What was settled twice, differently; for `platform.billing_admin`, \
             `platform.finance` and `platform.admin`",
        )
        .may_refuse(&[Code::InvalidCursor, Code::PeriodReversed])
        .may_refuse(look::CODES)
}

async fn list(
    State(shared): State<AppState>,
    context: RequestContext,
    Params(query): Params<Query>,
) -> Result<Found<ChargeConflicts>, Problem> {
    let look = Look {
        endpoint: "GET /v1/admin/charge-conflicts",
        tenant: query.tenant_id,
        account: query.account_id,
    };
    look::needs_one_of(&shared, &context, look::TO_SETTLE, look).await?;
    if query.from.zip(query.to).is_some_and(|(from, to)| to < from) {
        return Err(Problem::new(Code::PeriodReversed).at("to"));
    }
    let filter = ConflictFilter {
        tenant: query.tenant_id,
        account: query.account_id,
        from: query.from,
        to: query.to,
    };
    let filters = (query.tenant_id, query.account_id, query.from, query.to);
    let list = List::new("charge-conflicts", &filters, query.limit);
    let page = list.page(query.cursor.as_deref())?;
    look::allowed(&shared, &context, look).await?;
    let rows = charge_conflicts::list(&shared.questions, Scope::EveryTenant, filter, page).await;
    let (rows, next_cursor) = list.shown(rows.map_err(fault::unread)?, |row| row.position);
    Ok(Found(ChargeConflicts {
        data: rows.into_iter().map(ChargeConflict::from).collect(),
        next_cursor,
    }))
}
