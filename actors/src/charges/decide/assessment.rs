//! What a charged message costs: a pure function of the charge and of the versions of the carrier's
//! cost and of the exchange rate that are in effect at its time.
//!
//! No charge waits for a cost. Without one it costs nothing and is for review; a cost in another
//! currency than the charge's is converted by the rate that a person entered, and without a rate
//! the margin is not known: nothing is guessed. When a cost or a rate becomes known later, this is
//! asked again.

use schema::{
    Amount, Currency, Status,
    event::{AppliedCost, AppliedRate, CostAssessment},
    versioned::{Cost, ExchangeRate},
};

use crate::prices::decide::timeline::Version;

/// What of a charge decides what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assessable {
    /// The message's final status.
    pub status: Status,
    /// Its SMS segments.
    pub segments: i16,
    /// What the customer pays.
    pub customer_price: Amount,
    /// In this currency.
    pub currency: Currency,
}

/// The currency that this cost must be converted from, if it must be.
#[must_use]
pub fn foreign(of: &Assessable, cost: Option<&Version<Cost>>) -> Option<Currency> {
    let cost = cost.filter(|cost| cost.terms.currency != of.currency)?;
    (!taken(of, cost).is_zero()).then_some(cost.terms.currency)
}

/// What it costs by these versions, the one of the exchange rate being that from the cost's
/// currency to the charge's.
#[must_use]
pub fn assess(
    of: &Assessable,
    cost: Option<&Version<Cost>>,
    rate: Option<&Version<ExchangeRate>>,
) -> CostAssessment {
    let operator_cost = cost.map_or(Amount::ZERO, |cost| taken(of, cost));
    let exchange = foreign(of, cost).and(rate).map(|version| AppliedRate {
        exchange_rate_id: version.id,
        rate: version.terms.rate,
    });
    let converted_cost = match (foreign(of, cost), exchange) {
        (None, _) => Some(operator_cost),
        (Some(_), Some(exchange)) => operator_cost.converted(exchange.rate),
        (Some(_), None) => None,
    };
    CostAssessment {
        cost: cost.map(|version| AppliedCost {
            operator_cost_id: version.id,
            cost_per_segment: version.terms.cost_per_segment,
            currency: version.terms.currency,
        }),
        due: cost.is_some_and(|cost| is_due(of, cost)),
        operator_cost,
        exchange,
        converted_cost,
        margin: converted_cost.map(|cost| of.customer_price - cost),
    }
}

fn is_due(of: &Assessable, cost: &Version<Cost>) -> bool {
    cost.terms.due_statuses.contains(&of.status)
}

/// What the carrier takes, in the currency of the cost.
fn taken(of: &Assessable, cost: &Version<Cost>) -> Amount {
    if is_due(of, cost) {
        cost.terms.cost_per_segment.times(of.segments)
    } else {
        Amount::ZERO
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use schema::{
        Direction, ExchangeRateKey, OperatorId, Period, Position, Timestamp, Versioned,
        event::{CostTerms, RateTerms},
        versioned::Opening,
    };
    use uuid::Uuid;

    use super::*;
    use crate::prices::decide::timeline::Timeline;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).expect("exists")
    }

    fn since_ever<K: Versioned>(key: K::Key<schema::Pseudonym>, terms: K::Terms) -> Timeline<K> {
        let mut timeline = Timeline::default();
        let opening = Opening {
            id: Uuid::from_u128(9).into(),
            key,
            terms,
            period: Period {
                effective_from: Timestamp::from_micros(0).expect("a time"),
                effective_to: None,
            },
            request: Uuid::nil(),
        };
        timeline.open(opening, Position(1));
        timeline
    }

    fn cost(code: &str, due: impl Into<BTreeSet<Status>>) -> Timeline<Cost> {
        let key = schema::CostKey {
            operator_id: OperatorId(Uuid::from_u128(2)),
            direction: Direction::Mt,
        };
        let terms = CostTerms {
            cost_per_segment: "0.02".parse().expect("a price"),
            currency: currency(code),
            due_statuses: due.into(),
        };
        since_ever(key, terms)
    }

    fn rate(rate: &str) -> Timeline<ExchangeRate> {
        let key = ExchangeRateKey {
            base: currency("USD"),
            quote: currency("EUR"),
        };
        since_ever(
            key,
            RateTerms {
                rate: rate.parse().expect("a rate"),
            },
        )
    }

    /// What three delivered segments for 0.09 EUR cost: in the cost's currency, in the charge's,
    /// and the margin.
    fn costs(
        cost: &Timeline<Cost>,
        rate: &Timeline<ExchangeRate>,
    ) -> (String, Option<String>, Option<String>) {
        let of = Assessable {
            status: Status::Delivered,
            segments: 3,
            customer_price: Amount::from_millionths(90_000),
            currency: currency("EUR"),
        };
        let at = Timestamp::from_micros(1).expect("a time");
        let assessed = assess(&of, cost.at(at), rate.at(at));
        let text = |amount: Option<Amount>| amount.map(|amount| amount.to_string());
        (
            assessed.operator_cost.to_string(),
            text(assessed.converted_cost),
            text(assessed.margin),
        )
    }

    fn told(own: &str, converted: &str, margin: &str) -> (String, Option<String>, Option<String>) {
        (own.into(), Some(converted.into()), Some(margin.into()))
    }

    #[test]
    fn a_cost_in_the_charges_currency_is_not_converted() {
        let costs = costs(&cost("EUR", [Status::Delivered]), &rate("7"));
        assert_eq!(costs, told("0.060000", "0.060000", "0.030000"));
    }

    #[test]
    fn a_cost_in_another_currency_is_converted_by_the_rate() {
        let costs = costs(&cost("USD", [Status::Delivered]), &rate("0.92"));
        assert_eq!(costs, told("0.060000", "0.055200", "0.034800"));
    }

    #[test]
    fn without_a_rate_the_margin_is_not_known() {
        let costs = costs(&cost("USD", [Status::Delivered]), &Timeline::default());
        assert_eq!(costs, ("0.060000".into(), None, None));
    }

    #[test]
    fn without_a_cost_or_where_it_is_not_due_nothing_is_taken_and_no_rate_is_needed() {
        for cost in [Timeline::default(), cost("USD", [Status::Failed])] {
            let costs = costs(&cost, &Timeline::default());
            assert_eq!(costs, told("0.000000", "0.000000", "0.090000"));
        }
    }

    #[test]
    fn a_rate_beyond_every_amount_leaves_the_margin_unknown() {
        let costs = costs(&cost("USD", [Status::Delivered]), &rate("9999999999"));
        assert_eq!(costs, ("0.060000".into(), None, None));
    }
}
