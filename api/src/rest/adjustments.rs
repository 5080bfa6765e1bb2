//! Adjustments: what an account pays more or less than it was charged. One person proposes it, another
//! approves it; until then it changes nothing.
//!
//! The reasons may name a person. They are opened only for the answers here, and neither problems nor
//! logs ever hold them.

mod approve;
mod approved;
mod list;
mod propose;
mod reason;
mod reject;
mod show;

use actors::{
    adjustments::{commands::Decision, decide::Refusal},
    runtime::decider::EventPlace,
};
use projections::{
    Reader, Table as _,
    adjustments::adjustments::{self, Adjustment, Adjustments, SealedReason, Status},
};
use schema::{
    AccountId, AdjustmentAmount, AdjustmentId, Currency, MessageId, Personal, Position, Sealed,
    StreamId, TenantId, Timestamp, event::Person,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{context::RequestContext, etag, fault, sealed, state::AppState, visible};
use crate::http::{
    answer::{Found, Tagged},
    endpoint::Endpoint,
    problem::{Code, Problem},
};

/// All of them.
pub(super) fn endpoints() -> Vec<Endpoint<AppState>> {
    vec![
        list::endpoint(),
        propose::endpoint(),
        show::endpoint(),
        approve::endpoint(),
        reject::endpoint(),
        approved::endpoint(),
    ]
}

/// Where all adjustments are.
const ALL: &str = "/v1/admin/adjustments";

/// What a decision may be refused for.
const DECIDING: &[Code] = &[Code::NotFound, Code::AlreadyDecided];

/// Where one adjustment is.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AdjustmentPath {
    /// The adjustment.
    adjustment_id: AdjustmentId,
}

/// How far an adjustment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum AdjustmentStatus {
    /// It waits for another person and changes nothing.
    Proposed,
    /// It counts from the time at which it was decided.
    Approved,
    /// It never changes anything.
    Rejected,
}

impl From<Status> for AdjustmentStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Proposed => Self::Proposed,
            Status::Approved => Self::Approved,
            Status::Rejected => Self::Rejected,
        }
    }
}

impl From<AdjustmentStatus> for Status {
    fn from(status: AdjustmentStatus) -> Self {
        match status {
            AdjustmentStatus::Proposed => Self::Proposed,
            AdjustmentStatus::Approved => Self::Approved,
            AdjustmentStatus::Rejected => Self::Rejected,
        }
    }
}

/// An adjustment as the platform's own people see it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Adjustment")]
struct AdjustmentRow {
    /// The adjustment.
    adjustment_id: AdjustmentId,
    /// Whose account it is.
    tenant_id: TenantId,
    /// The account.
    account_id: AccountId,
    /// What the account pays more; less, if it is negative.
    amount: AdjustmentAmount,
    /// In this currency.
    currency: Currency,
    /// The charged message that it is about; null if it is about none.
    message_id: Option<MessageId>,
    /// How far it has come.
    status: AdjustmentStatus,
    /// Why; null once the tenant is erased.
    #[serde(serialize_with = "sealed::exposed")]
    #[schemars(with = "Option<String>")]
    reason: Option<Personal>,
    /// Who proposed it.
    proposed_by: String,
    /// When that was recorded.
    proposed_at: Timestamp,
    /// Who approved or rejected it; null while it waits.
    decided_by: Option<String>,
    /// When that was recorded: the time at which an approved one counts.
    decided_at: Option<Timestamp>,
    /// Why it was rejected; null if it was not, and once the tenant is erased.
    #[serde(serialize_with = "sealed::exposed")]
    #[schemars(with = "Option<String>")]
    rejection_reason: Option<Personal>,
}

/// One adjustment with its `ETag`.
type Shown = Tagged<Found<AdjustmentRow>>;

/// The adjustment with its reasons opened.
async fn opened(shared: &AppState, row: Adjustment) -> Result<AdjustmentRow, Problem> {
    let reason = open(shared, row.id, row.reason.as_ref()).await?;
    let rejection_reason = open(shared, row.id, row.rejection.as_ref()).await?;
    let (decided_by, decided_at) = row.decided.map(|decided| (decided.by, decided.at)).unzip();
    Ok(AdjustmentRow {
        adjustment_id: row.id,
        tenant_id: row.tenant,
        account_id: row.account,
        amount: row.amount,
        currency: row.currency,
        message_id: row.message,
        status: row.status.into(),
        reason,
        proposed_by: row.proposed_by,
        proposed_at: row.proposed_at,
        decided_by,
        decided_at,
        rejection_reason,
    })
}

async fn open(
    shared: &AppState,
    id: AdjustmentId,
    reason: Option<&SealedReason>,
) -> Result<Option<Personal>, Problem> {
    let Some(reason) = reason else {
        return Ok(None);
    };
    let place = EventPlace {
        log: shared.reader.log(),
        stream: StreamId::adjustment(id),
        version: reason.version,
    };
    sealed::open(shared, place, Sealed::REASON, &reason.value).await
}

async fn shown(shared: &AppState, row: Adjustment) -> Result<Shown, Problem> {
    let etag = etag::of(row.changed_position);
    Ok(Tagged(etag, Found(opened(shared, row).await?)))
}

/// The adjustment, if there is one.
async fn find(reader: &Reader, id: AdjustmentId) -> Result<Option<Adjustment>, Problem> {
    let found = adjustments::one(reader, id).await;
    found.map_err(fault::unread)
}

/// The adjustment as it was written at `position`.
async fn written(
    shared: &AppState,
    id: AdjustmentId,
    position: Position,
) -> Result<Adjustment, Problem> {
    visible::shown(shared, Adjustments::NAME, position).await?;
    let found = find(&shared.reader, id).await?;
    // It is not there only while the table is built anew.
    found.ok_or(Problem::new(Code::NotYetVisible))
}

/// Who asks, whatever token they have.
fn person(context: &RequestContext) -> Person {
    let principal = &context.caller.principal;
    Person {
        issuer: principal.issuer.to_string(),
        subject: principal.subject.clone(),
    }
}

/// Has it decided, and says how it is then.
async fn decide(
    shared: &AppState,
    context: &RequestContext,
    decision: Decision,
) -> Result<Shown, Problem> {
    let (id, person) = (decision.adjustment, person(context));
    let origin = context.origin(shared, context.fresh).await?;
    let adjustments = &shared.commands.adjustments;
    let decided = adjustments.decide(origin, person, decision).await;
    let decided = decided.map_err(|error| fault::undone(error, refused))?;
    shown(shared, written(shared, id, decided.position).await?).await
}

/// What a refusal is called.
fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::NotFound => Problem::new(Code::NotFound),
        Refusal::AccountUnknown => Problem::new(Code::AccountNotRegistered).at("/accountId"),
        Refusal::OtherCurrency => Problem::new(Code::CurrencyNotOfAccount).at("/currency"),
        Refusal::OtherMessage => Problem::new(Code::MessageNotOfAccount).at("/messageId"),
        Refusal::KeyReused => Problem::new(Code::IdempotencyKeyReused).at("Idempotency-Key"),
        Refusal::OwnProposal => Problem::new(Code::OwnProposal),
        Refusal::AlreadyDecided => Problem::new(Code::AlreadyDecided),
        Refusal::Changed { .. } => Problem::new(Code::PreconditionFailed).at("If-Match"),
    }
}
