//! Keeps the projections of a process close together while they work off a backlog.
//!
//! They share what one of them reads, as long as it is still in the feed's memory. Were the quick
//! ones to run ahead of the slow ones, each would read and decode the log for itself, which costs
//! more than most of them do with it. So who is too far ahead waits, though never for one that
//! does not move (its database, its stream or its fact may be the trouble).

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How far ahead of the slowest a projection may start a batch: with that batch it stays within
/// what the feed remembers.
const AHEAD: i64 = 4_000;
/// Who has not moved for so long is not waited for.
const STRAGGLER: Duration = Duration::from_millis(500);
/// How soon who is too far ahead looks again.
pub(crate) const AGAIN: Duration = Duration::from_millis(5);

/// Where everybody is. Shared by all projections of a process.
#[derive(Debug, Default)]
pub(crate) struct Convoy(Mutex<Vec<Option<Member>>>);

#[derive(Debug, Clone, Copy)]
struct Member {
    at: i64,
    moved: Instant,
}

impl Convoy {
    /// The projection `number` is now at `at`.
    pub(crate) fn moved(&self, number: usize, at: i64, now: Instant) {
        let mut members = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if members.len() <= number {
            members.resize(number + 1, None);
        }
        members[number] = Some(Member { at, moved: now });
    }

    /// Whether somebody at `at` is so far ahead that it should wait for another.
    pub(crate) fn should_wait(&self, at: i64, now: Instant) -> bool {
        let members = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        members
            .iter()
            .flatten()
            .any(|member| at - member.at > AHEAD && now.duration_since(member.moved) < STRAGGLER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_ahead_waits_for_who_moves_and_for_nobody_else() {
        let (convoy, start) = (Convoy::default(), Instant::now());
        convoy.moved(2, 10_000, start);
        assert!(!convoy.should_wait(10_000, start), "nobody else is known");
        convoy.moved(0, 100, start);
        assert!(convoy.should_wait(10_000, start));
        assert!(!convoy.should_wait(100 + AHEAD, start));
        assert!(
            !convoy.should_wait(10_000, start + STRAGGLER),
            "it has not moved"
        );
        convoy.moved(0, 9_000, start + STRAGGLER);
        assert!(!convoy.should_wait(10_000, start + STRAGGLER));
    }
}
