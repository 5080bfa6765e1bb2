//! The rows that a table must have, compared with those it has, whichever table it is.

use std::collections::{HashMap, hash_map::Entry};

use super::{Invariant, findings::Findings};

/// The rows that a table must have, and which of them were seen.
pub(super) struct Rows<K, R> {
    invariant: Invariant,
    table: &'static str,
    pub(super) due: HashMap<K, (R, bool)>,
}

impl<K: std::hash::Hash + Eq + std::fmt::Debug, R: PartialEq> Rows<K, R> {
    pub(super) fn new(invariant: Invariant, table: &'static str) -> Self {
        let due = HashMap::new();
        Self {
            invariant,
            table,
            due,
        }
    }

    /// Notes one row.
    pub(super) fn row(&mut self, key: K, row: &R, findings: &mut Findings) {
        let (invariant, table) = (self.invariant, self.table);
        match self.due.entry(key) {
            Entry::Vacant(unknown) => findings.wrong(invariant, || {
                format!("{table} {:?}: the log knows nothing of it", unknown.key())
            }),
            Entry::Occupied(mut due) => {
                if std::mem::replace(&mut due.get_mut().1, true) {
                    findings.doubled(invariant, || format!("{table} {:?}", due.key()));
                }
                findings.hold(invariant, due.get().0 == *row, || {
                    format!("{table} {:?}: the log says something else", due.key())
                });
            }
        }
    }

    /// After the last row.
    pub(super) fn end(&self, findings: &mut Findings) {
        for (key, _) in self.due.iter().filter(|(_, (_, seen))| !seen) {
            findings.lost(self.invariant, || format!("{} {key:?}", self.table));
        }
    }
}
