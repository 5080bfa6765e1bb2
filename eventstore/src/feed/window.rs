//! What a feed remembers, and for whom.
//!
//! A stretch of the log is kept as long as somebody is behind its end, nearest followers first: a
//! quick one leaves what it read to those close behind it, and one that lags behind everybody
//! neither finds anything here nor drives anything out. Pure: nothing here waits or reads.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use schema::Position;

use crate::{RecordedEvent, UnreadableRow};

/// One place of the log, as it was read once for everybody.
pub type Entry = Result<Arc<RecordedEvent>, Arc<UnreadableRow>>;

/// A stretch of the log that is shared, from wherever its reader is.
#[derive(Debug, Clone)]
pub struct SharedStretch {
    /// In order of position.
    pub events: Vec<Entry>,
    /// Everything up to and including this position has been considered.
    pub through: Position,
}

/// Where an entry stands.
pub(super) fn position(entry: &Entry) -> Position {
    match entry {
        Ok(event) => event.position,
        Err(row) => row.position,
    }
}

/// Stretches of the log, by the position before their first, and who follows it.
#[derive(Debug)]
pub(super) struct Window {
    followers: HashMap<u64, Position>,
    stretches: BTreeMap<Position, SharedStretch>,
    /// The most events that one stretch grows to.
    stretch: usize,
    /// The most events that are kept.
    kept: usize,
}

impl Window {
    /// Keeps at most `kept` events, in stretches of at most `stretch`.
    pub(super) fn new(stretch: usize, kept: usize) -> Self {
        Self {
            followers: HashMap::new(),
            stretches: BTreeMap::new(),
            stretch,
            kept,
        }
    }

    /// The follower `number` is at `position`.
    pub(super) fn is_at(&mut self, number: u64, position: Position) {
        if self.followers.insert(number, position) != Some(position) {
            self.tidy();
        }
    }

    /// The follower `number` is gone.
    pub(super) fn leaves(&mut self, number: u64) {
        self.followers.remove(&number);
        self.tidy();
    }

    /// Nothing is remembered any more; who follows the log still does.
    pub(super) fn forget(&mut self) {
        self.stretches.clear();
    }

    /// What is remembered after `position`, if anything.
    pub(super) fn after(&self, at: Position) -> Option<SharedStretch> {
        let (_, found) = self.stretches.range(..=at).next_back()?;
        if found.through <= at {
            return None;
        }
        let known = found.events.partition_point(|entry| position(entry) <= at);
        Some(SharedStretch {
            events: found.events[known..].to_vec(),
            through: found.through,
        })
    }

    /// Remembers what was read after `after`.
    pub(super) fn keep(&mut self, after: Position, read: &SharedStretch) {
        if read.through <= after {
            return;
        }
        // Small stretches grow together, so that who comes behind finds more than crumbs.
        let before = self.stretches.range_mut(..after).next_back();
        if let Some((_, before)) = before
            && before.through == after
            && before.events.len() + read.events.len() <= self.stretch
        {
            before.events.extend_from_slice(&read.events);
            before.through = read.through;
        } else {
            self.stretches.insert(after, read.clone());
        }
        self.tidy();
    }

    /// Forgets what nobody is behind of, and then, if that is still too much, what is furthest
    /// ahead of whoever comes next.
    fn tidy(&mut self) {
        let followers = &self.followers;
        let distance = |after: Position, stretch: &SharedStretch| {
            let behind = followers.values().filter(|at| **at < stretch.through);
            behind.max().map(|nearest| after.ahead_of(*nearest).max(0))
        };
        self.stretches
            .retain(|after, stretch| distance(*after, stretch).is_some());
        let mut kept: usize = self.stretches.values().map(weight).sum();
        while kept > self.kept {
            let furthest = self
                .stretches
                .iter()
                .max_by_key(|(after, stretch)| distance(**after, stretch));
            let Some(after) = furthest.map(|(after, _)| *after) else {
                return;
            };
            kept -= self.stretches.remove(&after).as_ref().map_or(0, weight);
        }
    }
}

/// What a stretch takes up; one without events (of kinds that are not for this reader) too.
fn weight(stretch: &SharedStretch) -> usize {
    stretch.events.len() + 1
}

#[cfg(test)]
mod tests {
    use schema::StreamVersion;

    use super::*;
    use crate::contract::samples;

    /// The events after `after` through `through`.
    fn read(after: i64, through: i64) -> SharedStretch {
        let recorded = |position| {
            Ok(Arc::new(RecordedEvent {
                position: Position(position),
                stream: samples::append(1, 0, 1).stream,
                version: StreamVersion(1),
                recorded_at: crate::clock::now(),
                data: samples::new_event(1, 1),
            }))
        };
        SharedStretch {
            events: (after + 1..=through).map(recorded).collect(),
            through: Position(through),
        }
    }

    /// Where what is remembered after `at` begins and ends.
    fn found(window: &Window, at: i64) -> Option<(i64, i64)> {
        let found = window.after(Position(at))?;
        assert_eq!(
            i64::try_from(found.events.len()).expect("few"),
            found.through.ahead_of(Position(at))
        );
        Some((position(&found.events[0]).0, found.through.0))
    }

    #[test]
    fn who_joins_in_the_middle_of_a_stretch_gets_its_rest() {
        let mut window = Window::new(10, 100);
        window.is_at(1, Position(0));
        window.keep(Position(0), &read(0, 8));
        assert_eq!(found(&window, 0), Some((1, 8)));
        assert_eq!(found(&window, 5), Some((6, 8)));
        assert_eq!(found(&window, 8), None);
    }

    #[test]
    fn small_stretches_grow_together() {
        let mut window = Window::new(10, 100);
        window.is_at(1, Position(0));
        for after in [0, 4, 8] {
            window.keep(Position(after), &read(after, after + 4));
        }
        assert_eq!(found(&window, 0), Some((1, 8)));
        assert_eq!(found(&window, 8), Some((9, 12)));
    }

    #[test]
    fn what_nobody_is_behind_of_is_forgotten() {
        let mut window = Window::new(10, 100);
        window.is_at(1, Position(0));
        window.is_at(2, Position(0));
        window.keep(Position(0), &read(0, 10));
        window.is_at(1, Position(10));
        assert_eq!(found(&window, 0), Some((1, 10)), "the other one wants it");
        window.leaves(2);
        assert_eq!(found(&window, 0), None);
    }

    #[test]
    fn one_that_lags_drives_out_nothing_that_is_wanted_sooner() {
        let mut window = Window::new(10, 40);
        // Two close to the end of the log, one of them a little ahead; one at its beginning.
        for (number, at) in [(1, 1_020), (2, 1_000), (3, 0)] {
            window.is_at(number, Position(at));
        }
        window.keep(Position(1_000), &read(1_000, 1_010));
        window.keep(Position(1_010), &read(1_010, 1_020));
        for after in [0, 10, 20, 30, 40, 50] {
            window.keep(Position(after), &read(after, after + 10));
            window.is_at(3, Position(after + 10));
        }
        assert_eq!(found(&window, 1_000), Some((1_001, 1_010)));
        assert_eq!(found(&window, 1_010), Some((1_011, 1_020)));
    }

    #[test]
    fn if_it_is_too_much_what_is_furthest_ahead_of_the_next_one_goes() {
        let mut window = Window::new(10, 33);
        window.is_at(1, Position(0));
        for after in [0, 10, 20, 30] {
            window.keep(Position(after), &read(after, after + 10));
        }
        assert_eq!(found(&window, 20), Some((21, 30)));
        assert_eq!(found(&window, 30), None);
    }
}
