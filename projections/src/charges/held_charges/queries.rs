//! What is asked of `billing.held_charges`.

use eventstore::postgres::Statement;
use schema::{
    AccountId, AccountTier, Currency, Direction, MessageId, OperatorId, Position, Status, TenantId,
    Timestamp, event::HoldReason,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    Page, ReadError, Reader, Scope,
    read::{Cells, Parameters},
};

const TABLE: &str = "billing.held_charges";

/// A charge that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldCharge {
    /// The message that is not charged yet.
    pub message_id: MessageId,
    /// The tenant whose message it is.
    pub tenant: TenantId,
    /// The account that is to pay.
    pub account: AccountId,
    /// The tier a price was sought for, where one is known.
    pub account_tier: Option<AccountTier>,
    /// The carrier that took the message.
    pub operator_id: OperatorId,
    /// The way it went.
    pub direction: Direction,
    /// The currency a price was sought in, where one is known.
    pub currency: Option<Currency>,
    /// The message's final status.
    pub dlr_status: Status,
    /// How many SMS segments it has, as announced.
    pub segment_count: i16,
    /// When it was settled, as announced.
    pub charged_at: Timestamp,
    /// The time a price was sought for.
    pub rated_at: Timestamp,
    /// Why it could not be charged.
    pub reason: HoldReason,
    /// When it was recorded that it waits.
    pub held_at: Timestamp,
    /// The position of that event in the log; its place in lists.
    pub position: Position,
}

/// Which of those that wait; a field that is not given leaves nothing out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeldFilter {
    /// This tenant's.
    pub tenant: Option<TenantId>,
    /// This account's.
    pub account: Option<AccountId>,
    /// Through this carrier.
    pub operator: Option<OperatorId>,
    /// What waits for this.
    pub reason: Option<HoldReason>,
}

impl HeldFilter {
    /// What statements are asked with for it: tenant, account, operator, reason.
    fn parameters(self) -> Parameters {
        vec![
            Box::new(self.tenant.map(|tenant| tenant.0)),
            Box::new(self.account.map(|account| account.0)),
            Box::new(self.operator.map(|operator| operator.0)),
            Box::new(self.reason.map(HoldReason::as_str)),
        ]
    }
}

/// The charges that wait, in the order they were held.
///
/// # Errors
/// See [`ReadError`].
pub async fn list(
    reader: &Reader,
    scope: Scope,
    filter: HeldFilter,
    page: Page,
) -> Result<Vec<HeldCharge>, ReadError> {
    const LIST: Statement = Statement::new(include_str!("list.sql"));
    let mut asked: Parameters = vec![
        Box::new(reader.log().0),
        Box::new(page.after.unwrap_or_default().0),
        Box::new(page.limit),
    ];
    asked.extend(filter.parameters());
    let rows = reader.rows(LIST, scope, asked).await?;
    rows.iter().map(read).collect()
}

/// The charge of a message that waits, or once waited.
///
/// # Errors
/// See [`ReadError`].
pub async fn find(reader: &Reader, message: MessageId) -> Result<Option<HeldCharge>, ReadError> {
    const FIND: Statement = Statement::new(include_str!("find.sql"));
    let asked: Parameters = vec![Box::new(reader.log().0), Box::new(message.0)];
    let rows = reader.rows(FIND, Scope::EveryTenant, asked).await?;
    rows.first().map(read).transpose()
}

/// Charges that wait for the same, added up. What they will cost is not known while they wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldSum {
    /// What they wait for.
    pub reason: HoldReason,
    /// How many there are.
    pub messages: i64,
    /// Their SMS segments.
    pub segments: i64,
}

