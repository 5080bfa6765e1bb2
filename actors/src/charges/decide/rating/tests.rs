//! The rules of CONTRACTS 7 for one charge, one test each.

use std::collections::BTreeSet;

use schema::{
    AccountId, CostKey, Direction, MessageId, OperatorId, Period, Position, PriceKey, Status,
    StreamId, StreamVersion, Versioned,
    event::{CostTerms, PriceTerms},
    versioned::Opening,
};
use uuid::Uuid;

use super::*;
use crate::accounts::decide::tests::facts;

const HOUR: i64 = 3_600 * 1_000_000;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).expect("a time")
}

fn currency(code: &str) -> Currency {
    Currency::parse(code).expect("exists")
}

/// Three segments, delivered an hour after the epoch, arrived a second later.
fn settlement() -> Settlement {
    Settlement {
        source_event_id: Uuid::from_u128(1),
        message_id: MessageId(Uuid::from_u128(3)),
        operator_id: OperatorId(Uuid::from_u128(2)),
        direction: Direction::Mt,
        segment_count: 3,
        dlr_status: Status::Delivered,
        occurred_at: at(HOUR),
        charged_at: at(HOUR),
        stated_tier: None,
        stated_currency: None,
        received_at: at(HOUR + 1_000_000),
    }
}

const TENANT: Pseudonym = Pseudonym(Uuid::from_u128(5));

fn registered_by(tenant: Pseudonym) -> Account {
    Account::registered_by(tenant, &[(at(0), facts(AccountTier::Growth))])
}

fn guard(version: i32) -> Guard {
    let stream = StreamId::account(AccountId(Uuid::from_u128(4)));
    Guard {
        stream,
        version: StreamVersion(version),
    }
}

/// A version from `from` on.
fn since<K: Versioned>(
    from: i64,
    id: u128,
    key: K::Key<Pseudonym>,
    terms: K::Terms,
) -> Timeline<K> {
    let period = Period {
        effective_from: at(from),
        effective_to: None,
    };
    let opening = Opening {
        id: Uuid::from_u128(id).into(),
        key,
        terms,
        period,
        request: Uuid::nil(),
    };
    let mut timeline = Timeline::default();
    timeline.open(opening, Position(1));
    timeline
}

/// A version of a price from `from` on. The rules of rating do not look at its key: who asks for
/// the timeline has.
fn price_since(from: i64, id: u128, terms: PriceTerms) -> Timeline<Price> {
    let key = PriceKey {
        tenant: None,
        account_tier: AccountTier::Growth,
        operator_id: OperatorId(Uuid::from_u128(2)),
        direction: Direction::Mt,
        currency: currency("EUR"),
    };
    since(from, id, key, terms)
}

fn price(unit_price: &str) -> PriceTerms {
    PriceTerms {
        pricing_model: PricingModel::PerSegment,
        unit_price: unit_price.parse().expect("valid"),
        billable_statuses: BTreeSet::from([Status::Delivered, Status::Failed]),
    }
}

fn cost(cost_per_segment: &str, code: &str) -> Timeline<Cost> {
    let terms = CostTerms {
        cost_per_segment: cost_per_segment.parse().expect("valid"),
        currency: currency(code),
        due_statuses: BTreeSet::from([Status::Delivered, Status::Rejected]),
    };
    let key = CostKey {
        operator_id: OperatorId(Uuid::from_u128(2)),
        direction: Direction::Mt,
    };
    since(0, 30, key, terms)
}

/// What a settlement is rated with; guarded in the order account 1, own 2, platform 3, cost 4, rate 5.
struct World {
    account: Account,
    own: Timeline<Price>,
    platform: Timeline<Price>,
    cost: Timeline<Cost>,
    rate: Timeline<ExchangeRate>,
}

fn world() -> World {
    World {
        account: registered_by(TENANT),
        own: Timeline::default(),
        platform: price_since(0, 20, price("0.05")),
        cost: cost("0.02", "EUR"),
        rate: Timeline::default(),
    }
}

