//! The versions of an account over time. One begins at an instant and lasts until the next one
//! begins; told again with the same beginning, it takes the place of the one before. Before the
//! first one the account is nobody's word: a charge goes by what its settlement states.

use std::{collections::BTreeMap, ops::Bound};

use schema::{Period, Sealed, StreamVersion, Timestamp, event::AccountFacts};

/// One version of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// What it says.
    pub facts: AccountFacts,
    /// What it says of persons.
    pub(super) sealed: Sealed,
    /// Where that was sealed: the version of the event in the account's stream.
    pub(super) told_at: StreamVersion,
}

/// All versions of an account, by their beginnings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline(BTreeMap<Timestamp, Version>);

impl Timeline {
    /// The version in effect at `time`.
    #[must_use]
    pub fn at(&self, time: Timestamp) -> Option<&Version> {
        let (_, last) = self.0.range(..=time).next_back()?;
        Some(last)
    }

    /// What the versions say that were not replaced, from the first one on.
    pub fn facts(&self) -> impl Iterator<Item = &AccountFacts> {
        self.0.values().map(|version| &version.facts)
    }

    /// The version that begins at `from`.
    pub(super) fn beginning_at(&self, from: Timestamp) -> Option<&Version> {
        self.0.get(&from)
    }

    /// A version that begins at `from` was told.
    pub(super) fn tell(&mut self, from: Timestamp, version: Version) {
        self.0.insert(from, version);
    }

    /// The stretch of time in which a version with these facts, told to begin at `from`, would have
    /// messages pay by another tier or in another currency than the timeline says; nothing if it
    /// says the same already.
    pub(super) fn repriced(&self, from: Timestamp, facts: &AccountFacts) -> Option<Period> {
        let pays = |facts: &AccountFacts| (facts.account_tier, facts.currency);
        if self
            .at(from)
            .is_some_and(|it| pays(&it.facts) == pays(facts))
        {
            return None;
        }
        let mut later = self.0.range((Bound::Excluded(from), Bound::Unbounded));
        Some(Period {
            effective_from: from,
            effective_to: later.next().map(|(next, _)| *next),
        })
    }
}

#[cfg(test)]
impl Timeline {
    /// These versions, each from an instant on.
    pub(super) fn of(versions: &[(Timestamp, AccountFacts)]) -> Self {
        let version = |facts| Version {
            facts,
            sealed: Sealed::default(),
            told_at: StreamVersion(1),
        };
        Self(
            versions
                .iter()
                .map(|(from, facts)| (*from, version(*facts)))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests;
