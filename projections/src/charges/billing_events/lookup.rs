//! Charges as somebody looks at them: an account's in the order of their time, or the one of a
//! message.

use eventstore::postgres::Statement;
use schema::{
    AccountId, AccountTier, Amount, Currency, Direction, ExchangeRateId, MessageId, OperatorCostId,
    OperatorId, Position, PricingTableId, Status, TenantId, Timestamp,
};
use time::{OffsetDateTime, macros::datetime};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    ReadError, Reader, Scope,
    read::{Cells, Parameters},
};

const TABLE: &str = "billing.billing_events";
/// Before every charge, and after.
const BEGINNING: OffsetDateTime = datetime!(0000-01-01 00:00 UTC);
const END: OffsetDateTime = datetime!(9999-12-31 23:59:59.999999 UTC);

/// A charged message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a column that says yes or no by itself"
)]
pub struct Charge {
    /// Its place among the account's charges.
    pub place: ChargePlace,
    /// The message.
    pub message_id: MessageId,
    /// The tenant whose message it is.
    pub tenant: TenantId,
    /// The account that pays.
    pub account: AccountId,
    /// The carrier that took the message.
    pub operator_id: OperatorId,
    /// The way it went.
    pub direction: Direction,
    /// How many SMS segments it has.
    pub segment_count: i16,
    /// The message's final status.
    pub dlr_status: Status,
    /// When it was settled, as announced.
    pub charged_at: Timestamp,
    /// When the charge was recorded.
    pub created_at: Timestamp,
    /// The tier that chose the price.
    pub account_tier: AccountTier,
    /// Whether the price charges for this status.
    pub billed: bool,
    /// What the customer pays.
    pub customer_price: Amount,
    /// In which currency.
    pub currency: Currency,
    /// The version of the price.
    pub pricing_table: PricingTableId,
    /// Whether that price is the tenant's own.
    pub own_price: bool,
    /// Whether it was settled too far ahead of our clock to be believed.
    pub clock_skew: bool,
    /// Whether its settlement arrived long after it was settled.
    pub late: bool,
    /// What it costs, by the latest assessment.
    pub cost: ChargeCost,
}

/// What a charged message costs, as it is known now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChargeCost {
    /// The version of the cost; none where the carrier has none.
    pub operator_cost_id: Option<OperatorCostId>,
    /// What the carrier takes, in `currency`; zero without a cost.
    pub operator_cost: Amount,
    /// What the carrier is paid in; none without a cost.
    pub currency: Option<Currency>,
    /// The version of the exchange rate, if one was needed and is there.
    pub exchange_rate_id: Option<ExchangeRateId>,
    /// What the carrier takes, in the currency of the charge; none where that is not known.
    pub converted_cost: Option<Amount>,
    /// The price less that; none where it is not known.
    pub margin: Option<Amount>,
    /// Where in the log that stands.
    pub assessed_position: Position,
}

/// Where a charge stands in lists: by the time that chose its price, and at one time by when it was
/// recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChargePlace {
    /// The time that chose the price.
    pub rated_at: Timestamp,
    /// Its position in the log.
    pub position: Position,
}

/// Which charges are sought; a field that is not given leaves nothing out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChargeFilter {
    /// Rated for this time or later.
    pub from: Option<Timestamp>,
    /// Rated for a time before this.
    pub to: Option<Timestamp>,
    /// Through this carrier.
    pub operator: Option<OperatorId>,
    /// With this final status.
    pub status: Option<Status>,
    /// Whether its price charges for that status.
    pub billed: Option<bool>,
    /// Of this message.
    pub message: Option<MessageId>,
}

impl ChargeFilter {
    /// Whether `charge` is sought.
    #[must_use]
    pub fn seeks(&self, charge: &Charge) -> bool {
        let rated_at = charge.place.rated_at;
        self.from.is_none_or(|from| rated_at >= from)
            && self.to.is_none_or(|to| rated_at < to)
            && self.operator.is_none_or(|it| charge.operator_id == it)
            && self.status.is_none_or(|it| charge.dlr_status == it)
            && self.billed.is_none_or(|it| charge.billed == it)
            && self.message.is_none_or(|it| charge.message_id == it)
    }
}

/// The charges of an account that are sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChargesOf {
    /// The tenant the account belongs to.
    pub tenant: TenantId,
    /// The account.
    pub account: AccountId,
    /// Which of them.
    pub filter: ChargeFilter,
    /// Only those recorded up to here.
    pub through: Position,
}

