//! That the events of versions say what their timeline decided, and are folded back to it.

use std::collections::BTreeSet;

use schema::{
    AccountTier, CostKey, Currency, Direction, EventId, OperatorCostId, OperatorId, Period,
    PriceKey, PricingModel, PricingTableId, Pseudonym, Status, StreamVersion, Timestamp,
    event::{CostTerms, PriceTerms},
    versioned::{Cost, Price},
};
use uuid::Uuid;

use super::*;
use crate::runtime::{
    decider::testing::{self, Given},
    origin::Origin,
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

fn amend(request: u128, action: Action<Price>) -> Amendment<Price> {
    Amendment {
        key: key(),
        action,
        if_at: None,
        origin: Origin::of_request(request),
    }
}

fn id(number: u128) -> PricingTableId {
    PricingTableId(Uuid::from_u128(number))
}

fn open() -> Amendment<Price> {
    let period = Period {
        effective_from: at(0),
        effective_to: None,
    };
    let (id, terms) = (id(1), terms("0.045"));
    amend(1, Action::Open { id, terms, period })
}

fn replace() -> Amendment<Price> {
    let (old, id) = (id(1), id(2));
    let (terms, at) = (terms("0.05"), Some(at(10)));
    amend(2, Action::Replace { old, id, terms, at })
}

fn given(before: &[Amendment<Price>]) -> Given<VersionDecider<Price>> {
    testing::given(Price::stream(&key()), before)
}

#[test]
fn an_opened_price_is_in_effect_as_the_event_says() {
    let events = given(&[]).when(&open());
    assert!(matches!(&events[..], [Event::PriceOpened(opened)]
        if opened.account_tier == AccountTier::Growth && opened.terms == terms("0.045")));
    let price = given(&[open()]);
    let version = price.state.at(at(7)).expect("in effect");
    assert_eq!(
        (&version.terms, version.position),
        (&terms("0.045"), Position(1))
    );
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
    let (id, terms) = (id(3), terms("1"));
    let other = amend(3, Action::Open { id, terms, period });
    let with = Uuid::from_u128(1);
    assert_eq!(given(&[open()]).refuses(&other), Refusal::Overlap { with });
}

#[test]
fn the_envelope_names_whose_price_it_is_and_who_changed_it() {
    let event = given(&[]).when(&open()).remove(0);
    let place = EventPlace {
        log: eventstore::LogId::DEFAULT,
        stream: Price::stream(&key()),
        version: StreamVersion(1),
    };
    let fact = open().record(place, event);
    assert_eq!(
        (fact.tenant, fact.principal.as_str()),
        (key().tenant, "anna")
    );
}

#[test]
fn a_cost_is_nobodys_and_its_events_are_named_after_version_and_request() {
    let key = CostKey {
        operator_id: OperatorId(Uuid::from_u128(2)),
        direction: Direction::Mt,
    };
    let id = OperatorCostId(Uuid::from_u128(1));
    let amend = |request, action| Amendment::<Cost> {
        key,
        action,
        if_at: None,
        origin: Origin::of_request(request),
    };
    let open = Action::Open {
        id,
        terms: CostTerms {
            cost_per_segment: "0.02".parse().expect("valid"),
            currency: Currency::parse("EUR").expect("exists"),
            due_statuses: [Status::Delivered].into(),
        },
        period: Period {
            effective_from: at(0),
            effective_to: None,
        },
    };
    let close = Action::Close {
        id,
        at: Some(at(10)),
    };
    let mut cost = testing::given::<VersionDecider<Cost>>(Cost::stream(&key), &[]);
    let place = EventPlace {
        log: eventstore::LogId::DEFAULT,
        stream: Cost::stream(&key),
        version: StreamVersion(1),
    };
    for (request, kind, action) in [(7, "opened", open), (8, "closed", close)] {
        let command = amend(request, action);
        let event = cost.and(&command).remove(0);
        let fact = command.record(place, event);
        let name = EventId::of_request(&format!("version-{kind}"), id.0, Uuid::from_u128(request));
        assert_eq!((fact.id, fact.tenant), (name, None));
    }
    assert!(cost.state.at(at(9)).is_some() && cost.state.at(at(10)).is_none());
}
