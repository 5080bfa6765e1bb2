//! What an account used: the question asked of `billing.usage_summaries` and
//! `billing.usage_days`.

use std::collections::BTreeMap;

use eventstore::postgres::Statement;
use schema::{AccountId, Amount, Currency, OperatorId, TenantId, Timestamp};
use time::{Date, OffsetDateTime, Time};
use tokio_postgres::Row;

use crate::{ReadError, Reader, Scope, read::Cells};

/// How long the periods are that usage is told for; in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granularity {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A calendar month.
    Month,
}

/// The usage of an account over some days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageOf {
    /// The tenant the account belongs to.
    pub tenant: TenantId,
    /// The account.
    pub account: AccountId,
    /// From the beginning of this day.
    pub from: Date,
    /// To the end of this day: it is included.
    pub to: Date,
    /// The length of the periods it is told by. A month that the days cover in part is told in part.
    pub granularity: Granularity,
    /// Only through this carrier.
    pub operator: Option<OperatorId>,
}

/// Charges, added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Charged messages.
    pub messages: i64,
    /// Their SMS segments.
    pub segments: i64,
    /// The customer's prices, six decimal places, in the currency they are told under.
    pub customer_price: Amount,
    /// The carriers' costs, in the same currency, as far as they are known in it.
    pub operator_cost: Amount,
    /// The margins, as far as they are known. May be negative.
    pub margin: Amount,
    /// How many messages had no cost.
    pub cost_missing: i64,
    /// How many messages are in neither cost nor margin, for want of an exchange rate.
    pub margin_unknown: i64,
    /// How many adjustments were approved.
    pub adjustments: i64,
    /// What they add up to: what the customer pays more; less, if it is negative.
    pub adjusted: Amount,
}

/// The usage of one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// When the period begins. A period without usage has no bucket.
    pub begins: Timestamp,
    /// The charges rated for an instant of it, added up.
    pub figures: Figures,
}

/// The usage in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrencyUsage {
    /// The currency of all its amounts.
    pub currency: Currency,
    /// By period, in order; never empty.
    pub buckets: Vec<Bucket>,
    /// All of them together.
    pub total: Figures,
}

impl Figures {
    /// No charges.
    pub const NONE: Self = Self {
        messages: 0,
        segments: 0,
        customer_price: Amount::ZERO,
        operator_cost: Amount::ZERO,
        margin: Amount::ZERO,
        cost_missing: 0,
        margin_unknown: 0,
        adjustments: 0,
        adjusted: Amount::ZERO,
    };

    fn plus(self, more: Self) -> Self {
        Self {
            messages: self.messages + more.messages,
            segments: self.segments + more.segments,
            customer_price: self.customer_price + more.customer_price,
            operator_cost: self.operator_cost + more.operator_cost,
            margin: self.margin + more.margin,
            cost_missing: self.cost_missing + more.cost_missing,
            margin_unknown: self.margin_unknown + more.margin_unknown,
            adjustments: self.adjustments + more.adjustments,
            adjusted: self.adjusted + more.adjusted,
        }
    }
}

/// What an account used, by currency in the order of their codes; empty if nothing. Hours are
/// those of the time that chose the price, see `billing.usage_summaries`.
///
/// # Errors
/// See [`ReadError`].
pub async fn usage(
    reader: &Reader,
    scope: Scope,
    of: UsageOf,
) -> Result<Vec<CurrencyUsage>, ReadError> {
    let mut rows = match of.granularity {
        Granularity::Hour => hours(reader, scope, of).await?,
        Granularity::Day | Granularity::Month => days(reader, scope, of).await?,
    };
    // No adjustment is a carrier's.
    if of.operator.is_none() {
        rows.extend(adjusted(reader, scope, of).await?);
        rows.sort_by_key(|(begins, currency, _)| (*begins, *currency));
    }
    Ok(by_currency(rows, of.granularity))
}

type Counted = (OffsetDateTime, Currency, Figures);

async fn hours(reader: &Reader, scope: Scope, of: UsageOf) -> Result<Vec<Counted>, ReadError> {
    const BY_HOUR: Statement = Statement::new(include_str!("by_hour.sql"));
    let begin = |day: Date| day.midnight().assume_utc();
    let rows = reader
        .rows(
            BY_HOUR,
            scope,
            vec![
                Box::new(of.tenant.0),
                Box::new(of.account.0),
                Box::new(begin(of.from)),
                Box::new(begin(after(of.to))),
                Box::new(of.operator.map(|operator| operator.0)),
            ],
        )
        .await?;
    let read = |row: &Row| {
        let cells = Cells::new("billing.usage_summaries", row, of.account);
        Ok((
            cells.get("period")?,
            cells.currency("currency")?,
            figures(&cells)?,
        ))
    };
    rows.iter().map(read).collect()
}

