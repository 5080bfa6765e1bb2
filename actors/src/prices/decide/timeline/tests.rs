//! The rules of versions over time, one test each, and all of them against a simple reference.

use schema::{
    AccountTier, Currency, Direction, OperatorId, PriceKey, PricingModel, PricingTableId, Status,
    event::PriceTerms, versioned::Price,
};

use super::*;
use crate::runtime::origin::Origin;

const REQUEST: Uuid = Uuid::from_u128(900);

fn at(time: i64) -> Timestamp {
    Timestamp::from_micros(time).expect("a time")
}

fn id(number: u128) -> PricingTableId {
    PricingTableId(Uuid::from_u128(number))
}

fn request(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn key() -> PriceKey {
    PriceKey {
        tenant: None,
        account_tier: AccountTier::Growth,
        operator_id: OperatorId(Uuid::from_u128(2)),
        direction: Direction::Mt,
        currency: Currency::parse("EUR").expect("a currency"),
    }
}

/// Terms that tell one version from another.
fn terms(price: u8) -> PriceTerms {
    PriceTerms {
        pricing_model: PricingModel::PerSegment,
        unit_price: price.to_string().parse().expect("a price"),
        billable_statuses: [Status::Delivered].into(),
    }
}

fn period(from: i64, to: Option<i64>) -> Period {
    Period {
        effective_from: at(from),
        effective_to: to.map(at),
    }
}

fn amendment(now: i64, request: Uuid, action: Action<Price>) -> Amendment<Price> {
    Amendment {
        key: key(),
        action,
        if_at: None,
        origin: Origin {
            request,
            ..Origin::of_request(0).at(at(now))
        },
    }
}

fn open(version: u128, from: i64, to: Option<i64>) -> Action<Price> {
    Action::Open {
        id: id(version),
        terms: terms(7),
        period: period(from, to),
    }
}

fn replace(old: u128, version: u128, time: Option<i64>) -> Action<Price> {
    Action::Replace {
        old: id(old),
        id: id(version),
        terms: terms(8),
        at: time.map(at),
    }
}

fn close(version: u128, time: Option<i64>) -> Action<Price> {
    Action::Close {
        id: id(version),
        at: time.map(at),
    }
}

/// Does to the timeline what the events of these changes do; each has the next position.
fn apply(timeline: &mut Timeline<Price>, amendment: &Amendment<Price>, position: &mut Position) {
    for change in timeline.decide(amendment).expect("not refused") {
        *position = position.next();
        match change {
            Change::Opened(opening) => timeline.open(opening, *position),
            Change::Closed(closing) => {
                let by = closing_event(closing.id.into(), amendment.origin.request);
                timeline.close(closing, by, *position);
            }
        }
    }
}

/// The timeline after these actions, each a request of its own at time 0.
fn given(actions: &[Action<Price>]) -> Timeline<Price> {
    let (mut timeline, mut position) = (Timeline::default(), Position::BEGINNING);
    for (number, action) in (1..).zip(actions) {
        let amendment = amendment(0, request(1_000 + number), action.clone());
        apply(&mut timeline, &amendment, &mut position);
    }
    timeline
}

impl Timeline<Price> {
    fn when(&self, now: i64, action: Action<Price>) -> Result<Vec<Change<Price>>, Refusal> {
        self.decide(&amendment(now, REQUEST, action))
    }
}

fn opened_as(version: u128, cost: u8, from: i64, to: Option<i64>) -> Change<Price> {
    Change::Opened(Opening {
        id: id(version),
        key: key(),
        terms: terms(cost),
        period: period(from, to),
        request: REQUEST,
    })
}

fn closed_at(version: u128, time: i64) -> Change<Price> {
    closed(id(version), at(time))
}

#[test]
fn a_version_is_opened_where_there_is_none_also_in_the_past() {
    let timeline = given(&[open(1, 10, Some(20))]);
    for (from, to) in [(20, None), (5, Some(10)), (-5, Some(3))] {
        let opened = timeline.when(100, open(2, from, to));
        assert_eq!(opened, Ok(vec![opened_as(2, 7, from, to)]));
    }
}

#[test]
fn a_version_is_not_opened_over_another_or_backwards() {
    let timeline = given(&[open(1, 10, Some(20))]);
    for (from, to) in [
        (10, Some(20)),
        (19, None),
        (0, None),
        (12, Some(13)),
        (0, Some(11)),
    ] {
        let refused = timeline.when(0, open(2, from, to));
        assert_eq!(
            refused,
            Err(Refusal::Overlap { with: id(1).0 }),
            "{from} {to:?}"
        );
    }
    for end in [30, 29] {
        assert_eq!(
            timeline.when(0, open(2, 30, Some(end))),
            Err(Refusal::Reversed)
        );
    }
}

#[test]
fn a_repeat_adds_nothing_and_other_content_is_refused() {
    let mut timeline = Timeline::default();
    let mut position = Position::BEGINNING;
    for action in [
        open(1, 10, None),
        replace(1, 2, Some(20)),
        close(2, Some(30)),
    ] {
        let first = amendment(5, request(u128::from(position.0.unsigned_abs())), action);
        apply(&mut timeline, &first, &mut position);
        let again = Amendment {
            origin: first.origin.clone().at(at(40)),
            ..first
        };
        assert_eq!(timeline.decide(&again), Ok(Vec::new()), "{again:?}");
    }
    let other = amendment(5, request(0), open(9, 50, None));
    assert_eq!(timeline.decide(&other), Err(Refusal::KeyReused));
}

#[test]
fn to_replace_is_to_close_and_to_open_from_there_to_the_same_end() {
    let timeline = given(&[open(1, 10, Some(50))]);
    let replaced = timeline.when(20, replace(1, 2, Some(30)));
    assert_eq!(
        replaced,
        Ok(vec![closed_at(1, 30), opened_as(2, 8, 30, Some(50))])
    );
    let now = timeline.when(20, replace(1, 2, None));
    assert_eq!(
        now,
        Ok(vec![closed_at(1, 20), opened_as(2, 8, 20, Some(50))])
    );
    let before = timeline.when(5, replace(1, 2, None));
    assert_eq!(
        before,
        Ok(vec![closed_at(1, 10), opened_as(2, 8, 10, Some(50))])
    );
}

#[test]
fn a_version_is_closed_now_or_later_never_in_the_past() {
    let timeline = given(&[open(1, 10, Some(50))]);
    assert_eq!(
        timeline.when(20, close(1, None)),
        Ok(vec![closed_at(1, 20)])
    );
    assert_eq!(
        timeline.when(20, close(1, Some(40))),
        Ok(vec![closed_at(1, 40)])
    );
    assert_eq!(
        timeline.when(20, close(1, Some(19))),
        Err(Refusal::InThePast)
    );
    assert_eq!(
        timeline.when(20, replace(1, 2, Some(19))),
        Err(Refusal::InThePast)
    );
    assert_eq!(timeline.when(5, close(1, Some(9))), Err(Refusal::Reversed));
    assert_eq!(
        timeline.when(20, close(1, Some(51))),
        Err(Refusal::AlreadyClosed)
    );
    assert_eq!(
        timeline.when(60, close(1, None)),
        Err(Refusal::AlreadyClosed)
    );
    assert_eq!(
        timeline.when(20, close(1, Some(50))),
        Ok(Vec::new()),
        "it ends then"
    );
    assert_eq!(timeline.when(20, close(2, None)), Err(Refusal::NotFound));
    assert_eq!(
        timeline.when(20, replace(2, 3, None)),
        Err(Refusal::NotFound)
    );
}

#[test]
fn what_has_not_begun_may_be_withdrawn_and_makes_room() {
    let timeline = given(&[open(1, 10, None), close(1, None)]);
    assert_eq!(timeline.at(at(11)), None);
    assert_eq!(
        timeline
            .when(0, open(2, 10, None))
            .map(|changes| changes.len()),
        Ok(1)
    );
    assert_eq!(
        timeline.when(0, close(1, None)),
        Err(Refusal::AlreadyClosed)
    );
    assert_eq!(
        timeline.when(0, replace(1, 2, None)),
        Err(Refusal::AlreadyClosed)
    );
}

#[test]
fn a_version_that_changed_since_it_was_seen_is_left_alone() {
    let timeline = given(&[open(1, 10, None), close(1, Some(50))]);
    let seen = |position, action| Amendment {
        if_at: Some(Position(position)),
        ..amendment(20, REQUEST, action)
    };
    for action in [close(1, Some(30)), replace(1, 2, Some(30))] {
        let refused = timeline.decide(&seen(1, action.clone()));
        assert_eq!(
            refused,
            Err(Refusal::Changed {
                position: Position(2)
            })
        );
        assert!(timeline.decide(&seen(2, action)).is_ok());
    }
}

/// The next number of a simple generator, below `below`.
fn next(seed: &mut u64, below: u64) -> i64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    i64::try_from((*seed >> 33) % below).expect("small")
}

