//! A charge as callers see it, as JSON and as a row of a table.
//!
//! Whoever runs the platform sees more of it than the customer: what is for review. One type writes
//! both forms, so that a column has the name and the value of its field.

use projections::charges::billing_events::{self, ChargeCost};
use schema::{
    AccountId, AccountTier, Amount, Currency, Direction, ExchangeRateId, MessageId, OperatorCostId,
    OperatorId, PricingTableId, Status, TenantId, Timestamp,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::csv::Rows;

/// A charged message.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Charge {
    /// The message; charged once.
    message_id: MessageId,
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
    /// When it was settled, as announced.
    charged_at: Timestamp,
    /// The time that chose the price: charges are listed and counted by it. That of `chargedAt`,
    /// unless it cannot be believed.
    rated_at: Timestamp,
    /// When the charge was recorded.
    created_at: Timestamp,
    /// The tier that chose the price.
    account_tier: AccountTier,
    /// Whether the price charges for this status; if not, it is 0.
    billed: bool,
    /// What the customer pays.
    customer_price: Amount,
    /// In which currency.
    currency: Currency,
    /// What only the platform's own people see.
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<ChargeReview>,
}

/// What only the platform's own people see of a charge.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a field that says yes or no by itself"
)]
struct ChargeReview {
    /// Where in the log it is recorded.
    position: i64,
    /// The version of the price.
    pricing_table_id: PricingTableId,
    /// Whether that price is the tenant's own.
    own_price: bool,
    /// `chargedAt` lay too far ahead to be believed.
    clock_skew: bool,
    /// The announcement came long after `chargedAt`.
    late: bool,
    /// The version of the cost; null where the carrier has none.
    operator_cost_id: Option<OperatorCostId>,
    /// The carrier has no cost: it counts as 0.
    cost_missing: bool,
    /// What the carrier takes, in `costCurrency`.
    operator_cost: Amount,
    /// What the carrier is paid in; null without a cost.
    cost_currency: Option<Currency>,
    /// The version of the exchange rate; null where none is needed, or nobody entered one.
    exchange_rate_id: Option<ExchangeRateId>,
    /// What the carrier takes, in `currency`; null where that is not known.
    converted_cost: Option<Amount>,
    /// The price less that; null where it is not known.
    margin: Option<Amount>,
    /// The cost is in another currency, and nobody entered an exchange rate.
    margin_unknown: bool,
    /// Where in the log stands what it costs: with the charge, or later.
    assessed_position: i64,
}

impl Charge {
    /// `charge`, with what is for review if `ours` asks.
    pub(super) fn shown(charge: &billing_events::Charge, ours: bool) -> Self {
        Self {
            message_id: charge.message_id,
            tenant_id: charge.tenant,
            account_id: charge.account,
            operator_id: charge.operator_id,
            direction: charge.direction,
            segment_count: charge.segment_count,
            dlr_status: charge.dlr_status,
            charged_at: charge.charged_at,
            rated_at: charge.place.rated_at,
            created_at: charge.created_at,
            account_tier: charge.account_tier,
            billed: charge.billed,
            customer_price: charge.customer_price,
            currency: charge.currency,
            review: ours.then(|| ChargeReview::of(charge)),
        }
    }
}

impl ChargeReview {
    const fn of(charge: &billing_events::Charge) -> Self {
        Self {
            position: charge.place.position.0,
            pricing_table_id: charge.pricing_table,
            own_price: charge.own_price,
            clock_skew: charge.clock_skew,
            late: charge.late,
            operator_cost_id: charge.cost.operator_cost_id,
            cost_missing: charge.cost.operator_cost_id.is_none(),
            operator_cost: charge.cost.operator_cost,
            cost_currency: charge.cost.currency,
            exchange_rate_id: charge.cost.exchange_rate_id,
            converted_cost: charge.cost.converted_cost,
            margin: charge.cost.margin,
            margin_unknown: charge.cost.margin.is_none(),
            assessed_position: charge.cost.assessed_position.0,
        }
    }
}

/// The columns of a table of charges.
const COLUMNS: [&str; 14] = [
    "messageId",
    "tenantId",
    "accountId",
    "operatorId",
    "direction",
    "segmentCount",
    "dlrStatus",
    "chargedAt",
    "ratedAt",
    "createdAt",
    "accountTier",
    "billed",
    "customerPrice",
    "currency",
];

/// Those that follow for the platform's own people.
const OF_REVIEW: [&str; 14] = [
    "position",
    "pricingTableId",
    "ownPrice",
    "clockSkew",
    "late",
    "operatorCostId",
    "costMissing",
    "operatorCost",
    "costCurrency",
    "exchangeRateId",
    "convertedCost",
    "margin",
    "marginUnknown",
    "assessedPosition",
];

/// Writes the head of a table of charges.
pub(super) fn head(rows: &mut Rows, ours: bool) {
    let more = OF_REVIEW.iter().filter(|_| ours);
    for column in COLUMNS.iter().chain(more) {
        rows.text(column);
    }
    rows.end();
}

