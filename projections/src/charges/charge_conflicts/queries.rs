//! What is asked of `billing.charge_conflicts`.

use eventstore::postgres::Statement;
use schema::{
    AccountId, AccountTier, Currency, Direction, EventId, MessageId, OperatorId, Position, Status,
    TenantId, Timestamp,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{Page, ReadError, Reader, Scope, read::Cells};

const TABLE: &str = "billing.charge_conflicts";

/// A settlement that contradicts the first of its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeConflict {
    /// Its event.
    pub id: EventId,
    /// The message that both are about.
    pub message_id: MessageId,
    /// The names of the fields in which they differ.
    pub differs: Vec<String>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// What counts: the first.
    pub first: Said,
    /// What was said afterwards.
    pub said: Said,
    /// The position of its event in the log; its place in lists.
    pub position: Position,
}

/// What a settlement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The announcement that said it.
    pub source_event_id: Uuid,
    /// Whose message it is.
    pub tenant: TenantId,
    /// The account that is to pay.
    pub account: AccountId,
    /// The carrier that took it.
    pub operator_id: OperatorId,
    /// The way it went.
    pub direction: Direction,
    /// How many SMS segments it has.
    pub segment_count: i16,
    /// Its final status.
    pub dlr_status: Status,
    /// When it reached that.
    pub occurred_at: Timestamp,
    /// What decides its price.
    pub charged_at: Timestamp,
    /// The tier that is named, if any.
    pub stated_tier: Option<AccountTier>,
    /// The currency that is named, if any.
    pub stated_currency: Option<Currency>,
}

/// Which of them; a field that is not given leaves nothing out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConflictFilter {
    /// Those that say they are this tenant's.
    pub tenant: Option<TenantId>,
    /// Those that say they are this account's.
    pub account: Option<AccountId>,
    /// Recorded from then on.
    pub from: Option<Timestamp>,
    /// Recorded before then.
    pub to: Option<Timestamp>,
}

/// The contradictions, in the order they were recorded.
///
/// # Errors
/// See [`ReadError`].
pub async fn list(
    reader: &Reader,
    scope: Scope,
    filter: ConflictFilter,
    page: Page,
) -> Result<Vec<ChargeConflict>, ReadError> {
    const LIST: Statement = Statement::new(include_str!("list.sql"));
    let rows = reader
        .rows(
            LIST,
            scope,
            vec![
                Box::new(reader.log().0),
                Box::new(page.after.unwrap_or_default().0),
                Box::new(page.limit),
                Box::new(filter.tenant.map(|tenant| tenant.0)),
                Box::new(filter.account.map(|account| account.0)),
                Box::new(filter.from.map(Timestamp::datetime)),
                Box::new(filter.to.map(Timestamp::datetime)),
            ],
        )
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<ChargeConflict, ReadError> {
    let id: Uuid = Cells::new(TABLE, row, "?").get("conflict_id")?;
    let cells = Cells::new(TABLE, row, id);
    Ok(ChargeConflict {
        id: EventId(id),
        message_id: MessageId(cells.get("message_id")?),
        differs: cells.get("differs")?,
        recorded_at: cells.time("recorded_at")?,
        first: first(&cells)?,
        said: said(&cells)?,
        position: cells.position("position")?,
    })
}

fn said(cells: &Cells<'_, Uuid>) -> Result<Said, ReadError> {
    Ok(Said {
        source_event_id: cells.get("source_event_id")?,
        tenant: TenantId(cells.get("tenant_id")?),
        account: AccountId(cells.get("account_id")?),
        operator_id: OperatorId(cells.get("operator_id")?),
        direction: cells.word("direction", Direction::parse)?,
        segment_count: cells.get("segment_count")?,
        dlr_status: cells.word("dlr_status", Status::parse)?,
        occurred_at: cells.time("occurred_at")?,
        charged_at: cells.time("charged_at")?,
        stated_tier: cells.word_if_any("stated_tier", AccountTier::parse)?,
        stated_currency: cells.word_if_any("stated_currency", Currency::parse)?,
    })
}

fn first(cells: &Cells<'_, Uuid>) -> Result<Said, ReadError> {
    Ok(Said {
        source_event_id: cells.get("first_source_event_id")?,
        tenant: TenantId(cells.get("first_tenant_id")?),
        account: AccountId(cells.get("first_account_id")?),
        operator_id: OperatorId(cells.get("first_operator_id")?),
        direction: cells.word("first_direction", Direction::parse)?,
        segment_count: cells.get("first_segment_count")?,
        dlr_status: cells.word("first_dlr_status", Status::parse)?,
        occurred_at: cells.time("first_occurred_at")?,
        charged_at: cells.time("first_charged_at")?,
        stated_tier: cells.word_if_any("first_stated_tier", AccountTier::parse)?,
        stated_currency: cells.word_if_any("first_stated_currency", Currency::parse)?,
    })
}
