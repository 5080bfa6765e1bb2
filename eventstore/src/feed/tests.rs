//! Followers share what they both want and nothing else.

use std::sync::atomic::AtomicUsize;

use async_trait::async_trait;
use futures::FutureExt as _;
use schema::StreamId;
use tokio::sync::Semaphore;

use super::*;
use crate::{
    Append, Outcome, RecordedEvent, Stretch, Together, contract::samples, memory::MemoryStore,
};

/// A log in memory whose reads after some position need a permit.
struct Gated {
    store: MemoryStore,
    /// Reads after this position wait.
    slow: i64,
    gate: Semaphore,
    reads: AtomicUsize,
}

#[async_trait]
impl EventStore for Gated {
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Outcome>, StoreError> {
        self.store.append(batch).await
    }

    async fn append_together(&self, appends: Vec<Append>) -> Result<Together, StoreError> {
        self.store.append_together(appends).await
    }

    async fn read_streams(&self, of: &[StreamId]) -> Result<Vec<Vec<RecordedEvent>>, StoreError> {
        self.store.read_streams(of).await
    }

    async fn read_after(&self, position: Position, limit: i64) -> Result<Stretch, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        if position.0 == self.slow {
            let permit = self.gate.acquire().await;
            permit.expect("never closed").forget();
        }
        self.store.read_after(position, limit).await
    }

    async fn head(&self) -> Result<Position, StoreError> {
        self.store.head().await
    }

    async fn recorded_at(
        &self,
        positions: &[Position],
    ) -> Result<Vec<Option<Timestamp>>, StoreError> {
        self.store.recorded_at(positions).await
    }
}

/// A feed of a log with so many events; reads after `slow` wait.
async fn feed_of(events: u128, slow: i64) -> (Arc<Gated>, Arc<Feed>) {
    let gated = Arc::new(Gated {
        store: MemoryStore::default(),
        slow,
        gate: Semaphore::new(0),
        reads: AtomicUsize::new(0),
    });
    for number in 0..events {
        let append = samples::append(number, 0, 1);
        gated.append(vec![append]).await.expect("appends");
    }
    let feed = Feed::new(Arc::clone(&gated) as _);
    feed.advanced_to(gated.head().await.expect("a head"));
    (gated, feed)
}

/// The positions that a follower gets after `position`, now.
fn at_once(follower: &Follower, position: i64) -> Option<(Vec<i64>, i64)> {
    let shared = follower
        .after(Position(position))
        .now_or_never()?
        .expect("reads");
    Some((positions(&shared), shared.through.0))
}

fn positions(shared: &SharedStretch) -> Vec<i64> {
    let positions = shared.events.iter().map(window::position);
    positions.map(|position| position.0).collect()
}

#[tokio::test]
async fn everyone_shares_one_read_and_laggards_join_in_the_middle() {
    let (store, feed) = feed_of(3, -1).await;
    let (quick, slow) = (feed.follow(), feed.follow());
    assert_eq!(at_once(&slow, 0), Some((vec![1, 2, 3], 3)));
    assert_eq!(at_once(&quick, 0), Some((vec![1, 2, 3], 3)));
    assert_eq!(at_once(&quick, 1), Some((vec![2, 3], 3)));
    assert_eq!(store.reads.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn at_the_end_there_is_nothing_and_an_append_wakes() {
    let (store, feed) = feed_of(1, -1).await;
    let follower = feed.follow();
    assert_eq!(at_once(&follower, 1), Some((vec![], 1)));
    let mut head = feed.head();
    head.mark_unchanged();
    let append = samples::append(9, 0, 1);
    store.append(vec![append]).await.expect("appends");
    feed.advanced_to(Position(2));
    head.changed().await.expect("woken");
    assert_eq!(at_once(&follower, 1), Some((vec![2], 2)));
}

#[tokio::test]
async fn a_read_that_hangs_holds_up_only_who_wants_the_same() {
    let (store, feed) = feed_of(5, 0).await;
    let (lagging, same, ahead) = (feed.follow(), feed.follow(), feed.follow());
    let mut lags = std::pin::pin!(lagging.after(Position::BEGINNING));
    assert!(lags.as_mut().now_or_never().is_none(), "it hangs");
    assert_eq!(at_once(&ahead, 5), Some((vec![], 5)), "that one goes on");
    assert!(at_once(&same, 2).is_none(), "comes with the read under way");
    store.gate.add_permits(1);
    assert_eq!(positions(&lags.await.expect("reads")), [1, 2, 3, 4, 5]);
    assert_eq!(at_once(&same, 2), Some((vec![3, 4, 5], 5)));
    assert_eq!(store.reads.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_read_that_is_cut_short_leaves_nobody_waiting() {
    let (store, feed) = feed_of(3, 0).await;
    let (leaving, staying) = (feed.follow(), feed.follow());
    let mut leaves = Box::pin(leaving.after(Position::BEGINNING));
    assert!(leaves.as_mut().now_or_never().is_none());
    let mut waits = Box::pin(staying.after(Position::BEGINNING));
    assert!(waits.as_mut().now_or_never().is_none());
    drop(leaves);
    store.gate.add_permits(1);
    assert_eq!(positions(&waits.await.expect("reads")), [1, 2, 3]);
    assert_eq!(store.reads.load(Ordering::Relaxed), 2);
}
