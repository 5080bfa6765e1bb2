//! A log that loses its end under a feed.

use super::*;
use crate::{contract::samples, memory::MemoryStore};

async fn feed_of(events: u128) -> (Arc<MemoryStore>, Arc<Feed>) {
    let store = Arc::new(MemoryStore::default());
    for number in 0..events {
        let append = samples::append(number, 0, 1);
        store.append(vec![append]).await.expect("appends");
    }
    (Arc::clone(&store), Feed::new(store))
}

/// Reads everything, and looks as the poll does.
async fn read_to_the_end(feed: &Arc<Feed>) -> SharedStretch {
    feed.look().await.expect("looks");
    read(feed).await
}

/// Reads from the beginning.
async fn read(feed: &Arc<Feed>) -> SharedStretch {
    let follower = feed.follow();
    follower.after(Position::BEGINNING).await.expect("reads")
}

#[tokio::test]
async fn a_lost_tail_is_noticed_and_nothing_of_it_is_served() {
    let (store, feed) = feed_of(3).await;
    assert_eq!(read_to_the_end(&feed).await.events.len(), 3);
    store.lose_after(Position(2));
    feed.look().await.expect("looks");
    assert_eq!(*feed.incarnation().borrow(), 1);
    assert_eq!(
        feed.seen(0),
        None,
        "the old incarnation vouches for nothing"
    );
    assert_eq!(*feed.head().borrow(), Position(2));
    assert_eq!(read(&feed).await.events.len(), 2);
    feed.look().await.expect("looks");
    assert_eq!(*feed.incarnation().borrow(), 1, "it is told once");
}

#[tokio::test]
async fn a_lost_tail_that_has_grown_back_is_noticed_by_poll_and_by_read() {
    for by_poll in [true, false] {
        let (store, feed) = feed_of(3).await;
        let before = read_to_the_end(&feed).await;
        store.lose_after(Position(1));
        for number in 10..20 {
            let append = samples::append(number, 0, 1);
            store.append(vec![append]).await.expect("appends");
        }
        if by_poll {
            feed.look().await.expect("looks");
        } else {
            feed.follow().after(before.through).await.expect("reads");
        }
        assert_eq!(*feed.incarnation().borrow(), 1, "by poll: {by_poll}");
        let again = read(&feed).await;
        assert_eq!(again.events.len(), 11);
        let at = |read: &SharedStretch| read.events[1].as_ref().expect("readable").recorded_at;
        assert_ne!(at(&again), at(&before));
        assert!(
            feed.seen(1)
                .is_some_and(|seen| seen.position >= Position(11))
        );
    }
}

#[tokio::test]
async fn what_is_known_from_memory_holds_only_if_a_later_look_finds_the_same_log() {
    let (store, feed) = feed_of(3).await;
    read_to_the_end(&feed).await;
    let polled = Arc::clone(&feed);
    let polling = tokio::spawn(async move { polled.poll_head().await });
    assert!(feed.is_still(0).await);
    store.lose_after(Position(2));
    assert!(!feed.is_still(0).await);
    assert!(feed.is_still(1).await);
    polling.abort();
}

#[tokio::test]
async fn a_log_that_only_grows_stays_the_same() {
    let (store, feed) = feed_of(3).await;
    read_to_the_end(&feed).await;
    for number in 10..20 {
        let append = samples::append(number, 0, 1);
        store.append(vec![append]).await.expect("appends");
        feed.look().await.expect("looks");
    }
    assert_eq!(*feed.incarnation().borrow(), 0);
    assert_eq!(feed.seen(0).map(|seen| seen.position), Some(Position(13)));
}
