//! What is asked of `billing.adjustments`.

use eventstore::postgres::Statement;
use schema::{
    AccountId, AdjustmentAmount, AdjustmentId, Currency, MessageId, Position, SealedValue,
    StreamVersion, TenantId, Timestamp,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    Page, ReadError, Reader, Scope,
    read::{Cells, Parameters},
};

const TABLE: &str = "billing.adjustments";

/// How far an adjustment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It waits for another person.
    Proposed,
    /// It counts.
    Approved,
    /// It never will.
    Rejected,
}

impl Status {
    /// The word in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "PROPOSED",
            Self::Approved => "APPROVED",
            Self::Rejected => "REJECTED",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        let all = [Self::Proposed, Self::Approved, Self::Rejected];
        all.into_iter().find(|status| status.as_str() == word)
    }
}

/// A reason as it was sealed: it opens in the adjustment's stream at `version`, in the field
/// [`schema::Sealed::REASON`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedReason {
    /// What was sealed.
    pub value: SealedValue,
    /// The version of its event in the adjustment's stream.
    pub version: StreamVersion,
}

/// Who decided an adjustment, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Who, as the log names them.
    pub by: String,
    /// When that was recorded.
    pub at: Timestamp,
}

/// An adjustment as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// The adjustment.
    pub id: AdjustmentId,
    /// The tenant of the account.
    pub tenant: TenantId,
    /// The account that pays it.
    pub account: AccountId,
    /// What it pays more; less, if negative.
    pub amount: AdjustmentAmount,
    /// The currency of the amount.
    pub currency: Currency,
    /// The charged message that it is about, if it is about one.
    pub message: Option<MessageId>,
    /// How far it has come.
    pub status: Status,
    /// Why it was proposed; nothing of an erased tenant.
    pub reason: Option<SealedReason>,
    /// Who proposed it, as the log names them.
    pub proposed_by: String,
    /// When that was recorded.
    pub proposed_at: Timestamp,
    /// Who approved or rejected it, once somebody has.
    pub decided: Option<Decided>,
    /// Why it was rejected.
    pub rejection: Option<SealedReason>,
    /// The position of its proposal in the log.
    pub position: Position,
    /// The position of its last change.
    pub changed_position: Position,
}

/// Which of all adjustments; a field that is not given leaves nothing out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this status.
    pub status: Option<Status>,
    /// This tenant's.
    pub tenant: Option<TenantId>,
    /// This account's.
    pub account: Option<AccountId>,
    /// Proposed at this time or later.
    pub from: Option<Timestamp>,
    /// Proposed before this time.
    pub to: Option<Timestamp>,
}

/// Which of the approved ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApprovedFilter {
    /// Of this account.
    pub account: AccountId,
    /// Approved at this time or later.
    pub from: Option<Timestamp>,
    /// Approved before this time.
    pub to: Option<Timestamp>,
}

/// The adjustment, whosever it is.
///
/// # Errors
/// See [`ReadError`].
pub async fn one(reader: &Reader, id: AdjustmentId) -> Result<Option<Adjustment>, ReadError> {
    const ONE: Statement = Statement::new(include_str!("one.sql"));
    let asked: Parameters = vec![Box::new(reader.log().0), Box::new(id.0)];
    let rows = reader.rows(ONE, Scope::EveryTenant, asked).await?;
    rows.first().map(read).transpose()
}

/// Adjustments of all tenants, in the order they were proposed. The platform's own people ask.
///
/// # Errors
/// See [`ReadError`].
pub async fn list(
    reader: &Reader,
    filter: Filter,
    page: Page,
) -> Result<Vec<Adjustment>, ReadError> {
    const LIST: Statement = Statement::new(include_str!("list.sql"));
    let asked: Parameters = vec![
        Box::new(reader.log().0),
        Box::new(page.after.unwrap_or_default().0),
        Box::new(page.limit),
        Box::new(filter.status.map(Status::as_str)),
        Box::new(filter.tenant.map(|tenant| tenant.0)),
        Box::new(filter.account.map(|account| account.0)),
        Box::new(filter.from.map(Timestamp::datetime)),
        Box::new(filter.to.map(Timestamp::datetime)),
    ];
    let rows = reader.rows(LIST, Scope::EveryTenant, asked).await?;
    rows.iter().map(read).collect()
}

/// What counts for an account of `tenant`, in the order it was approved; a page is by the position of
/// the approval.
///
/// # Errors
/// See [`ReadError`].
pub async fn approved(
    reader: &Reader,
    tenant: TenantId,
    filter: ApprovedFilter,
    page: Page,
) -> Result<Vec<Adjustment>, ReadError> {
    const APPROVED: Statement = Statement::new(include_str!("approved.sql"));
    let asked: Parameters = vec![
        Box::new(reader.log().0),
        Box::new(page.after.unwrap_or_default().0),
        Box::new(page.limit),
        Box::new(tenant.0),
        Box::new(filter.account.0),
        Box::new(filter.from.map(Timestamp::datetime)),
        Box::new(filter.to.map(Timestamp::datetime)),
    ];
    let rows = reader.rows(APPROVED, Scope::Tenant(tenant), asked).await?;
    rows.iter().map(read).collect()
}

/// Whether anything was ever charged on the account of `tenant` in `currency`.
///
/// # Errors
/// See [`ReadError`].
pub async fn paid_in(
    reader: &Reader,
    tenant: TenantId,
    account: AccountId,
    currency: Currency,
) -> Result<bool, ReadError> {
    const PAID_IN: Statement = Statement::new(include_str!("paid_in.sql"));
    let asked: Parameters = vec![
        Box::new(tenant.0),
        Box::new(account.0),
        Box::new(currency.to_string()),
    ];
    let rows = reader.rows(PAID_IN, Scope::Tenant(tenant), asked).await?;
    // Unwrap safety: a bare `select exists` answers with one row.
    let row = rows.first().expect("one row");
    Cells::new("billing.usage_days", row, "exists").get("paid")
}

fn read(row: &Row) -> Result<Adjustment, ReadError> {
    let id: Uuid = Cells::new(TABLE, row, "?").get("adjustment_id")?;
    let cells = Cells::new(TABLE, row, id);
    let amount = AdjustmentAmount::try_from(cells.amount("amount")?).ok();
    let by: Option<String> = cells.get("decided_by")?;
    let decided = by.zip(cells.time_if_any("decided_at")?);
    let message: Option<Uuid> = cells.get("message_id")?;
    Ok(Adjustment {
        id: AdjustmentId(id),
        tenant: TenantId(cells.get("tenant_id")?),
        account: AccountId(cells.get("account_id")?),
        amount: cells.known("amount", amount)?,
        currency: cells.currency("currency")?,
        message: message.map(MessageId),
        status: cells.word("status", Status::parse)?,
        reason: reason(&cells, "reason", "reason_version")?,
        proposed_by: cells.get("proposed_by")?,
        proposed_at: cells.time("proposed_at")?,
        decided: decided.map(|(by, at)| Decided { by, at }),
        rejection: reason(&cells, "rejection_reason", "rejection_version")?,
        position: cells.position("position")?,
        changed_position: cells.position("changed_position")?,
    })
}

fn reason(
    cells: &Cells<'_, Uuid>,
    column: &'static str,
    version: &'static str,
) -> Result<Option<SealedReason>, ReadError> {
    let sealed: Option<String> = cells.get(column)?;
    let version: Option<i32> = cells.get(version)?;
    Ok(sealed.zip(version).map(|(value, version)| SealedReason {
        value: SealedValue(value),
        version: StreamVersion(version),
    }))
}