/// What somebody may want at random, some of it nonsense.
fn any_action(seed: &mut u64, number: u128) -> Action<Price> {
    let which = u128::from(next(seed, 51).unsigned_abs());
    let some = |seed: &mut u64| (next(seed, 3) > 0).then(|| next(seed, 60));
    match next(seed, 3) {
        0 => {
            let from = next(seed, 60);
            open(number, from, some(seed).map(|length| from + length / 4))
        }
        1 => replace(which, number, some(seed)),
        _ => close(which, some(seed)),
    }
}

#[test]
fn versions_never_overlap_and_each_time_finds_the_one_that_is_in_effect() {
    for run in 0..300 {
        let (mut seed, mut position) = (run, Position::BEGINNING);
        let mut timeline = Timeline::default();
        for number in 1..60 {
            let action = any_action(&mut seed, number);
            let amendment = amendment(
                i64::try_from(number).expect("small"),
                request(number),
                action,
            );
            if timeline.decide(&amendment).is_ok() {
                apply(&mut timeline, &amendment, &mut position);
            }
            let all: Vec<_> = timeline.all().collect();
            for (index, one) in all.iter().enumerate() {
                let others = all[index + 1..].iter();
                assert!(
                    others
                        .clone()
                        .all(|other| !one.period.overlaps(other.period))
                );
                assert!(others.clone().all(|other| one.id != other.id));
            }
            for time in 0..80 {
                let scanned = all.iter().find(|version| version.period.contains(at(time)));
                assert_eq!(
                    timeline.at(at(time)),
                    scanned.copied(),
                    "run {run} time {time}"
                );
            }
        }
    }
}

