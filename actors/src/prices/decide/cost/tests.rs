//! That a cost's events say what its timeline decided, and are folded back to it.

use schema::{Currency, Direction, OperatorId, Period, StreamId, Timestamp};
use uuid::Uuid;

use super::*;
use crate::{
    prices::decide::timeline::Wish,
    runtime::{
        decider::testing::{self, Given},
        origin::Origin,
    },
};

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).expect("a time")
}

fn key() -> CostKey {
    CostKey {
        operator_id: OperatorId(Uuid::from_u128(2)),
        direction: Direction::Mt,
    }
}

fn terms(cost: &str) -> CostTerms {
    CostTerms {
        cost_per_segment: cost.parse().expect("valid"),
        currency: Currency::parse("EUR").expect("exists"),
    }
}

fn amend(request: u128, wish: Wish<CostTerms>) -> AmendCost {
    AmendCost {
        key: key(),
        amendment: Amendment {
            wish,
            if_at: None,
            origin: Origin::of_request(request),
        },
    }
}

fn open(request: u128) -> AmendCost {
    let period = Period {
        effective_from: at(0),
        effective_to: None,
    };
    let (id, terms) = (Uuid::from_u128(request), terms("0.02"));
    amend(request, Wish::Open { id, terms, period })
}

fn given(before: &[AmendCost]) -> Given<CostDecider> {
    testing::given(StreamId::cost(&key()), before)
}

#[test]
fn an_opened_cost_is_in_effect_until_it_is_closed() {
    assert!(matches!(
        given(&[]).when(&open(1))[..],
        [Event::CostOpened(_)]
    ));
    let id = Uuid::from_u128(1);
    let close = amend(
        2,
        Wish::Close {
            id,
            at: Some(at(10)),
        },
    );
    assert!(matches!(
        given(&[open(1)]).when(&close)[..],
        [Event::CostClosed(_)]
    ));
    let cost = given(&[open(1), close]);
    assert_eq!(
        cost.state.at(at(9)).map(|version| version.terms),
        Some(terms("0.02"))
    );
    assert_eq!(cost.state.at(at(10)), None);
}

#[test]
fn the_same_cost_again_adds_nothing() {
    assert_eq!(given(&[open(1)]).when(&open(1)), []);
}

#[test]
fn a_cost_over_another_is_refused() {
    let with = Uuid::from_u128(1);
    assert_eq!(
        given(&[open(1)]).refuses(&open(2)),
        timeline::Refusal::Overlap { with }
    );
}
