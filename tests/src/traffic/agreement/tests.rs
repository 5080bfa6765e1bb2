//! The reference arithmetic, by hand.

use std::collections::BTreeSet;

use schema::{AccountId, MessageId, OperatorId, Status, TenantId, Timestamp};
use uuid::Uuid;

use super::{Account, Agreement, Charge, Comes, Cost, Outcome, Price, Settled};
use crate::{
    money::Millionths,
    traffic::{Shape, Traffic},
};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("valid")
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// The example of `docs/guides/how-a-price-is-chosen.md`.
fn example() -> Agreement {
    let mut agreement = Agreement::default();
    let account = Account {
        tenant: TenantId(id(1)),
        tier: "GROWTH",
        currency: "EUR",
        name: String::new(),
        address: String::new(),
        from: None,
        becomes: Vec::new(),
        comes: Comes::First,
    };
    agreement.accounts.insert(AccountId(id(2)), account);
    let price = |tenant, model, unit, from: &str, to: Option<&str>| Price {
        tenant,
        tier: "GROWTH",
        operator: OperatorId(id(3)),
        currency: "EUR",
        model,
        unit: Millionths(unit),
        billable: None,
        from: at(from),
        to: to.map(at),
        comes: Comes::First,
    };
    let (first, turn) = ("2026-03-01T00:00:00Z", "2026-03-15T00:00:00Z");
    let own = ("2026-03-10T00:00:00Z", "2026-03-20T00:00:00Z");
    let tenant = Some(TenantId(id(1)));
    agreement.add(price(None, "PER_SEGMENT", 45_000, first, Some(turn)));
    agreement.add(price(None, "PER_SEGMENT", 50_000, turn, None));
    agreement.add(price(
        tenant,
        "FLAT_PER_MESSAGE",
        80_000,
        own.0,
        Some(own.1),
    ));
    agreement.costs.push(Cost {
        operator: OperatorId(id(3)),
        currency: "EUR",
        per_segment: Millionths(60_000),
        from: at(first),
        to: Some(at("2026-03-18T00:00:00Z")),
    });
    agreement
}

fn settled(charged_at: &str) -> Settled {
    Settled {
        message: MessageId(id(9)),
        tenant: TenantId(id(1)),
        account: AccountId(id(2)),
        operator: OperatorId(id(3)),
        segments: 3,
        status: Status::Failed,
        charged_at: at(charged_at),
        received_at: at(charged_at),
        tier: None,
        currency: None,
    }
}

#[track_caller]
fn charged(agreement: &Agreement, settled: &Settled) -> Charge {
    match agreement.outcome(settled, Comes::First) {
        Outcome::Charged(charge) => charge,
        held @ Outcome::Held(_) => panic!("{held:?}"),
    }
}

#[test]
fn the_version_of_its_time_counts_and_the_own_price_comes_first() {
    let agreement = example();
    for (time, price, own) in [
        ("2026-03-09T12:00:00Z", 135_000, false),
        ("2026-03-14T12:00:00Z", 80_000, true),
        ("2026-03-19T23:59:59.999999Z", 80_000, true),
        ("2026-03-20T00:00:00Z", 150_000, false),
    ] {
        let charge = charged(&agreement, &settled(time));
        assert_eq!(
            (charge.price, charge.own),
            (Millionths(price), own),
            "{time}"
        );
    }
}

#[test]
fn a_cost_counts_per_segment_and_may_be_unknown_or_too_high() {
    let known = charged(&example(), &settled("2026-03-09T12:00:00Z"));
    assert_eq!((known.cost, known.cost_known), (Millionths(180_000), true));
    assert_eq!(known.price - known.cost, Millionths(-45_000));
    let unknown = charged(&example(), &settled("2026-03-18T00:00:00Z"));
    assert_eq!((unknown.cost, unknown.cost_known), (Millionths(0), false));
}

#[test]
fn a_status_that_is_not_charged_for_costs_all_the_same() {
    let mut agreement = example();
    agreement.prices[0].billable = Some(&[Status::Delivered]);
    let charge = charged(&agreement, &settled("2026-03-09T12:00:00Z"));
    let (price, cost) = (Millionths(0), Millionths(180_000));
    assert_eq!(
        (charge.price, charge.cost, charge.billed),
        (price, cost, false)
    );
}

#[test]
fn a_time_ahead_is_replaced_by_the_arrival() {
    let mut early = settled("2026-03-10T00:00:00Z");
    early.received_at = at("2026-03-10T00:00:00Z");
    assert!(charged(&example(), &early).own);
    early.received_at = at("2026-03-09T23:59:59.999999Z");
    let charge = charged(&example(), &early);
    assert_eq!((charge.own, charge.rated_at), (false, early.received_at));
}

#[test]
fn what_cannot_be_priced_is_held_by_its_reason() {
    let held = |agreement: &Agreement, time| agreement.outcome(&settled(time), Comes::First);
    let (early, sound) = ("2026-02-28T23:59:59Z", "2026-03-09T12:00:00Z");
    assert_eq!(held(&example(), early), Outcome::Held("NO_PRICE"));
    let mut agreement = example();
    agreement.accounts.clear();
    assert_eq!(held(&agreement, sound), Outcome::Held("ACCOUNT_UNKNOWN"));
}

#[test]
fn a_cost_in_another_currency_is_taken_and_its_margin_not_known() {
    let mut agreement = example();
    agreement.costs[0].currency = "USD";
    let charge = charged(&agreement, &settled("2026-03-09T12:00:00Z"));
    assert_eq!((charge.cost, charge.converted), (Millionths(180_000), None));
}