/// How far one question goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChargeStretch {
    /// From behind this place; `None` for the beginning.
    pub after: Option<ChargePlace>,
    /// The most charges of the answer.
    pub limit: i64,
    /// The most charges that are looked at for it, sought or not.
    pub looked_at: i64,
}

impl ChargeStretch {
    /// One charge: enough to know that they can be listed.
    pub(crate) const ONE: Self = Self {
        after: None,
        limit: 1,
        looked_at: 1,
    };
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargesFound {
    /// Those that are sought, in order.
    pub charges: Vec<Charge>,
    /// The last place looked at, if so many were looked at as could be: there may be more behind it.
    pub stopped_at: Option<ChargePlace>,
}

/// The charges of an account behind a place.
///
/// # Errors
/// See [`ReadError`].
pub async fn list(
    reader: &Reader,
    of: ChargesOf,
    stretch: ChargeStretch,
) -> Result<ChargesFound, ReadError> {
    const LIST: Statement = Statement::new(include_str!("list.sql"));
    if let Some(message) = of.filter.message {
        return one(reader, of, stretch.after, message).await;
    }
    let (after, at) = match stretch.after {
        Some(place) => (place.rated_at.datetime(), place.position.0),
        None => (
            of.filter.from.map_or(BEGINNING, Timestamp::datetime),
            i64::MIN,
        ),
    };
    let asked: Parameters = vec![
        Box::new(reader.log().0),
        Box::new(of.tenant.0),
        Box::new(of.account.0),
        Box::new(after),
        Box::new(at),
        Box::new(of.filter.to.map_or(END, Timestamp::datetime)),
        Box::new(of.through.0),
        Box::new(stretch.limit),
        Box::new(stretch.looked_at),
        Box::new(of.filter.operator.map(|operator| operator.0)),
        Box::new(of.filter.status.map(Status::as_str)),
        Box::new(of.filter.billed),
    ];
    let rows = reader.rows(LIST, Scope::Tenant(of.tenant), asked).await?;
    let mut found = ChargesFound {
        charges: Vec::with_capacity(rows.len()),
        stopped_at: None,
    };
    for row in &rows {
        let charge = read(row)?;
        let cells = Cells::new(TABLE, row, charge.message_id);
        if cells.get::<i64>("place")? == stretch.looked_at {
            found.stopped_at = Some(charge.place);
        }
        if cells.get("sought")? {
            found.charges.push(charge);
        }
    }
    Ok(found)
}

/// The same where only one message can be sought: it is looked up, wherever it stands.
async fn one(
    reader: &Reader,
    of: ChargesOf,
    after: Option<ChargePlace>,
    message: MessageId,
) -> Result<ChargesFound, ReadError> {
    let found = find(reader, message, Some(of.tenant), Some(of.account)).await?;
    let sought = |charge: &Charge| {
        let place = charge.place;
        of.filter.seeks(charge)
            && place.position <= of.through
            && after.is_none_or(|after| place > after)
    };
    Ok(ChargesFound {
        charges: found.filter(sought).into_iter().collect(),
        stopped_at: None,
    })
}

/// The charge of a message, if there is one: under a tenant and an account, where they are given.
///
/// # Errors
/// See [`ReadError`].
pub async fn find(
    reader: &Reader,
    message: MessageId,
    tenant: Option<TenantId>,
    account: Option<AccountId>,
) -> Result<Option<Charge>, ReadError> {
    const FIND: Statement = Statement::new(include_str!("find.sql"));
    let scope = tenant.map_or(Scope::EveryTenant, Scope::Tenant);
    let asked: Parameters = vec![
        Box::new(reader.log().0),
        Box::new(message.0),
        Box::new(tenant.map(|tenant| tenant.0)),
        Box::new(account.map(|account| account.0)),
    ];
    let rows = reader.rows(FIND, scope, asked).await?;
    rows.first().map(read).transpose()
}

/// Up to where charges are shown: what is listed up to here is of one moment, however long the
/// listing takes.
///
/// # Errors
/// See [`ReadError`].
pub async fn shown(reader: &Reader) -> Result<Position, ReadError> {
    const SHOWN: Statement = Statement::new(include_str!("shown.sql"));
    let log = vec![Box::new(reader.log().0) as _];
    let rows = reader.rows(SHOWN, Scope::EveryTenant, log).await?;
    // Unwrap safety: a select without a table answers with one row.
    let row = rows.first().expect("one row");
    Cells::new("eventlog.checkpoint", row, "billing_events").position("position")
}

fn read(row: &Row) -> Result<Charge, ReadError> {
    let position = Cells::new(TABLE, row, "?").position("position")?;
    let cells = Cells::new(TABLE, row, position);
    // In the order of the statements' columns, which is the fastest to read.
    Ok(Charge {
        place: ChargePlace {
            rated_at: cells.time("rated_at")?,
            position,
        },
        message_id: MessageId(cells.get("message_id")?),
        tenant: TenantId(cells.get("tenant_id")?),
        account: AccountId(cells.get("account_id")?),
        operator_id: OperatorId(cells.get("operator_id")?),
        direction: cells.word("direction", Direction::parse)?,
        segment_count: cells.get("segment_count")?,
        dlr_status: cells.word("dlr_status", Status::parse)?,
        charged_at: cells.time("charged_at")?,
        created_at: cells.time("created_at")?,
        account_tier: cells.word("account_tier", AccountTier::parse)?,
        billed: cells.get("billed")?,
        customer_price: cells.amount("customer_price")?,
        currency: cells.currency("currency")?,
        pricing_table: PricingTableId(cells.get("pricing_table_id")?),
        own_price: cells.get("own_price")?,
        clock_skew: cells.get("clock_skew")?,
        late: cells.get("late")?,
        cost: ChargeCost {
            operator_cost_id: cells
                .get::<Option<Uuid>>("operator_cost_id")?
                .map(OperatorCostId),
            operator_cost: cells.amount("operator_cost")?,
            currency: cells.word_if_any("cost_currency", Currency::parse)?,
            exchange_rate_id: cells
                .get::<Option<Uuid>>("exchange_rate_id")?
                .map(ExchangeRateId),
            converted_cost: cells.amount_if_any("converted_cost")?,
            margin: cells.amount_if_any("margin")?,
            assessed_position: cells.position("assessed_position")?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charge(at: &str) -> Charge {
        let at = Timestamp::parse(at).expect("a time");
        let id = Uuid::from_u128(1);
        Charge {
            place: ChargePlace {
                rated_at: at,
                position: Position(7),
            },
            message_id: MessageId(id),
            tenant: TenantId(id),
            account: AccountId(id),
            operator_id: OperatorId(id),
            direction: Direction::Mt,
            segment_count: 1,
            dlr_status: Status::Delivered,
            charged_at: at,
            created_at: at,
            account_tier: AccountTier::Growth,
            billed: true,
            customer_price: Amount::from_millionths(45_000),
            currency: Currency::parse("EUR").expect("a currency"),
            pricing_table: PricingTableId(id),
            own_price: false,
            clock_skew: false,
            late: false,
            cost: ChargeCost {
                operator_cost_id: None,
                operator_cost: Amount::ZERO,
                currency: None,
                exchange_rate_id: None,
                converted_cost: Some(Amount::ZERO),
                margin: Some(Amount::from_millionths(45_000)),
                assessed_position: Position(7),
            },
        }
    }

    #[test]
    fn a_charge_is_sought_unless_one_of_the_filters_leaves_it_out() {
        let noon = charge("2026-03-01T12:00:00Z");
        let at = |text| Timestamp::parse(text);
        let all = ChargeFilter {
            from: at("2026-03-01T12:00:00Z"),
            to: at("2026-03-01T12:00:00.000001Z"),
            operator: Some(noon.operator_id),
            status: Some(Status::Delivered),
            billed: Some(true),
            message: Some(noon.message_id),
        };
        assert!(ChargeFilter::default().seeks(&noon) && all.seeks(&noon));
        let later = at("2026-03-01T12:00:00.000001Z");
        for left_out in [
            ChargeFilter { from: later, ..all },
            ChargeFilter {
                to: all.from,
                ..all
            },
            ChargeFilter {
                operator: Some(OperatorId(Uuid::nil())),
                ..all
            },
            ChargeFilter {
                status: Some(Status::Failed),
                ..all
            },
            ChargeFilter {
                billed: Some(false),
                ..all
            },
            ChargeFilter {
                message: Some(MessageId(Uuid::nil())),
                ..all
            },
        ] {
            assert!(!left_out.seeks(&noon), "{left_out:?}");
        }
    }
}