impl World {
    fn rate(&self, settlement: &Settlement) -> (Rating, Vec<i32>) {
        let payer = payer(settlement, TENANT, &self.account);
        let prices = payer
            .tier
            .zip(payer.currency)
            .map(|(tier, currency)| Prices {
                own: known(&self.own, 2),
                platform: known(&self.platform, 3),
                tier,
                currency,
            });
        let tariff = Tariff {
            payer,
            account: guard(1),
            prices,
            cost: known(&self.cost, 4),
            rate: Some(known(&self.rate, 5)),
        };
        let (rating, guards) = rate(settlement, &tariff);
        (rating, guards.iter().map(|guard| guard.version.0).collect())
    }

    fn charges(&self, settlement: &Settlement) -> MessageCharged {
        match self.rate(settlement).0 {
            Rating::Charged(charged) => charged,
            Rating::Held(held) => panic!("{held:?}"),
        }
    }

    fn holds(&self, settlement: &Settlement) -> HoldReason {
        match self.rate(settlement).0 {
            Rating::Held(held) => held.reason,
            Rating::Charged(charged) => panic!("{charged:?}"),
        }
    }
}

const fn known<T>(state: &T, version: i32) -> Guarded<'_, T> {
    let id = Uuid::nil();
    let category = schema::Category::Price;
    let guard = Guard {
        stream: StreamId { category, id },
        version: StreamVersion(version),
    };
    Guarded { state, guard }
}

fn sums(charged: &MessageCharged) -> [String; 3] {
    let assessed = &charged.assessment;
    [
        charged.customer_price,
        assessed.operator_cost,
        assessed.margin.expect("known"),
    ]
    .map(|sum| sum.to_string())
}

#[test]
fn per_segment_is_times_segments_and_flat_is_once() {
    let mut world = world();
    assert_eq!(
        sums(&world.charges(&settlement())),
        ["0.150000", "0.060000", "0.090000"]
    );
    let flat = PriceTerms {
        pricing_model: PricingModel::FlatPerMessage,
        ..price("0.05")
    };
    world.platform = price_since(0, 20, flat);
    assert_eq!(
        sums(&world.charges(&settlement())),
        ["0.050000", "0.060000", "-0.010000"]
    );
}

#[test]
fn the_tenants_own_price_precedes_the_platforms_and_then_only_it_counts() {
    let mut world = world();
    let (_, guards) = world.rate(&settlement());
    assert_eq!(
        guards,
        [1, 2, 3, 4],
        "that the own does not cover is relied on too"
    );
    world.own = price_since(0, 10, price("0.04"));
    let (rating, guards) = world.rate(&settlement());
    assert!(matches!(rating, Rating::Charged(charged) if charged.price.own));
    assert_eq!(guards, [1, 2, 4]);
    world.own = price_since(2 * HOUR, 10, price("0.04"));
    assert!(!world.charges(&settlement()).price.own, "not yet in effect");
}

#[test]
fn a_registered_account_decides_and_a_stated_one_serves_only_without() {
    let mut world = world();
    let stated = Settlement {
        stated_tier: Some(AccountTier::Custom),
        stated_currency: Some(currency("USD")),
        ..settlement()
    };
    assert_eq!(world.charges(&stated).account_tier, AccountTier::Growth);
    world.account = Account::default();
    world.cost = Timeline::default();
    let charged = world.charges(&stated);
    assert_eq!(
        (charged.account_tier, charged.currency),
        (AccountTier::Custom, currency("USD"))
    );
    let half = Settlement {
        stated_currency: None,
        ..stated
    };
    assert_eq!(world.holds(&half), HoldReason::AccountUnknown);
    assert_eq!(world.rate(&half).1, [1]);
}

#[test]
fn the_version_of_the_account_in_effect_at_the_time_decides() {
    let mut world = world();
    let stated = Settlement {
        stated_tier: Some(AccountTier::Custom),
        stated_currency: Some(currency("USD")),
        ..settlement()
    };
    let since = |from, tier| {
        let mut told = facts(tier);
        told.currency = currency("EUR");
        (at(from), told)
    };
    let (before, after) = (
        since(HOUR, AccountTier::Growth),
        since(HOUR + 1, AccountTier::Starter),
    );
    world.account = Account::registered_by(TENANT, &[before, after]);
    let charged = world.charges(&stated);
    assert_eq!(charged.account_tier, AccountTier::Growth);
    assert_eq!(charged.payer, PayerSource::Registered);
    // Registered from later on only: for now the settlement has the word.
    world.account = Account::registered_by(TENANT, &[after]);
    world.cost = Timeline::default();
    let charged = world.charges(&stated);
    assert_eq!(charged.account_tier, AccountTier::Custom);
    assert_eq!(charged.payer, PayerSource::Stated);
    assert_eq!(world.holds(&settlement()), HoldReason::AccountUnknown);
}

