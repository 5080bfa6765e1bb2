//! Reads the log once for everyone in this process.
//!
//! All projections of a process follow the log closely, so the newest events are kept, decoded,
//! in a small window that they share; whoever lags behind the window reads from the store. An
//! append of this process wakes everyone at once; appends of other processes are noticed by one
//! light query for the log's head per [`POLL`].

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use crate::{EventStore, RecordedEvent, StoreError};

/// How often the head of the log is asked for.
pub const POLL: Duration = Duration::from_millis(50);
/// How many events one read fetches.
const READ: i64 = 2_000;
/// How many events the window keeps: a few reads, so that projections may be a little apart.
const WINDOW: usize = 8_000;

/// A shared stretch of the log, cheap to clone.
#[derive(Debug, Clone)]
pub struct Shared {
    /// In order of position.
    pub events: Arc<[RecordedEvent]>,
    /// The position before the first event considered.
    pub after: i64,
    /// Everything up to and including this position has been considered.
    pub through: i64,
}

/// The shared reader of a log.
pub struct Feed {
    store: Arc<dyn EventStore>,
    head: watch::Sender<i64>,
    window: Mutex<VecDeque<Shared>>,
    reading: tokio::sync::Mutex<()>,
}

impl Feed {
    /// A feed of `store`. It reads nothing before it is asked.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>) -> Arc<Self> {
        Arc::new(Self {
            store,
            head: watch::Sender::new(0),
            window: Mutex::new(VecDeque::new()),
            reading: tokio::sync::Mutex::new(()),
        })
    }

    /// Says that events up to `position` are recorded. The appender calls it after each commit.
    pub fn advanced_to(&self, position: i64) {
        self.head.send_if_modified(|head| {
            let news = position > *head;
            *head = position.max(*head);
            news
        });
    }

    /// The head of the log as far as this process knows, for waiting on.
    #[must_use]
    pub fn head(&self) -> watch::Receiver<i64> {
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
            match self.store.head().await {
                Ok(head) => {
                    failing = false;
                    self.advanced_to(head);
                }
                Err(error) if !failing => {
                    failing = true;
                    tracing::warn!(event = "log.head_error", error = %crate::log::chain(&error));
                }
                Err(_) => {}
            }
        }
    }

    /// Some events after `position`, or none if there are none yet (`through` then equals
    /// `position` or covers events this reader may not see).
    ///
    /// # Errors
    /// A fault of the store, or a row that cannot be understood.
    pub async fn after(&self, position: i64) -> Result<Shared, StoreError> {
        if let Some(shared) = self.window_after(position) {
            return Ok(shared);
        }
        // One reader at a time: whoever waited finds the window filled.
        let _reading = self.reading.lock().await;
        if let Some(shared) = self.window_after(position) {
            return Ok(shared);
        }
        let stretch = self.store.read_after(position, READ).await?;
        self.advanced_to(stretch.through);
        let shared = Shared {
            events: stretch.events.into(),
            after: position,
            through: stretch.through,
        };
        self.keep(&shared);
        Ok(shared)
    }

    fn window_after(&self, position: i64) -> Option<Shared> {
        let window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let found = window
            .iter()
            .find(|shared| shared.after <= position && position < shared.through)?;
        if found.after == position {
            return Some(found.clone());
        }
        let events = found
            .events
            .iter()
            .filter(|event| event.position > position);
        Some(Shared {
            events: events.cloned().collect(),
            after: position,
            through: found.through,
        })
    }

    fn keep(&self, shared: &Shared) {
        if shared.events.is_empty() {
            return;
        }
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        window.push_back(shared.clone());
        let mut kept: usize = window.iter().map(|shared| shared.events.len()).sum();
        while kept > WINDOW {
            kept -= window.pop_front().map_or(0, |oldest| oldest.events.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{contract::samples, memory::MemoryStore};

    async fn feed_of(events: usize) -> (Arc<MemoryStore>, Arc<Feed>) {
        let store = Arc::new(MemoryStore::default());
        for number in 0..events {
            store
                .append(vec![samples::append(number as u128, 0, 1)])
                .await
                .expect("appends");
        }
        (Arc::clone(&store), Feed::new(store))
    }

    #[tokio::test]
    async fn everyone_shares_one_read_and_laggards_join_in_the_middle() {
        let (_, feed) = feed_of(3).await;
        let first = feed.after(0).await.expect("reads");
        let again = feed.after(0).await.expect("reads");
        assert!(
            Arc::ptr_eq(&first.events, &again.events),
            "the second read came from memory"
        );
        let middle = feed.after(1).await.expect("reads");
        let positions: Vec<_> = middle.events.iter().map(|event| event.position).collect();
        assert_eq!((positions, middle.through), (vec![2, 3], 3));
    }

    #[tokio::test]
    async fn at_the_end_there_is_nothing_and_an_append_wakes() {
        let (store, feed) = feed_of(1).await;
        let end = feed.after(1).await.expect("reads");
        assert_eq!((end.events.len(), end.through), (0, 1));
        let mut head = feed.head();
        head.mark_unchanged();
        store
            .append(vec![samples::append(9, 0, 1)])
            .await
            .expect("appends");
        feed.advanced_to(2);
        head.changed().await.expect("woken");
        assert_eq!(feed.after(1).await.expect("reads").events.len(), 1);
    }
}