#[test]
fn what_was_in_effect_at_a_time_gone_by_stays_so() {
    for run in 0..300 {
        let (mut seed, mut position) = (run, Position::BEGINNING);
        let mut timeline = Timeline::default();
        for number in 1..60 {
            let now = i64::try_from(number).expect("small");
            let before = timeline.clone();
            let action = any_action(&mut seed, number);
            let amendment = amendment(now, request(number), action);
            if timeline.decide(&amendment).is_ok() {
                apply(&mut timeline, &amendment, &mut position);
            }
            for time in 0..now {
                let was = before.at(at(time)).map(|version| version.id);
                let is = timeline.at(at(time)).map(|version| version.id);
                assert!(was.is_none() || was == is, "run {run} time {time}");
            }
        }
    }
}

#[test]
fn of_two_who_replace_a_version_at_once_the_second_hears_that_it_has_ended() {
    let mut timeline = given(&[open(1, 0, None)]);
    let mut position = Position(1);
    let first = amendment(60, request(2_000), replace(1, 2, None));
    apply(&mut timeline, &first, &mut position);
    timeline.changed(first.origin.time);
    // It was asked a moment before the first, and decided after it.
    let second = timeline.when(50, replace(1, 3, None));
    assert_eq!(second, Err(Refusal::AlreadyClosed));
    let closed = timeline.when(50, close(2, None));
    assert_eq!(closed, Ok(vec![closed_at(2, 60)]), "it never was in effect");
}