#[test]
fn nobody_pays_on_the_account_of_another_tenant() {
    let mut world = world();
    world.account = registered_by(Pseudonym(Uuid::from_u128(6)));
    let stated = Settlement {
        stated_tier: Some(AccountTier::Growth),
        stated_currency: Some(currency("EUR")),
        ..settlement()
    };
    assert_eq!(world.holds(&stated), HoldReason::AccountUnknown);
    assert_eq!(world.rate(&stated).1, [1], "it waits for the account alone");
}

#[test]
fn without_a_price_the_charge_is_held() {
    let mut world = world();
    world.platform = price_since(2 * HOUR, 20, price("0.05"));
    assert_eq!(world.holds(&settlement()), HoldReason::NoPrice);
    assert_eq!(world.rate(&settlement()).1, [1, 2, 3]);
}

#[test]
fn more_segments_than_are_charged_are_held_whatever_the_prices_are() {
    let of = |segment_count| Settlement {
        segment_count,
        ..settlement()
    };
    world().charges(&of(10));
    for too_many in [11, 16, i16::MAX] {
        let held = of(too_many);
        assert_eq!(world().holds(&held), HoldReason::SegmentsOutOfRange);
        assert_eq!(world().rate(&held).1, [0; 0], "it rests on nothing");
    }
}

#[test]
fn a_cost_in_another_currency_holds_up_no_charge_and_its_rate_is_relied_on() {
    let mut world = world();
    assert_eq!(
        world.rate(&settlement()).1,
        [1, 2, 3, 4],
        "no rate is needed"
    );
    world.cost = cost("0.02", "USD");
    let charged = world.charges(&settlement());
    assert_eq!(charged.customer_price.to_string(), "0.150000");
    assert_eq!(charged.assessment.operator_cost.to_string(), "0.060000");
    assert_eq!(charged.assessment.margin, None);
    assert_eq!(
        world.rate(&settlement()).1,
        [1, 2, 3, 4, 5],
        "that there is none"
    );
}

#[test]
fn without_a_cost_it_is_zero_and_for_review() {
    let mut world = world();
    world.cost = Timeline::default();
    let charged = world.charges(&settlement());
    assert_eq!(charged.assessment.cost, None);
    assert_eq!(sums(&charged), ["0.150000", "0.000000", "0.150000"]);
}

#[test]
fn a_status_that_is_not_charged_for_still_costs() {
    let rejected = Settlement {
        dlr_status: Status::Rejected,
        ..settlement()
    };
    let charged = world().charges(&rejected);
    assert!(!charged.billed);
    assert_eq!(sums(&charged), ["0.000000", "0.060000", "-0.060000"]);
}

#[test]
fn what_is_charged_ahead_of_its_arrival_is_rated_on_arrival_and_flagged_beyond_five_seconds() {
    let ahead = |micros| Settlement {
        charged_at: at(settlement().received_at.micros() + micros),
        ..settlement()
    };
    for (micros, flagged) in [(1, false), (5_000_000, false), (5_000_001, true)] {
        let charged = world().charges(&ahead(micros));
        let told = (charged.clock_skew, charged.rated_at);
        assert_eq!(told, (flagged, settlement().received_at), "{micros}");
    }
}

#[test]
fn more_than_a_day_behind_is_late_and_rated_at_its_own_time() {
    let behind = |micros| Settlement {
        received_at: at(HOUR + micros),
        ..settlement()
    };
    assert!(!world().charges(&behind(24 * HOUR)).late);
    let late = world().charges(&behind(24 * HOUR + 1));
    assert!(late.late && late.rated_at == at(HOUR));
}
