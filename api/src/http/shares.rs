//! How much of something scarce one holder may have at a time, so that nobody holds all of it.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The fewest holders that are remembered before those that hold nothing are looked for.
const SWEEP_MIN: usize = 64;

/// The same share for each holder. A part of it is given back by dropping it; who holds nothing is
/// forgotten.
#[derive(Debug)]
pub struct Shares<K> {
    each: usize,
    holders: Mutex<Holders<K>>,
}

/// A part of a share.
pub type Part = OwnedSemaphorePermit;

#[derive(Debug)]
struct Holders<K> {
    shares: HashMap<K, Weak<Semaphore>>,
    /// At how many holders those that hold nothing are forgotten.
    sweep_at: usize,
}

impl<K: Eq + Hash> Shares<K> {
    /// Shares of `each` parts.
    #[must_use]
    pub fn new(each: usize) -> Self {
        Self {
            each,
            holders: Mutex::new(Holders {
                shares: HashMap::new(),
                sweep_at: SWEEP_MIN,
            }),
        }
    }

    /// A part of the share of `holder`, unless they have all of it.
    pub fn take(&self, holder: K) -> Option<Part> {
        self.share(holder).try_acquire_owned().ok()
    }

    /// A part of the share of `holder`, as soon as they have one left; in the order of asking.
    pub async fn wait(&self, holder: K) -> Part {
        // Unwrap safety: nobody closes a share.
        let part = self.share(holder).acquire_owned().await;
        part.expect("an open semaphore")
    }

    fn share(&self, holder: K) -> Arc<Semaphore> {
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = holders.shares.get(&holder).and_then(Weak::upgrade) {
            return share;
        }
        if holders.shares.len() >= holders.sweep_at {
            holders.shares.retain(|_, share| share.strong_count() > 0);
            holders.sweep_at = SWEEP_MIN.max(holders.shares.len() * 2);
        }
        let share = Arc::new(Semaphore::new(self.each));
        holders.shares.insert(holder, Arc::downgrade(&share));
        share
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn nobody_has_more_than_their_share_and_what_is_given_back_is_free() {
        let shares = Shares::new(2);
        let held = [shares.take("a"), shares.take("a")];
        assert!(held.iter().all(Option::is_some));
        assert!(shares.take("a").is_none() && shares.wait("a").now_or_never().is_none());
        assert!(shares.take("b").is_some(), "others have their own");
        drop(held);
        assert!(shares.wait("a").now_or_never().is_some());
    }

    #[test]
    fn who_holds_nothing_is_forgotten() {
        let shares = Shares::new(1);
        let held: Vec<_> = (0..10).map(|holder| shares.take(holder)).collect();
        for holder in 10..10_000 {
            drop(shares.take(holder));
        }
        let known = shares.holders.lock().expect("not poisoned").shares.len();
        assert!(known <= 2 * SWEEP_MIN, "{known}");
        assert!(shares.take(3).is_none(), "what is held is remembered");
        drop(held);
    }
}
