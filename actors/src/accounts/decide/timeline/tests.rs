//! The timeline against a list that is searched from one end to the other, for every order of a
//! few versions.

use schema::{AccountTier, event::AccountFacts};

use super::*;
use crate::accounts::decide::tests::{at, facts};

const INSTANTS: [i64; 4] = [10, 20, 30, 40];
const TIERS: [AccountTier; 2] = [AccountTier::Starter, AccountTier::Growth];
/// How many versions are told, one after the other.
const TOLD: u32 = 4;

/// What was told, in that order: when it begins and which tier it says.
type Told = Vec<(i64, AccountTier)>;

/// The tier of an instant: of all that begins until then, what begins last and was told last.
fn tier(told: &Told, time: i64) -> Option<AccountTier> {
    let mut found: Option<(i64, AccountTier)> = None;
    for one in told {
        if one.0 <= time && found.is_none_or(|before| before.0 <= one.0) {
            found = Some(*one);
        }
    }
    found.map(|(_, tier)| tier)
}

/// Every list of so many versions.
fn lists() -> impl Iterator<Item = Told> {
    let kinds = INSTANTS.len() * TIERS.len();
    (0..kinds.pow(TOLD)).map(move |number| {
        let digits = (0..TOLD).map(|place| number / kinds.pow(place) % kinds);
        digits
            .map(|digit| (INSTANTS[digit / TIERS.len()], TIERS[digit % TIERS.len()]))
            .collect()
    })
}

fn version(facts: AccountFacts) -> Version {
    Version {
        facts,
        sealed: Sealed::default(),
        told_at: StreamVersion(1),
    }
}

#[test]
fn a_version_is_in_effect_from_its_beginning_to_the_next_one() {
    for told in lists() {
        let mut timeline = Timeline::default();
        for (from, tier) in &told {
            timeline.tell(at(*from), version(facts(*tier)));
        }
        for time in (5..=45).step_by(5) {
            let found = timeline.at(at(time)).map(|it| it.facts.account_tier);
            assert_eq!(found, tier(&told, time), "{told:?} at {time}");
        }
    }
}

#[test]
fn a_version_reprices_what_was_charged_by_another_tier_in_its_time() {
    for told in lists() {
        let mut before = told.clone();
        let (from, new) = before.pop().expect("told");
        let mut timeline = Timeline::default();
        for (from, tier) in &before {
            timeline.tell(at(*from), version(facts(*tier)));
        }
        for charged in (from..=45).step_by(5) {
            let others = before
                .iter()
                .any(|(next, _)| from < *next && *next <= charged);
            let due = !others && tier(&before, charged) != Some(new);
            let stretch = timeline.repriced(at(from), &facts(new));
            let found = stretch.is_some_and(|stretch| stretch.contains(at(charged)));
            assert_eq!(found, due, "{told:?} charged at {charged}");
        }
    }
}
