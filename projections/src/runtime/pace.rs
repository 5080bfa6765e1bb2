//! When a projection takes its next batch.
//!
//! After a pause it goes at once. Under steady load it goes once per [`BEAT`]: a transaction costs
//! the same for one event as for a few hundred, so waiting a little saves most of the work, and
//! the wait is far below what anybody may notice (visible within 300 ms). All projections of a
//! process share the beats, so that they ask for the same stretch of the log and share one read.
//! Who is behind, because many events wait or because the last batch did not reach the end of the
//! log as it was then, does not wait at all.

use std::time::Duration;

use schema::Position;
use tokio::time::Instant;

/// How often a batch is taken under steady load.
pub(crate) const BEAT: Duration = Duration::from_millis(40);
/// As many waiting events make a batch worth its while before the beat.
pub(crate) const FULL: i64 = 1_000;
/// The shortest pause after a fault; it doubles up to [`BACKOFF_MAX`].
const BACKOFF: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// The shortest pause while another node holds the checkpoint; it doubles up to [`HELD_MAX`].
const HELD: Duration = Duration::from_millis(5);
const HELD_MAX: Duration = Duration::from_millis(80);

/// Counts beats since a moment that all projections of a process share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    origin: Instant,
    /// The beat in which the last batch was taken.
    last: Option<u32>,
    /// The head of the log at that time.
    owed: Position,
}

impl Pace {
    pub(crate) const fn since(origin: Instant) -> Self {
        Self {
            origin,
            last: None,
            owed: Position::BEGINNING,
        }
    }

    /// When the next batch may be taken by who is at `at` in a log of `head`: later, or at once.
    pub(crate) fn due(&self, at: Position, head: Position, now: Instant) -> Option<Instant> {
        let beat = self.beat(now);
        let behind = at < self.owed || head.ahead_of(at) >= FULL;
        let early = !behind && self.last == Some(beat);
        early.then(|| self.origin + BEAT * beat.saturating_add(1))
    }

    /// A batch is taken now, from a log of `head`.
    pub(crate) fn took(&mut self, head: Position, now: Instant) {
        self.last = Some(self.beat(now));
        self.owed = head;
    }

    /// Something that differs between nodes.
    pub(crate) fn chance(&self, now: Instant) -> u32 {
        now.duration_since(self.origin).subsec_nanos()
    }

    fn beat(&self, now: Instant) -> u32 {
        let beats = now.duration_since(self.origin).as_millis() / BEAT.as_millis();
        // After five years of running everything is in one last beat; only `FULL` counts then.
        u32::try_from(beats).unwrap_or(u32::MAX - 1)
    }
}

/// How long to wait after the `failures`th fault in a row (from 1).
pub(crate) fn backoff(failures: u32) -> Duration {
    doubled(BACKOFF, failures).min(BACKOFF_MAX)
}

/// How long to wait after finding the checkpoint held the `times`th time in a row (from 1).
/// `chance`, anything that differs between nodes, keeps them out of step.
pub(crate) fn held(times: u32, chance: u32) -> Duration {
    let whole = doubled(HELD, times).min(HELD_MAX);
    whole / 2 + whole / 2 * (chance % 1_024) / 1_024
}

fn doubled(base: Duration, times: u32) -> Duration {
    base.saturating_mul(1 << times.saturating_sub(1).min(10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_pause_it_goes_at_once_and_then_once_per_beat() {
        let start = Instant::now();
        let mut pace = Pace::since(start);
        let now = start + BEAT * 7 + BEAT / 4;
        assert_eq!(pace.due(Position(0), Position(1), now), None);
        pace.took(Position(1), now);
        assert_eq!(
            pace.due(Position(1), Position(2), now + BEAT / 4),
            Some(start + BEAT * 8)
        );
        assert_eq!(pace.due(Position(1), Position(2), start + BEAT * 8), None);
    }

    #[test]
    fn who_is_behind_does_not_wait() {
        let start = Instant::now();
        let mut pace = Pace::since(start);
        pace.took(Position(10), start);
        assert_eq!(pace.due(Position(10), Position(10 + FULL), start), None);
        assert!(pace.due(Position(10), Position(9 + FULL), start).is_some());
        assert_eq!(
            pace.due(Position(9), Position(11), start),
            None,
            "the last batch left something"
        );
    }

    #[test]
    fn faults_are_tried_again_ever_more_patiently() {
        let waits: Vec<_> = (1..=8)
            .map(|failures| backoff(failures).as_millis())
            .collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        assert_eq!(backoff(u32::MAX), BACKOFF_MAX);
    }

    #[test]
    fn a_held_checkpoint_is_asked_for_again_soon_and_not_in_step() {
        for chance in [0, 1, 1_023, u32::MAX] {
            assert!((HELD / 2..HELD).contains(&held(1, chance)));
            assert!((HELD_MAX / 2..HELD_MAX).contains(&held(99, chance)));
        }
        assert_ne!(held(1, 1), held(1, 500));
    }
}