/// What waits, added up by reason; a reason for which nothing waits is left out.
///
/// # Errors
/// See [`ReadError`].
pub async fn sums(
    reader: &Reader,
    scope: Scope,
    filter: HeldFilter,
) -> Result<Vec<HeldSum>, ReadError> {
    const SUM: Statement = Statement::new(include_str!("sum.sql"));
    let mut asked: Parameters = vec![Box::new(reader.log().0)];
    asked.extend(filter.parameters());
    let rows = reader.rows(SUM, scope, asked).await?;
    let sum = |row: &Row| {
        let cells = Cells::new(TABLE, row, "sum");
        Ok(HeldSum {
            reason: cells.word("reason", reason)?,
            messages: cells.get("messages")?,
            segments: cells.get("segments")?,
        })
    };
    rows.iter().map(sum).collect()
}

/// How many charges wait.
///
/// # Errors
/// See [`ReadError`].
pub async fn count(reader: &Reader, scope: Scope, filter: HeldFilter) -> Result<i64, ReadError> {
    let sums = sums(reader, scope, filter).await?;
    Ok(sums.iter().map(|sum| sum.messages).sum())
}

/// What has happened to held charges and to what they wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldNews {
    /// Moves with every change of a price, a cost or an account; says nothing else.
    pub changed: i64,
    /// The position of the newest held charge; the beginning before the first.
    pub held: Position,
    /// When the last one was charged, as recorded.
    pub resolved: Option<Timestamp>,
    /// The position up to which this table and those of prices, costs and accounts all show the
    /// log.
    pub shown: Position,
}

/// What has happened, over all tenants. It is cheap: each part is one look into an index.
///
/// # Errors
/// See [`ReadError`].
pub async fn news(reader: &Reader) -> Result<HeldNews, ReadError> {
    const NEWS: Statement = Statement::new(include_str!("news.sql"));
    let log = vec![Box::new(reader.log().0) as _];
    let rows = reader.rows(NEWS, Scope::EveryTenant, log).await?;
    // Unwrap safety: a select without a table answers with one row.
    let row = rows.first().expect("one row");
    let cells = Cells::new(TABLE, row, "news");
    Ok(HeldNews {
        changed: cells.get("changed")?,
        held: cells.position("held")?,
        resolved: cells.time_if_any("resolved")?,
        shown: cells.position("shown")?,
    })
}

/// At most `limit` charges of all tenants, held at positions after `after`, that a price of
/// today's table covers: position and message, oldest first. A hint: whether one can be rated is
/// decided with the log.
///
/// # Errors
/// See [`ReadError`].
pub async fn ratable(
    reader: &Reader,
    after: Position,
    limit: i64,
) -> Result<Vec<(Position, MessageId)>, ReadError> {
    const RATABLE: Statement = Statement::new(include_str!("ratable.sql"));
    let asked: Parameters = vec![Box::new(reader.log().0), Box::new(after.0), Box::new(limit)];
    let rows = reader.rows(RATABLE, Scope::EveryTenant, asked).await?;
    let read = |row| {
        let cells = Cells::new(TABLE, row, "ratable");
        Ok((
            cells.position("position")?,
            MessageId(cells.get("message_id")?),
        ))
    };
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<HeldCharge, ReadError> {
    let id: Uuid = Cells::new(TABLE, row, "?").get("message_id")?;
    let cells = Cells::new(TABLE, row, id);
    Ok(HeldCharge {
        message_id: MessageId(id),
        tenant: TenantId(cells.get("tenant_id")?),
        account: AccountId(cells.get("account_id")?),
        account_tier: cells.word_if_any("account_tier", AccountTier::parse)?,
        operator_id: OperatorId(cells.get("operator_id")?),
        direction: cells.word("direction", Direction::parse)?,
        currency: cells.word_if_any("currency", Currency::parse)?,
        dlr_status: cells.word("dlr_status", Status::parse)?,
        segment_count: cells.get("segment_count")?,
        charged_at: cells.time("charged_at")?,
        rated_at: cells.time("rated_at")?,
        reason: cells.word("reason", reason)?,
        held_at: cells.time("held_at")?,
        position: cells.position("position")?,
    })
}

/// The reason of this name.
fn reason(word: &str) -> Option<HoldReason> {
    HoldReason::ALL
        .into_iter()
        .find(|reason| reason.as_str() == word)
}
