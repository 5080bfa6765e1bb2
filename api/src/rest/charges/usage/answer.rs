//! How usage is told.

use projections::charges::usage_summaries::{Bucket, CurrencyUsage, Figures};
use schema::{AccountId, Amount, Currency, Day, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::Granularity;

/// The usage of an account, by currency.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Usage {
    #[serde(flatten)]
    asked: Asked,
    /// By currency, in the order of their codes. Nothing used is one of zero in what the account pays
    /// in, or none if it is not registered.
    by_currency: Vec<UsageOfCurrency>,
}

/// What was asked.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    /// The account.
    pub(super) account_id: AccountId,
    /// The first day.
    pub(super) from: Day,
    /// The last day.
    pub(super) to: Day,
    /// How long the periods are.
    pub(super) granularity: Granularity,
}

/// Usage in one currency.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct UsageOfCurrency {
    /// Which.
    currency: Currency,
    /// By period, in order; periods without usage are left out.
    buckets: Vec<UsageBucket>,
    /// All of them together.
    totals: UsageFigures,
}

/// The usage of one period.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct UsageBucket {
    /// The hour as `2026-03-01T13:00:00Z`, the day as `2026-03-01`, the month as `2026-03`; in UTC.
    period: String,
    #[serde(flatten)]
    figures: UsageFigures,
}

/// What was used, added up.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct UsageFigures {
    /// Charged messages.
    message_count: i64,
    /// Their SMS segments.
    segment_count: i64,
    /// What the customer pays.
    total_customer_price: Amount,
    /// Approved adjustments. They are of no carrier: none where only one carrier is asked for.
    adjustment_count: i64,
    /// What they add up to: what the customer pays more; less, if it is negative.
    adjustment_amount: Amount,
    /// What the platform's own people see beside it.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    costs: Option<CostFigures>,
}

/// What carriers take, added up; only the platform's own people see it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CostFigures {
    /// What the carriers take, in the currency of the prices, as far as it is known in it.
    total_operator_cost: Amount,
    /// The sum of price less cost over the messages whose cost is known. May be negative.
    margin: Amount,
    /// Messages whose carrier has no cost: they count as costing nothing.
    cost_missing_count: i64,
    /// Messages in neither cost nor margin: their cost is in another currency, and nobody entered
    /// an exchange rate.
    margin_unknown_count: i64,
}

impl Asked {
    /// The answer. `currency` is told if nothing was used.
    pub(super) fn answer(
        self,
        used: &[CurrencyUsage],
        currency: Option<Currency>,
        with_cost: bool,
    ) -> Usage {
        let granularity = self.granularity;
        let told = |usage: &CurrencyUsage| {
            let bucket = |bucket: &Bucket| UsageBucket {
                period: period(bucket.begins, granularity),
                figures: figures(bucket.figures, with_cost),
            };
            UsageOfCurrency {
                currency: usage.currency,
                buckets: usage.buckets.iter().map(bucket).collect(),
                totals: figures(usage.total, with_cost),
            }
        };
        let nothing = currency.filter(|_| used.is_empty()).map(|currency| {
            let (buckets, totals) = (Vec::new(), figures(Figures::NONE, with_cost));
            UsageOfCurrency {
                currency,
                buckets,
                totals,
            }
        });
        Usage {
            asked: self,
            by_currency: used.iter().map(told).chain(nothing).collect(),
        }
    }
}

fn figures(figures: Figures, with_cost: bool) -> UsageFigures {
    UsageFigures {
        message_count: figures.messages,
        segment_count: figures.segments,
        total_customer_price: figures.customer_price,
        adjustment_count: figures.adjustments,
        adjustment_amount: figures.adjusted,
        costs: with_cost.then_some(CostFigures {
            total_operator_cost: figures.operator_cost,
            margin: figures.margin,
            cost_missing_count: figures.cost_missing,
            margin_unknown_count: figures.margin_unknown,
        }),
    }
}

/// The period that begins then, as short as it can be said.
fn period(begins: Timestamp, granularity: Granularity) -> String {
    let text = begins.to_string();
    match granularity {
        Granularity::Hour => format!("{}Z", &text[..19]),
        Granularity::Day => text[..10].to_owned(),
        Granularity::Month => text[..7].to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    fn used(currency: &str) -> CurrencyUsage {
        let figures = Figures {
            messages: 2,
            segments: 3,
            customer_price: Amount::from_millionths(135_000),
            operator_cost: Amount::from_millionths(150_000),
            margin: Amount::from_millionths(-15_000),
            cost_missing: 1,
            margin_unknown: 0,
            adjustments: 1,
            adjusted: Amount::from_millionths(-35_000),
        };
        CurrencyUsage {
            currency: Currency::parse(currency).expect("a currency"),
            buckets: vec![Bucket {
                begins: Timestamp::parse("2026-03-01T13:00:00Z").expect("a time"),
                figures,
            }],
            total: figures,
        }
    }

    fn told(used: &[CurrencyUsage], granularity: Granularity, with_cost: bool) -> Value {
        let asked = Asked {
            account_id: AccountId(Uuid::nil()),
            from: Day::parse("2026-03-01").expect("a day"),
            to: Day::parse("2026-03-02").expect("a day"),
            granularity,
        };
        let answer = asked.answer(used, Currency::parse("CHF"), with_cost);
        serde_json::to_value(answer).expect("JSON")
    }

    #[test]
    fn a_customer_sees_neither_cost_nor_margin() {
        let figures = json!({
            "messageCount": 2, "segmentCount": 3, "totalCustomerPrice": "0.135000",
            "adjustmentCount": 1, "adjustmentAmount": "-0.035000",
        });
        let mut bucket = figures.clone();
        bucket["period"] = json!("2026-03-01");
        let expected = json!({
            "accountId": Uuid::nil(), "from": "2026-03-01", "to": "2026-03-02",
            "granularity": "day",
            "byCurrency": [{ "currency": "EUR", "buckets": [bucket], "totals": figures }],
        });
        assert_eq!(told(&[used("EUR")], Granularity::Day, false), expected);
        let ours = told(&[used("EUR")], Granularity::Day, true);
        let ours = &ours["byCurrency"][0];
        assert_eq!(ours["totals"]["totalOperatorCost"], "0.150000");
        assert_eq!(ours["buckets"][0]["margin"], "-0.015000");
        assert_eq!(ours["totals"]["costMissingCount"], 1);
    }

    #[test]
    fn several_currencies_are_told_apart() {
        let told = told(&[used("EUR"), used("USD")], Granularity::Hour, false);
        assert_eq!(told["byCurrency"][1]["currency"], "USD");
        let bucket = &told["byCurrency"][0]["buckets"][0];
        assert_eq!(bucket["period"], "2026-03-01T13:00:00Z");
    }

    #[test]
    fn no_usage_is_zero_in_the_currency_of_the_account() {
        let told = told(&[], Granularity::Month, false);
        let [one] = told["byCurrency"].as_array().expect("a list").as_slice() else {
            panic!("{told}");
        };
        assert_eq!(
            (&one["currency"], &one["buckets"]),
            (&json!("CHF"), &json!([]))
        );
        assert_eq!(one["totals"]["totalCustomerPrice"], "0.000000");
    }

    #[test]
    fn a_period_is_said_as_short_as_it_can_be() {
        let month = told(&[used("EUR")], Granularity::Month, false);
        assert_eq!(month["byCurrency"][0]["buckets"][0]["period"], "2026-03");
    }
}
