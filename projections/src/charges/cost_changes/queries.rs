//! What is asked of `billing.cost_changes`, and of the charges that a change concerns.

use eventstore::postgres::Statement;
use schema::{
    AccountId, Amount, CostKey, Currency, Direction, ExchangeRateId, ExchangeRateKey, MessageId,
    OperatorCostId, OperatorId, Period, Position, Pseudonym, Status, StreamVersion, Timestamp,
    event::AssessmentCursor,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{ReadError, Reader, Scope, read::Cells};

const TABLE: &str = "billing.cost_changes";

/// The changes whose charges are not all assessed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingChanges {
    /// The version of the stream of assessments that is shown.
    pub version: StreamVersion,
    /// The oldest of them; none while the tables they rest on are behind each other.
    pub changes: Vec<CostChange>,
    /// How many there are.
    pub waiting: i64,
    /// Up to where these tables show the log.
    pub shown: Position,
}

/// A change of a cost or an exchange rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostChange {
    /// Where in the log it stands.
    pub position: Position,
    /// What changed.
    pub of: ChangedCost,
    /// For which time.
    pub period: Period,
    /// Whether it concerns charges that are not assessed again.
    pub concerns: bool,
    /// How many charges were looked at.
    pub examined: i64,
    /// How many of them cost something else now.
    pub changed: i64,
    /// The last charge looked at.
    pub through: Option<AssessmentCursor>,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangedCost {
    /// What a carrier takes.
    Cost(CostKey),
    /// An exchange rate.
    Rate(ExchangeRateKey),
}

/// A charge, with what it is shown to cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChargeRow {
    /// The message.
    pub message: MessageId,
    /// Whose it is, as the log names them.
    pub tenant: Pseudonym,
    /// On which account.
    pub account: AccountId,
    /// Its place among the charges of a change.
    pub cursor: AssessmentCursor,
    /// Which way it went.
    pub direction: Direction,
    /// The message's final status.
    pub status: Status,
    /// Its SMS segments.
    pub segments: i16,
    /// What the customer pays.
    pub customer_price: Amount,
    /// In this currency.
    pub currency: Currency,
    /// The version of the cost.
    pub cost: Option<OperatorCostId>,
    /// The version of the exchange rate.
    pub exchange: Option<ExchangeRateId>,
    /// What the carrier takes, in its own currency.
    pub operator_cost: Amount,
    /// The same in the currency of the charge.
    pub converted_cost: Option<Amount>,
    /// The margin.
    pub margin: Option<Amount>,
}

/// At most `limit` changes, the oldest first, whose charges are not all assessed again.
///
/// # Errors
/// See [`ReadError`].
pub async fn pending(reader: &Reader, limit: i64) -> Result<PendingChanges, ReadError> {
    const PENDING: Statement = Statement::new(include_str!("pending.sql"));
    let asked = vec![Box::new(reader.log().0) as _, Box::new(limit) as _];
    let rows = reader.rows(PENDING, Scope::EveryTenant, asked).await?;
    // Unwrap safety: a left join answers with its left side's one row.
    let first = Cells::new(TABLE, rows.first().expect("one row"), "pending");
    let mut changes = Vec::new();
    for row in &rows {
        let position: Option<i64> = Cells::new(TABLE, row, "pending").get("position")?;
        if let Some(position) = position {
            changes.push(change(row, Position(position))?);
        }
    }
    Ok(PendingChanges {
        version: StreamVersion(first.get("version")?),
        waiting: first.get("waiting")?,
        shown: first.position("shown")?,
        changes,
    })
}

fn change(row: &Row, position: Position) -> Result<CostChange, ReadError> {
    let cells = Cells::new(TABLE, row, position);
    let operator: Option<Uuid> = cells.get("operator_id")?;
    let of = match operator.map(OperatorId) {
        Some(operator_id) => ChangedCost::Cost(CostKey {
            operator_id,
            direction: cells.word("direction", Direction::parse)?,
        }),
        None => ChangedCost::Rate(ExchangeRateKey {
            base: cells.currency("base_currency")?,
            quote: cells.currency("quote_currency")?,
        }),
    };
    let through: Option<Uuid> = cells.get("through_operator_id")?;
    let through = match through.map(OperatorId) {
        Some(operator_id) => Some(AssessmentCursor {
            operator_id,
            rated_at: cells.time("through_rated_at")?,
            position: cells.position("through_position")?,
        }),
        None => None,
    };
    Ok(CostChange {
        position,
        of,
        period: Period {
            effective_from: cells.time("effective_from")?,
            effective_to: cells.time_if_any("effective_to")?,
        },
        concerns: cells.get("concerns")?,
        examined: cells.get("examined_count")?,
        changed: cells.get("changed_count")?,
        through,
    })
}

