//! What the auditor found wrong, and the sums of it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Invariant;

/// Kept in words per invariant; the rest is only counted.
const KEPT: u64 = 10;

/// In which way something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    /// Something that must be there is not.
    Lost,
    /// Something is there more than once.
    Doubled,
    /// Something is there that must not be, or says something else.
    Wrong,
}

/// One violation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What does not hold.
    pub invariant: Invariant,
    /// In which way.
    pub fault: Fault,
    /// About which thing; positions and ids, no personal data.
    pub what: String,
}

/// Findings as they come in.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) kept: Vec<Finding>,
    pub(super) totals: BTreeMap<(Invariant, Fault), u64>,
}

impl Findings {
    pub(super) fn lost(&mut self, invariant: Invariant, what: impl FnOnce() -> String) {
        self.add(invariant, Fault::Lost, what);
    }

    pub(super) fn doubled(&mut self, invariant: Invariant, what: impl FnOnce() -> String) {
        self.add(invariant, Fault::Doubled, what);
    }

    pub(super) fn wrong(&mut self, invariant: Invariant, what: impl FnOnce() -> String) {
        self.add(invariant, Fault::Wrong, what);
    }

    /// A finding unless `holds`.
    pub(super) fn hold(
        &mut self,
        invariant: Invariant,
        holds: bool,
        what: impl FnOnce() -> String,
    ) {
        if !holds {
            self.wrong(invariant, what);
        }
    }

    pub(super) fn total(&self, fault: Fault) -> u64 {
        self.totals
            .iter()
            .filter(|((_, of), _)| *of == fault)
            .map(|(_, count)| count)
            .sum()
    }

    fn add(&mut self, invariant: Invariant, fault: Fault, what: impl FnOnce() -> String) {
        let count = self.totals.entry((invariant, fault)).or_default();
        *count += 1;
        if *count <= KEPT {
            self.kept.push(Finding {
                invariant,
                fault,
                what: what(),
            });
        }
    }
}