async fn days(reader: &Reader, scope: Scope, of: UsageOf) -> Result<Vec<Counted>, ReadError> {
    const BY_DAY: Statement = Statement::new(include_str!("by_day.sql"));
    let rows = reader
        .rows(
            BY_DAY,
            scope,
            vec![
                Box::new(of.tenant.0),
                Box::new(of.account.0),
                Box::new(of.from),
                Box::new(after(of.to)),
                Box::new(of.operator.map(|operator| operator.0)),
            ],
        )
        .await?;
    let read = |row: &Row| {
        let cells = Cells::new("billing.usage_days", row, of.account);
        let day: Date = cells.get("period")?;
        let begins = day.with_time(Time::MIDNIGHT).assume_utc();
        Ok((begins, cells.currency("currency")?, figures(&cells)?))
    };
    rows.iter().map(read).collect()
}

/// What adjustments add up to, in periods as long as those of the charges.
async fn adjusted(reader: &Reader, scope: Scope, of: UsageOf) -> Result<Vec<Counted>, ReadError> {
    const ADJUSTED: Statement = Statement::new(include_str!("adjusted.sql"));
    let begin = |day: Date| day.midnight().assume_utc();
    let period = match of.granularity {
        Granularity::Hour => "hour",
        Granularity::Day | Granularity::Month => "day",
    };
    let rows = reader
        .rows(
            ADJUSTED,
            scope,
            vec![
                Box::new(of.tenant.0),
                Box::new(of.account.0),
                Box::new(begin(of.from)),
                Box::new(begin(after(of.to))),
                Box::new(period),
            ],
        )
        .await?;
    let read = |row: &Row| {
        let cells = Cells::new("billing.adjustments", row, of.account);
        let figures = Figures {
            adjustments: cells.get("adjustments")?,
            adjusted: Amount::from_millionths(cells.get("amount")?),
            ..Figures::NONE
        };
        Ok((cells.get("period")?, cells.currency("currency")?, figures))
    };
    rows.iter().map(read).collect()
}

/// The day after; the last day there is has none.
fn after(day: Date) -> Date {
    day.next_day().unwrap_or(day)
}

fn figures(cells: &Cells<'_, AccountId>) -> Result<Figures, ReadError> {
    Ok(Figures {
        messages: cells.get("messages")?,
        segments: cells.get("segments")?,
        customer_price: Amount::from_millionths(cells.get("price")?),
        operator_cost: Amount::from_millionths(cells.get("cost")?),
        margin: Amount::from_millionths(cells.get("margin")?),
        cost_missing: cells.get("cost_missing")?,
        margin_unknown: cells.get("margin_unknown")?,
        ..Figures::NONE
    })
}

/// Parts the rows, which come in order of time, by currency. Days of one month become one bucket.
fn by_currency(rows: Vec<Counted>, granularity: Granularity) -> Vec<CurrencyUsage> {
    let mut currencies = BTreeMap::<Currency, CurrencyUsage>::new();
    for (begins, currency, figures) in rows {
        let begins = match granularity {
            // Unwrap safety: every month has a first day.
            Granularity::Month => begins.replace_day(1).expect("a first day"),
            Granularity::Day | Granularity::Hour => begins,
        };
        let begins = Timestamp::from_datetime(begins);
        let usage = currencies.entry(currency).or_insert_with(|| CurrencyUsage {
            currency,
            buckets: Vec::new(),
            total: Figures::NONE,
        });
        usage.total = usage.total.plus(figures);
        match usage.buckets.last_mut() {
            Some(last) if last.begins == begins => last.figures = last.figures.plus(figures),
            _ => usage.buckets.push(Bucket { begins, figures }),
        }
    }
    currencies.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(day: &str, currency: &str, price: i64) -> Counted {
        let at = Timestamp::parse(&format!("{day}T00:00:00Z")).expect("a time");
        let figures = Figures {
            messages: 1,
            segments: 2,
            customer_price: Amount::from_millionths(price),
            operator_cost: Amount::from_millionths(3),
            margin: Amount::from_millionths(price - 3),
            cost_missing: 1,
            margin_unknown: 0,
            ..Figures::NONE
        };
        let currency = Currency::parse(currency).expect("a currency");
        (at.datetime(), currency, figures)
    }

    #[test]
    fn days_of_one_month_become_one_bucket_of_their_currency() {
        let rows = vec![
            used("2026-01-31", "USD", 1),
            used("2026-02-01", "EUR", 10),
            used("2026-02-01", "USD", 100),
            used("2026-02-28", "USD", 1_000),
        ];
        let told = by_currency(rows, Granularity::Month);
        let codes: Vec<_> = told
            .iter()
            .map(|usage| usage.currency.to_string())
            .collect();
        assert_eq!(codes, ["EUR", "USD"]);
        let dollars: Vec<_> = told[1]
            .buckets
            .iter()
            .map(|bucket| (bucket.begins.to_string(), bucket.figures.customer_price))
            .collect();
        let price = Amount::from_millionths;
        assert_eq!(
            dollars,
            [
                ("2026-01-01T00:00:00.000000Z".to_owned(), price(1)),
                ("2026-02-01T00:00:00.000000Z".to_owned(), price(1_100))
            ]
        );
        let total = told[1].total;
        assert_eq!((total.messages, total.segments), (3, 6));
        assert_eq!(
            (total.customer_price, total.margin, total.cost_missing),
            (price(1_101), price(1_092), 3)
        );
    }
}
