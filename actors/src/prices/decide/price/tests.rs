//! That a price's events say what its timeline decided, and are folded back to it.

use std::collections::BTreeSet;

use schema::{
    AccountTier, Currency, Direction, OperatorId, Period, PricingModel, Pseudonym, Status,
    StreamId, Timestamp,
};
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

fn key() -> PriceKey {
    PriceKey {
        tenant: Some(Pseudonym(Uuid::from_u128(5))),
        account_tier: AccountTier::Growth,
        operator_id: OperatorId(Uuid::from_u128(2)),
        direction: Direction::Mt,
        currency: Currency::parse("EUR").expect("exists"),
    }
}

fn terms(price: &str) -> PriceTerms {
    PriceTerms {
        pricing_model: PricingModel::PerSegment,
        unit_price: price.parse().expect("valid"),
        billable_statuses: BTreeSet::from([Status::Delivered]),
    }
}

fn amend(request: u128, wish: Wish<PriceTerms>) -> AmendPrice {
    AmendPrice {
        key: key(),
        amendment: Amendment {
            wish,
            if_at: None,
            origin: Origin::of_request(request),
        },
    }
}

fn open() -> AmendPrice {
    let period = Period {
        effective_from: at(0),
        effective_to: None,
    };
    let (id, terms) = (Uuid::from_u128(1), terms("0.045"));
    amend(1, Wish::Open { id, terms, period })
}

fn replace() -> AmendPrice {
    let (old, id) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let (terms, at) = (terms("0.05"), Some(at(10)));
    amend(2, Wish::Replace { old, id, terms, at })
}

fn given(before: &[AmendPrice]) -> Given<PriceDecider> {
    testing::given(StreamId::price(&key()), before)
}

#[test]
fn an_opened_price_is_in_effect_as_the_event_says() {
    let events = given(&[]).when(&open());
    assert!(matches!(&events[..], [Event::PriceOpened(opened)]
        if opened.account_tier == AccountTier::Growth && opened.terms == terms("0.045")));
    let price = given(&[open()]);
    let version = price.state.at(at(7)).expect("in effect");
    assert_eq!((&version.terms, version.position), (&terms("0.045"), 1));
}

#[test]
fn a_replaced_price_ends_where_the_next_begins() {
    let price = given(&[open(), replace()]);
    let in_effect = |time| {
        price
            .state
            .at(at(time))
            .map(|version| version.terms.clone())
    };
    assert_eq!(in_effect(9), Some(terms("0.045")));
    assert_eq!(in_effect(10), Some(terms("0.05")));
    assert_eq!(price.when(&replace()), [], "a repeat");
}

#[test]
fn a_price_over_another_is_refused() {
    let period = Period {
        effective_from: at(100),
        effective_to: None,
    };
    let (id, terms) = (Uuid::from_u128(3), terms("1"));
    let other = amend(3, Wish::Open { id, terms, period });
    let with = Uuid::from_u128(1);
    assert_eq!(
        given(&[open()]).refuses(&other),
        timeline::Refusal::Overlap { with }
    );
}

#[test]
fn the_envelope_names_whose_price_it_is_and_who_changed_it() {
    let event = given(&[]).when(&open()).remove(0);
    let place = EventPlace {
        log: eventstore::LogId::DEFAULT,
        stream: StreamId::price(&key()),
        version: 1,
    };
    let fact = open().record(place, event);
    assert_eq!(
        (fact.tenant, fact.principal.as_str()),
        (key().tenant, "anna")
    );
}
