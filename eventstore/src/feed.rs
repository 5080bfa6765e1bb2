//! Reads the log once for everyone in this process.
//!
//! All projections of a process follow the log, each at its own pace. Whoever is close to another
//! shares what that one has read and decoded; whoever is alone reads for itself. Nobody waits for
//! anybody, except for a read under way that brings just what is wanted. An append of this process
//! wakes everyone at once; appends of other processes are noticed by one light query for the log's
//! head per [`POLL`].

mod history;
mod window;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use schema::{Position, Timestamp};
use tokio::sync::watch;

pub use self::history::Mark;
use self::history::{History, Seen};
use self::window::Window;
pub use self::window::{Entry, SharedStretch};
use crate::{EventStore, StoreError};

/// How often the head of the log is asked for.
pub const POLL: Duration = Duration::from_millis(50);
/// How many events one read fetches.
const READ: i64 = 2_000;
/// How many events one remembered stretch holds.
const STRETCH: usize = 2_000;
/// How many events are remembered: a few reads, so that followers may be a little apart.
const KEPT: usize = 16_000;

/// The shared reader of a log.
pub struct Feed {
    store: Arc<dyn EventStore>,
    head: watch::Sender<Position>,
    remembered: Mutex<Remembered>,
    /// The number of the next follower.
    next: AtomicU64,
    history: History,
}

/// What has been read and what is being read.
struct Remembered {
    window: Window,
    reads: Vec<UnderWay>,
}

/// One who follows the log: tells the feed where it is, so that what it will want is kept.
pub struct Follower {
    feed: Arc<Feed>,
    number: u64,
}

/// A read that others may wait for.
struct UnderWay {
    after: Position,
    /// The least that it will bring, as far as anybody knows.
    until: Position,
    /// Closed when it has ended, however it did.
    ended: watch::Receiver<()>,
}

/// How somebody comes by a stretch of the log.
enum Way<'a> {
    /// It is remembered.
    Remembered(SharedStretch),
    /// A read under way will bring it.
    Wait(watch::Receiver<()>),
    /// By reading it.
    Read(Reading<'a>),
}

/// A read under way; others may wait for it as long as this lives, so also if it is cut short.
struct Reading<'a> {
    feed: &'a Feed,
    position: Position,
    end: watch::Sender<()>,
}

