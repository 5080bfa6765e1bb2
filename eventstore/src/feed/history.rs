//! Whether the log is still the one that this process has read.
//!
//! After a failover to a standby that was behind, or a restore to an earlier moment, the end of
//! the log is gone and other events take the same positions. Whatever this process remembers may
//! then be about events that nobody recorded. A position together with the moment at which its
//! event was recorded tells one history from another: histories that differ before it do not
//! share it. So the newest such [`Mark`] is kept and compared; where it does not hold any more, the
//! log is another **incarnation**, and whoever remembers anything begins anew.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use schema::{Position, Timestamp};
use tokio::sync::watch;

/// A place in the log by which its history is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The position of an event; with its moment it tells one history of the log from another.
    pub position: Position,
    /// When the event there was recorded.
    pub recorded_at: Timestamp,
}

/// What this process has seen of the log.
#[derive(Debug)]
pub(super) struct History {
    seen: Mutex<Seen>,
    incarnation: watch::Sender<u64>,
    /// Looks at the log that have begun.
    begun: AtomicU64,
    /// The number of the newest look that has ended well.
    ended: watch::Sender<u64>,
}

/// The newest mark that is known to stand in the log, and which incarnation that log is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    pub(super) incarnation: u64,
    pub(super) mark: Option<Mark>,
}

impl Default for History {
    fn default() -> Self {
        Self {
            seen: Mutex::default(),
            incarnation: watch::Sender::new(0),
            begun: AtomicU64::new(0),
            ended: watch::Sender::new(0),
        }
    }
}

impl History {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn seen(&self) -> Seen {
        *self.lock()
    }

    /// `mark` stands in the same log as the mark of `before`.
    pub(super) fn saw(&self, before: Seen, mark: Mark) {
        let mut seen = self.lock();
        let newer = |known: Mark| mark.position > known.position;
        if seen.incarnation == before.incarnation && seen.mark.is_none_or(newer) {
            seen.mark = Some(mark);
        }
    }

    /// The log is not that of `incarnation` any more. False if that was known.
    pub(super) fn begin_anew(&self, incarnation: u64) -> bool {
        let mut seen = self.lock();
        if seen.incarnation != incarnation {
            return false;
        }
        *seen = Seen {
            incarnation: incarnation + 1,
            mark: None,
        };
        self.incarnation.send_replace(incarnation + 1);
        true
    }

    pub(super) fn incarnation(&self) -> watch::Receiver<u64> {
        self.incarnation.subscribe()
    }

    /// The number of a look that begins now.
    pub(super) fn begin_look(&self) -> u64 {
        self.begun.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// That look has ended, and the log was what it was taken for or is known to be another.
    pub(super) fn end_look(&self, number: u64) {
        self.ended.send_replace(number);
    }

    /// Waits until a look has ended well that began after this call.
    pub(super) async fn next_look(&self) {
        let begun = self.begun.load(Ordering::Acquire);
        let mut ended = self.ended.subscribe();
        // The sender lives as long as we do, so this waits and does not fail.
        let _ = ended.wait_for(|ended| *ended > begun).await;
    }
}
