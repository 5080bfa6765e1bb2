//! Where an event stands: in its log and in its stream.
//!
//! Two counts that nobody may take for each other, nor for a number of events. Whoever needs the
//! bare number (a column, a cursor, an `ETag`) takes it out at that edge. The version of a stream
//! says nothing of what else has versions: prices, costs, the shapes of events.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where an event stands in its log: 1, 2, 3, … without gaps. By default the beginning.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Position(pub i64);

impl Position {
    /// Before the first event: the head of an empty log, and where a reader begins.
    pub const BEGINNING: Self = Self(0);

    /// The position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }

    /// The position so many events later, earlier if `events` is negative; the last there can be
    /// if it were beyond that.
    #[must_use]
    pub const fn plus(self, events: i64) -> Self {
        Self(self.0.saturating_add(events))
    }

    /// How many events this is ahead of `other`; negative if it is behind.
    #[must_use]
    pub const fn ahead_of(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where an event stands in its stream: 1, 2, 3, … without gaps. A stream is at the version of its
/// newest event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamVersion(pub i32);

impl StreamVersion {
    /// Of a stream without events.
    pub const NONE: Self = Self(0);

    /// The version after one more event.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }

    /// The version after so many more events; the last there can be if it were beyond that.
    #[must_use]
    pub const fn plus(self, events: i32) -> Self {
        Self(self.0.saturating_add(events))
    }
}

impl fmt::Display for StreamVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_followed_by_the_next_until_numbers_end() {
        assert_eq!(Position::BEGINNING.next().plus(2), Position(3));
        assert_eq!(Position(i64::MAX).next(), Position(i64::MAX));
        assert_eq!(StreamVersion::NONE.next().plus(2), StreamVersion(3));
        assert_eq!(StreamVersion(i32::MAX).next(), StreamVersion(i32::MAX));
    }

    #[test]
    fn a_distance_says_who_is_behind() {
        assert_eq!(Position(7).ahead_of(Position(5)), 2);
        assert_eq!(Position(5).ahead_of(Position(7)), -2);
    }
}