impl Feed {
    /// A feed of `store`. It reads nothing before it is asked.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>) -> Arc<Self> {
        Arc::new(Self {
            store,
            head: watch::Sender::new(Position::BEGINNING),
            remembered: Mutex::new(Remembered {
                window: Window::new(STRETCH, KEPT),
                reads: Vec::new(),
            }),
            next: AtomicU64::new(0),
            history: History::default(),
        })
    }

    /// Says that events up to `position` are recorded. The appender calls it after each commit.
    pub fn advanced_to(&self, position: Position) {
        self.head.send_if_modified(|head| {
            let news = position > *head;
            *head = position.max(*head);
            news
        });
    }

    /// The head of the log as far as this process knows, for waiting on.
    #[must_use]
    pub fn head(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    /// Asks for the head every [`POLL`], for ever. A failure is told once and the next poll
    /// tries again.
    pub async fn poll_head(&self) {
        let mut failing = false;
        let mut ticks = tokio::time::interval(POLL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.look().await {
                Ok(()) => failing = false,
                Err(error) if !failing => {
                    failing = true;
                    tracing::warn!(event = "log.head_error", error = %crate::log::chain(&error));
                }
                Err(_) => {}
            }
        }
    }

    /// Looks where the log is, and whether it is still the one that was read.
    async fn look(&self) -> Result<(), StoreError> {
        let number = self.history.begin_look();
        let before = self.history.seen();
        let head = self.store.head().await?;
        self.compare(before, head, None).await?;
        self.advanced_to(head);
        self.history.end_look(number);
        Ok(())
    }

    /// Compares the log with what was seen of it `before`. If it is the same, the event at
    /// `position` has been seen now, too; `recorded_at` is when it was recorded, where that is
    /// known from a read that has to stand in the same log.
    async fn compare(
        &self,
        before: Seen,
        position: Position,
        recorded_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let known = before
            .mark
            .map_or(Position::BEGINNING, |mark| mark.position);
        let found = self.store.recorded_at(&[known, position]).await?;
        let stands =
            |at: Option<Timestamp>, index: usize| at.is_none_or(|at| found[index] == Some(at));
        let same = stands(before.mark.map(|mark| mark.recorded_at), 0) && stands(recorded_at, 1);
        if !same {
            self.replaced(before.incarnation);
            return Ok(());
        }
        if let Some(recorded_at) = found[1] {
            let mark = Mark {
                position,
                recorded_at,
            };
            self.history.saw(before, mark);
        }
        Ok(())
    }

    /// The log is not that of `incarnation` any more: forgets all of it and tells everyone. Whoever
    /// finds it out first says so.
    pub fn replaced(&self, incarnation: u64) {
        let seen = self.history.seen();
        let mut known = self.remembered();
        known.window.forget();
        // Whoever sees the new number from here on finds nothing old.
        if self.history.begin_anew(incarnation) {
            self.head.send_replace(Position::BEGINNING);
            let lost = seen
                .mark
                .map(|mark| (mark.position.0, mark.recorded_at.to_string()));
            tracing::error!(
                event = "log.replaced",
                seenPosition = lost.as_ref().map(|(position, _)| position),
                seenRecordedAt = lost.as_ref().map(|(_, at)| at),
                "the end of the log is gone, by a failover or a restore; everything remembered of \
                 it is forgotten. Take receipts again with `tollbook replay-intake`"
            );
        }
    }

    /// How often the log turned out to be another, for waiting on. Whoever remembers anything of
    /// the log forgets it when this changes.
    #[must_use]
    pub fn incarnation(&self) -> watch::Receiver<u64> {
        self.history.incarnation()
    }

    /// The newest place that is known to stand in the log, as long as it is that incarnation.
    #[must_use]
    pub fn seen(&self, incarnation: u64) -> Option<Mark> {
        let seen = self.history.seen();
        seen.mark.filter(|_| seen.incarnation == incarnation)
    }

    /// Waits until the log has been looked at, and says whether it is still that incarnation: then
    /// what was remembered of it when this was called held.
    pub async fn is_still(&self, incarnation: u64) -> bool {
        self.history.next_look().await;
        self.history.seen().incarnation == incarnation
    }

    /// Somebody new who follows the log.
    #[must_use]
    pub fn follow(self: &Arc<Self>) -> Follower {
        Follower {
            feed: Arc::clone(self),
            number: self.next.fetch_add(1, Ordering::Relaxed),
        }
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// How somebody comes by what stands after `position`. Asked and noted under one lock, so that
    /// of two who ask at once one reads. Who has `waited` already does not wait again.
    fn way(&self, position: Position, waited: bool) -> Way<'_> {
        let mut known = self.remembered();
        if let Some(shared) = known.window.after(position) {
            return Way::Remembered(shared);
        }
        let brings = |read: &&UnderWay| read.after <= position && position < read.until;
        if let Some(read) = known.reads.iter().find(brings)
            && !waited
        {
            return Way::Wait(read.ended.clone());
        }
        let (end, ended) = watch::channel(());
        known.reads.push(UnderWay {
            after: position,
            until: (*self.head.borrow()).min(position.plus(READ)),
            ended,
        });
        Way::Read(Reading {
            feed: self,
            position,
            end,
        })
    }
}

impl Reading<'_> {
    /// Reads, for whoever wants it.
    async fn read(self) -> Result<SharedStretch, StoreError> {
        let feed = self.feed;
        let before = feed.history.seen();
        let stretch = feed.store.read_after(self.position, READ).await?;
        if stretch.recorded_at.is_some() {
            feed.compare(before, stretch.through, stretch.recorded_at)
                .await?;
        }
        feed.advanced_to(stretch.through);
        let events = stretch.events.into_iter();
        let shared = SharedStretch {
            events: events
                .map(|read| read.map(Arc::new).map_err(Arc::new))
                .collect(),
            through: stretch.through,
        };
        let mut known = feed.remembered();
        if feed.history.seen().incarnation == before.incarnation {
            known.window.keep(self.position, &shared);
        }
        drop(known);
        Ok(shared)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let ours = self.end.subscribe();
        let other = |read: &UnderWay| !read.ended.same_channel(&ours);
        self.feed.remembered().reads.retain(other);
    }
}

impl Follower {
    /// Some events after `position`, or none if there are none yet (`through` then equals
    /// `position` or covers events this reader may not see).
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn after(&self, position: Position) -> Result<SharedStretch, StoreError> {
        self.feed.remembered().window.is_at(self.number, position);
        let mut waited = false;
        loop {
            match self.feed.way(position, waited) {
                Way::Remembered(shared) => return Ok(shared),
                Way::Read(reading) => return reading.read().await,
                Way::Wait(mut ended) => {
                    // It says nothing; it closes.
                    let _ = ended.changed().await;
                    waited = true;
                }
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.feed.remembered().window.leaves(self.number);
    }
}

#[cfg(test)]
mod lost_end;
#[cfg(test)]
mod tests;