#[test]
fn a_price_that_comes_later_charges_what_was_held() {
    let mut agreement = example();
    agreement.prices[0].comes = Comes::Later;
    let message = settled("2026-03-09T12:00:00Z");
    let outcome = |known| agreement.outcome(&message, known);
    assert_eq!(outcome(Comes::First), Outcome::Held("NO_PRICE"));
    assert!(matches!(outcome(Comes::Later), Outcome::Charged(_)));
}

#[test]
fn a_change_begins_with_its_first_instant() {
    let mut agreement = example();
    agreement.change(1, at("2026-03-25T00:00:00Z"), Millionths(10_000));
    let before = charged(&agreement, &settled("2026-03-24T23:59:59.999999Z"));
    let after = charged(&agreement, &settled("2026-03-25T00:00:00Z"));
    let prices = (Millionths(150_000), Millionths(30_000));
    assert_eq!((before.price, after.price), prices);
}

#[test]
fn usage_is_the_sum_of_its_charges() {
    let agreement = example();
    let (one, mut two) = (
        settled("2026-03-09T12:00:00Z"),
        settled("2026-03-09T13:00:00Z"),
    );
    two.message = MessageId(id(10));
    let reckoning = agreement.reckon([&one, &two], Comes::First);
    let usage = reckoning.of_account(one.account)["EUR"];
    assert_eq!((usage.messages, usage.segments), (2, 6));
    assert_eq!(usage.price, Millionths(270_000));
    assert_eq!(usage.margin, Millionths(-90_000));
    assert_eq!((reckoning.held(), reckoning.usage.len()), (0, 1));
}

/// Settles every message of a traffic with one of its finals and prices it.
#[test]
fn everything_that_can_happen_to_a_price_happens_in_a_traffic() {
    let start = at("2026-03-01T12:00:00Z");
    let shape = Shape::new(1, 20_000, start);
    let agreement = Agreement::draw(&shape);
    assert_eq!(
        agreement.prices,
        Agreement::draw(&shape).prices,
        "the same again"
    );
    let expected = Traffic::generate(&shape).expected;
    let settled: Vec<_> = expected
        .messages
        .iter()
        .filter_map(|(message, told)| {
            let last = told
                .sent
                .iter()
                .rfind(|sent| sent.word.status().is_final())?;
            Some(Settled {
                message: *message,
                tenant: told.tenant,
                account: told.account,
                operator: told.operator,
                segments: told.segments,
                status: last.word.status(),
                charged_at: last.delivered.unwrap_or(start),
                received_at: start,
                tier: None,
                currency: None,
            })
        })
        .collect();
    let [before, after] =
        [Comes::First, Comes::Later].map(|known| agreement.reckon(&settled, known));
    let reasons = |reckoning: &super::Reckoning| -> BTreeSet<_> {
        let outcomes = reckoning.outcomes.values();
        outcomes
            .filter_map(|outcome| match outcome {
                Outcome::Held(reason) => Some(*reason),
                Outcome::Charged(_) => None,
            })
            .collect()
    };
    let all = BTreeSet::from(["ACCOUNT_UNKNOWN", "NO_PRICE"]);
    assert_eq!(reasons(&before), all);
    assert!(!reasons(&after).contains("NO_PRICE"), "the price came");
    assert!(after.held() < before.held() && after.held() > 0);
    assert!(before.held() * 5 < settled.len(), "{} held", before.held());
    let charges: Vec<_> = after
        .outcomes
        .values()
        .filter_map(|outcome| match outcome {
            Outcome::Charged(charge) => Some(charge),
            Outcome::Held(_) => None,
        })
        .collect();
    assert!(charges.iter().any(|charge| !charge.billed));
    assert!(charges.iter().any(|charge| !charge.cost_known));
    assert!(charges.iter().any(|charge| charge.converted.is_none()));
    assert!(charges.iter().any(|charge| charge.own));
    assert!(charges.iter().any(|charge| charge.price < charge.cost));
    let currencies: BTreeSet<_> = charges.iter().map(|charge| charge.currency).collect();
    assert_eq!(currencies, BTreeSet::from(["EUR", "USD"]));
    let of_all: Millionths = charges.iter().map(|charge| charge.price).sum();
    let of_usage: Millionths = after.usage.values().map(|usage| usage.price).sum();
    assert_eq!(of_all, of_usage);
}

#[test]
fn what_a_settlement_names_serves_only_while_nobody_registered_the_account() {
    let mut agreement = example();
    let named = Settled {
        tier: Some("STARTER"),
        currency: Some("EUR"),
        ..settled("2026-03-05T12:00:00Z")
    };
    let charged = |outcome| matches!(outcome, Outcome::Charged(_));
    assert!(charged(agreement.outcome(&named, Comes::First)));
    agreement.accounts.clear();
    let missing = Outcome::Held("NO_PRICE");
    assert_eq!(agreement.outcome(&named, Comes::First), missing);
    let growth = Settled {
        tier: Some("GROWTH"),
        ..named
    };
    assert!(charged(agreement.outcome(&growth, Comes::First)));
    let half = Settled {
        currency: None,
        ..growth
    };
    let unknown = Outcome::Held("ACCOUNT_UNKNOWN");
    assert_eq!(agreement.outcome(&half, Comes::First), unknown);
}
