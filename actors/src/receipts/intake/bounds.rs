//! What bounds receipts without a message: how many wait for it, and how many are kept.
//!
//! A receipt that waits out its grace period counts as delivered and not acknowledged, of which
//! the consumer allows only so many; and every orphan is kept for years. Whoever can send receipts
//! must neither hold up the good ones nor fill the log. See
//! `docs/adr/0026-what-receipts-without-a-message-may-cost.md`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use schema::{OperatorId, Timestamp};
use tokio::sync::Semaphore;

use crate::receipts::metrics::OPERATORS_MAX;

const HOUR_MICROS: i64 = 3_600_000_000;

/// The places of receipts that wait out their grace period. Cheap to clone.
#[derive(Debug, Clone)]
pub struct WaitingRoom(Arc<Semaphore>);

impl WaitingRoom {
    /// A room with so many places.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))))
    }

    /// Takes a place for as long as `delay`; says whether there was one.
    #[must_use]
    pub(super) fn enter(&self, delay: Duration) -> bool {
        let Ok(place) = Arc::clone(&self.0).try_acquire_owned() else {
            return false;
        };
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            drop(place);
        });
        true
    }
}

/// How many orphans are kept of each operator and hour of arrival. Operators are only names that
/// senders give: those of which no receipt has found a message yet share one quota. Cheap to
/// clone.
#[derive(Debug, Clone)]
pub struct OrphanQuota {
    per_hour: u32,
    spent: Arc<Mutex<Spent>>,
}

#[derive(Debug, Default)]
struct Spent {
    of_known: HashMap<OperatorId, Hour>,
    of_strangers: Hour,
}

/// Orphans of the latest hour in which one arrived.
#[derive(Debug, Default)]
struct Hour {
    hour: i64,
    orphans: u32,
}

impl OrphanQuota {
    /// So many for each.
    #[must_use]
    pub fn new(per_hour: u32) -> Self {
        Self {
            per_hour,
            spent: Arc::default(),
        }
    }

    /// Receipts of these operators have found messages.
    pub(super) fn know(&self, operators: impl Iterator<Item = OperatorId>) {
        self.with(|spent| {
            for operator in operators {
                if spent.of_known.len() < OPERATORS_MAX {
                    spent.of_known.entry(operator).or_default();
                }
            }
        });
    }

    /// Takes the place of one more orphan that arrived then; says whether there was one.
    #[must_use]
    pub(super) fn take(&self, operator: OperatorId, arrived: Timestamp) -> bool {
        self.with(|spent| {
            let hour = spent.of(operator).at(arrived);
            let room = hour.orphans < self.per_hour;
            hour.orphans += u32::from(room);
            room
        })
    }

    /// The orphan that a place was taken for was none, or comes again.
    pub(super) fn give_back(&self, operator: OperatorId, arrived: Timestamp) {
        self.with(|spent| {
            let hour = spent.of(operator).at(arrived);
            hour.orphans = hour.orphans.saturating_sub(1);
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut Spent) -> T) -> T {
        work(&mut self.spent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Spent {
    fn of(&mut self, operator: OperatorId) -> &mut Hour {
        self.of_known
            .get_mut(&operator)
            .unwrap_or(&mut self.of_strangers)
    }
}

impl Hour {
    /// What is spent of the hour of `arrived`; of the latest one, if that is over.
    fn at(&mut self, arrived: Timestamp) -> &mut Self {
        let hour = arrived.micros().div_euclid(HOUR_MICROS);
        if hour > self.hour {
            *self = Self { hour, orphans: 0 };
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("valid")
    }

    fn operator(number: u128) -> OperatorId {
        OperatorId(Uuid::from_u128(number))
    }

    #[test]
    fn an_operator_has_so_many_orphans_an_hour() {
        let quota = OrphanQuota::new(2);
        quota.know([operator(1), operator(2)].into_iter());
        let (first, next) = (at("2026-03-01T12:59:59Z"), at("2026-03-01T13:00:00Z"));
        assert!(quota.take(operator(1), first));
        assert!(quota.take(operator(1), first));
        assert!(!quota.take(operator(1), first));
        assert!(quota.take(operator(2), first), "each has its own");
        quota.give_back(operator(1), first);
        assert!(quota.take(operator(1), first), "a place not needed");
        assert!(quota.take(operator(1), next), "the next hour is another");
        assert!(quota.take(operator(1), first), "a late one counts there");
        assert!(!quota.take(operator(1), next));
    }

    #[test]
    fn operators_nobody_knows_share_one_quota() {
        let quota = OrphanQuota::new(2);
        let then = at("2026-03-01T12:00:00Z");
        assert!(quota.take(operator(1), then) && quota.take(operator(2), then));
        assert!(!quota.take(operator(3), then), "an invented name");
        quota.know(std::iter::once(operator(3)));
        assert!(quota.take(operator(3), then));
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_free_again_when_its_time_is_over() {
        let room = WaitingRoom::new(1);
        let delay = Duration::from_secs(5);
        assert!(room.enter(delay));
        assert!(!room.enter(delay));
        tokio::time::sleep(delay * 2).await;
        assert!(room.enter(delay));
    }
}