/// Writes `charge` as a row.
pub(super) fn row(rows: &mut Rows, charge: &billing_events::Charge, ours: bool) {
    rows.plain(charge.message_id.0);
    rows.plain(charge.tenant.0);
    rows.plain(charge.account.0);
    rows.plain(charge.operator_id.0);
    rows.text(charge.direction.as_str());
    rows.number(charge.segment_count);
    rows.text(charge.dlr_status.as_str());
    rows.plain(charge.charged_at);
    rows.plain(charge.place.rated_at);
    rows.plain(charge.created_at);
    rows.text(charge.account_tier.as_str());
    rows.truth(charge.billed);
    rows.amount(charge.customer_price);
    rows.text(charge.currency.as_str());
    if ours {
        rows.number(charge.place.position.0);
        rows.plain(charge.pricing_table.0);
        rows.truth(charge.own_price);
        rows.truth(charge.clock_skew);
        rows.truth(charge.late);
        cost(rows, &charge.cost);
    }
    rows.end();
}

fn cost(rows: &mut Rows, cost: &ChargeCost) {
    rows.if_any(cost.operator_cost_id, |rows, id| rows.plain(id.0));
    rows.truth(cost.operator_cost_id.is_none());
    rows.amount(cost.operator_cost);
    rows.if_any(cost.currency, |rows, currency| rows.text(currency.as_str()));
    rows.if_any(cost.exchange_rate_id, |rows, id| rows.plain(id.0));
    rows.if_any(cost.converted_cost, Rows::amount);
    rows.if_any(cost.margin, Rows::amount);
    rows.truth(cost.margin.is_none());
    rows.number(cost.assessed_position.0);
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use projections::charges::billing_events::ChargePlace;
    use schema::Position;
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;

    fn charge() -> billing_events::Charge {
        let at = |text| Timestamp::parse(text).expect("a time");
        let id = Uuid::from_u128;
        billing_events::Charge {
            place: ChargePlace {
                rated_at: at("2026-03-01T12:00:00Z"),
                position: Position(7),
            },
            message_id: MessageId(id(1)),
            tenant: TenantId(id(2)),
            account: AccountId(id(3)),
            operator_id: OperatorId(id(4)),
            direction: Direction::Mt,
            segment_count: 3,
            dlr_status: Status::Delivered,
            charged_at: at("2026-03-01T12:00:01Z"),
            created_at: at("2026-03-01T12:00:02Z"),
            account_tier: AccountTier::Growth,
            billed: true,
            customer_price: Amount::from_millionths(135_000),
            currency: Currency::parse("EUR").expect("a currency"),
            pricing_table: PricingTableId(id(5)),
            own_price: true,
            clock_skew: false,
            late: true,
            cost: ChargeCost {
                operator_cost_id: None,
                operator_cost: Amount::from_millionths(20_000),
                currency: Currency::parse("USD"),
                exchange_rate_id: Some(ExchangeRateId(id(6))),
                converted_cost: Some(Amount::from_millionths(150_000)),
                margin: Some(Amount::from_millionths(-15_000)),
                assessed_position: Position(9),
            },
        }
    }

    /// What a row says, by the names of its columns.
    fn table(ours: bool) -> Vec<(String, String)> {
        let mut rows = Rows::default();
        head(&mut rows, ours);
        row(&mut rows, &charge(), ours);
        let text = Bytes::from(rows);
        let text = std::str::from_utf8(&text).expect("UTF-8");
        let mut lines = text
            .split("\r\n")
            .map(|line| line.split(',').map(str::to_owned));
        let mut line = || lines.next().expect("a line").collect::<Vec<_>>();
        let (head, row) = (line(), line());
        assert_eq!(head.len(), row.len());
        head.into_iter().zip(row).collect()
    }

    #[test]
    fn a_column_has_the_name_and_the_value_of_its_field() {
        for ours in [false, true] {
            let mut json = serde_json::to_value(Charge::shown(&charge(), ours)).expect("JSON");
            let fields = json.as_object_mut().expect("an object");
            let review = fields.remove("review");
            assert_eq!(review.is_some(), ours);
            if let Some(Value::Object(review)) = review {
                fields.extend(review);
            }
            let columns = table(ours);
            assert_eq!(columns.len(), fields.len());
            for (name, cell) in columns {
                let field = &fields[&name];
                let text = match field {
                    Value::String(text) => text.clone(),
                    Value::Null => String::new(),
                    other => other.to_string(),
                };
                assert_eq!(cell, text, "{name}");
            }
        }
    }

    #[test]
    fn a_customer_sees_nothing_that_is_for_review() {
        let shown = serde_json::to_string(&Charge::shown(&charge(), false)).expect("JSON");
        let columns = table(false);
        for column in OF_REVIEW {
            assert!(!shown.contains(column), "{column}");
            assert!(columns.iter().all(|(name, _)| name != column), "{column}");
        }
    }
}
