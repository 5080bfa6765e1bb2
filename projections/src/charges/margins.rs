//! What is left of what customers pay once carriers are paid, over all tenants: asked of
//! `billing.usage_days`, and by tier of `billing.billing_events`.

use eventstore::postgres::Statement;
use schema::{Amount, Currency};
use time::Date;
use tokio_postgres::Row;

use crate::{
    ReadError, Reader, Scope,
    read::{Cells, Parameters},
};

/// By what charges are added up; by currency besides, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// The carrier.
    Operator,
    /// The account that pays.
    Account,
    /// The tenant it belongs to.
    Tenant,
    /// The tier that chose the price.
    Tier,
    /// Only the currency.
    Currency,
}

impl Grouping {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Account => "account",
            Self::Tenant => "tenant",
            Self::Tier => "tier",
            Self::Currency => "currency",
        }
    }
}

/// The charges that are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarginsOf {
    /// By what.
    pub by: Grouping,
    /// From the beginning of this day.
    pub from: Date,
    /// To the end of this day: it is included.
    pub to: Date,
}

/// Charges of one group in one currency, added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Margin {
    /// Which group, and its place among them.
    pub group: MarginGroup,
    /// Charged messages.
    pub messages: i64,
    /// Their SMS segments.
    pub segments: i64,
    /// The customers' prices. Adjustments are none of a carrier's, and are not in them.
    pub customer_price: Amount,
    /// The carriers' costs, as far as they are known in the currency of the prices.
    pub operator_cost: Amount,
    /// The margins, as far as they are known. May be negative.
    pub margin: Amount,
    /// How many messages had no cost.
    pub cost_missing: i64,
    /// How many are in neither cost nor margin, for want of an exchange rate.
    pub margin_unknown: i64,
}

/// A group of charges in one currency.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MarginGroup {
    /// The id of the carrier, the account or the tenant, the word of the tier, or the currency.
    pub key: String,
    /// The currency of all amounts.
    pub currency: Currency,
}

/// At most `limit` groups behind `after`, in the order of their keys and currencies.
///
/// # Errors
/// See [`ReadError`].
pub async fn margins(
    reader: &Reader,
    of: MarginsOf,
    after: Option<&MarginGroup>,
    limit: i64,
) -> Result<Vec<Margin>, ReadError> {
    const BY_BUCKET: Statement = Statement::new(include_str!("margins/by_bucket.sql"));
    const BY_TIER: Statement = Statement::new(include_str!("margins/by_tier.sql"));
    let log = reader.log().0;
    let (from, end) = (of.from, of.to.next_day().unwrap_or(of.to));
    let key = after.map_or_else(String::new, |after| after.key.clone());
    let currency = after.map_or_else(String::new, |after| after.currency.to_string());
    let (statement, asked): (_, Parameters) = match of.by {
        Grouping::Tier => (
            BY_TIER,
            vec![
                Box::new(log),
                Box::new(from.midnight().assume_utc()),
                Box::new(end.midnight().assume_utc()),
                Box::new(key),
                Box::new(currency),
                Box::new(limit),
                Box::new(from),
                Box::new(end),
            ],
        ),
        by => (
            BY_BUCKET,
            vec![
                Box::new(log),
                Box::new(from),
                Box::new(end),
                Box::new(by.as_str()),
                Box::new(key),
                Box::new(currency),
                Box::new(limit),
            ],
        ),
    };
    let rows = reader.rows(statement, Scope::EveryTenant, asked).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Margin, ReadError> {
    let cells = Cells::new("billing.usage_days", row, "sum");
    let group = MarginGroup {
        key: cells.get("key")?,
        currency: cells.currency("currency")?,
    };
    Ok(Margin {
        group,
        messages: cells.get("messages")?,
        segments: cells.get("segments")?,
        customer_price: Amount::from_millionths(cells.get("price")?),
        operator_cost: Amount::from_millionths(cells.get("cost")?),
        margin: Amount::from_millionths(cells.get("margin")?),
        cost_missing: cells.get("cost_missing")?,
        margin_unknown: cells.get("margin_unknown")?,
    })
}