/// At most `limit` charges that `change` concerns, behind `after`.
///
/// # Errors
/// See [`ReadError`].
pub async fn charges(
    reader: &Reader,
    change: &CostChange,
    after: Option<AssessmentCursor>,
    limit: usize,
) -> Result<Vec<ChargeRow>, ReadError> {
    let carriers = match change.of {
        ChangedCost::Cost(key) => vec![key.operator_id],
        ChangedCost::Rate(key) => carriers(reader, key.base).await?,
    };
    let mut found = Vec::new();
    for operator in carriers {
        let behind = after.filter(|last| last.operator_id >= operator);
        if behind.is_some_and(|last| last.operator_id > operator) {
            continue;
        }
        let left = limit - found.len();
        found.extend(of_carrier(reader, change, operator, behind, left).await?);
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

async fn carriers(reader: &Reader, currency: Currency) -> Result<Vec<OperatorId>, ReadError> {
    const CARRIERS: Statement = Statement::new(include_str!("carriers.sql"));
    let asked = vec![
        Box::new(reader.log().0) as _,
        Box::new(currency.to_string()) as _,
    ];
    let rows = reader.rows(CARRIERS, Scope::EveryTenant, asked).await?;
    let read = |row| Cells::new("billing.operator_costs", row, currency).get("operator_id");
    rows.iter().map(|row| read(row).map(OperatorId)).collect()
}

async fn of_carrier(
    reader: &Reader,
    change: &CostChange,
    operator: OperatorId,
    behind: Option<AssessmentCursor>,
    limit: usize,
) -> Result<Vec<ChargeRow>, ReadError> {
    const CHARGES: Statement = Statement::new(include_str!("charges.sql"));
    let (direction, currency) = match change.of {
        ChangedCost::Cost(key) => (Some(key.direction.as_str()), None),
        ChangedCost::Rate(key) => (None, Some(key.quote.to_string())),
    };
    let Period {
        effective_from,
        effective_to,
    } = change.period;
    let (time, position) = behind.map_or((effective_from, Position::BEGINNING), |last| {
        (last.rated_at, last.position)
    });
    let asked = vec![
        Box::new(reader.log().0) as _,
        Box::new(operator.0) as _,
        Box::new(direction) as _,
        Box::new(currency) as _,
        Box::new(effective_from.datetime()) as _,
        Box::new(effective_to.map(Timestamp::datetime)) as _,
        Box::new(change.position.0) as _,
        Box::new(time.datetime()) as _,
        Box::new(position.0) as _,
        Box::new(i64::try_from(limit).unwrap_or(i64::MAX)) as _,
    ];
    let rows = reader.rows(CHARGES, Scope::EveryTenant, asked).await?;
    rows.iter().map(charge).collect()
}

fn charge(row: &Row) -> Result<ChargeRow, ReadError> {
    const TABLE: &str = "billing.billing_events";
    let position = Cells::new(TABLE, row, "?").position("position")?;
    let cells = Cells::new(TABLE, row, position);
    let cost: Option<Uuid> = cells.get("operator_cost_id")?;
    let exchange: Option<Uuid> = cells.get("exchange_rate_id")?;
    Ok(ChargeRow {
        message: MessageId(cells.get("message_id")?),
        tenant: Pseudonym(cells.get("pseudonym")?),
        account: AccountId(cells.get("account_id")?),
        cursor: AssessmentCursor {
            operator_id: OperatorId(cells.get("operator_id")?),
            rated_at: cells.time("rated_at")?,
            position,
        },
        direction: cells.word("direction", Direction::parse)?,
        status: cells.word("dlr_status", Status::parse)?,
        segments: cells.get("segment_count")?,
        customer_price: cells.amount("customer_price")?,
        currency: cells.currency("currency")?,
        cost: cost.map(OperatorCostId),
        exchange: exchange.map(ExchangeRateId),
        operator_cost: cells.amount("operator_cost")?,
        converted_cost: cells.amount_if_any("converted_cost")?,
        margin: cells.amount_if_any("margin")?,
    })
}
