//! The price book: what this process knows of accounts, prices and costs.
//!
//! Their streams are read when they are first needed and kept folded, with their versions. Nothing
//! tells the book that a stream moved. Whoever records a charge names the versions it rests on as
//! guards (L6), and forgets here what the log says has moved. See
//! `docs/adr/0013-prices-are-read-by-key-and-guarded.md`. The book is bounded: a full shelf
//! lets go of the half that was needed longest ago, and what is needed again is read again.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use eventstore::{EventStore, Guard, RecordedEvent, StoreError};
use schema::{AccountId, AccountTier, CostKey, Currency, PriceKey, StreamId};
use tracing::Span;

use super::decide::{
    charge::Announced,
    rating::{Known, Prices, Tariff, payer},
};
use crate::{
    accounts::decide::AccountDecider,
    prices::decide::{cost::CostDecider, price::PriceDecider},
    runtime::decider::{Decider, folded},
};

/// The most streams of one kind that are kept.
const ROOM: usize = 100_000;

/// What this process knows. Shared by all tenant actors.
pub struct PriceBook {
    store: Arc<dyn EventStore>,
    shelves: RwLock<Shelves>,
}

#[derive(Default)]
struct Shelves {
    accounts: Shelf<AccountId, AccountDecider>,
    prices: Shelf<PriceKey, PriceDecider>,
    costs: Shelf<CostKey, CostDecider>,
}

/// Folded streams by key.
struct Shelf<K, D: Decider> {
    streams: HashMap<K, Folded<D>>,
    keys: HashMap<StreamId, K>,
    /// The most streams on it.
    room: usize,
    /// Counts what is put on it: the clock by which it is known what was needed lately.
    puts: u64,
}

struct Folded<D: Decider> {
    state: D::State,
    guard: Guard,
    /// What the shelf's clock showed when it was last needed.
    needed: AtomicU64,
}

/// The book, open for reading. Nothing is learned or forgotten meanwhile: be brief, and do not
/// wait for anything.
pub struct Open<'a>(RwLockReadGuard<'a, Shelves>);

/// A stream that the book is to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Wanted {
    Account(AccountId),
    Price(PriceKey),
    Cost(CostKey),
}

impl PriceBook {
    /// An empty book over `store`.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>) -> Self {
        Self {
            store,
            shelves: RwLock::default(),
        }
    }

    /// Learns whatever is needed to rate these: nothing, as a rule, else what is missing, with one
    /// read, and a second one if the accounts were missing too, for they choose the prices.
    ///
    /// # Errors
    /// The log could not be read.
    pub async fn learn<'a>(
        &self,
        announced: impl Iterator<Item = &'a Announced> + Clone,
    ) -> Result<(), StoreError> {
        for _ in 0..2 {
            let missing = self.read().missing(announced.clone());
            if missing.is_empty() {
                break;
            }
            let streams: Vec<StreamId> = missing.iter().map(Wanted::stream).collect();
            let histories = self.store.read_streams(&streams).await?;
            let mut shelves = self.shelves.write().unwrap_or_else(PoisonError::into_inner);
            for ((wanted, stream), history) in missing.into_iter().zip(streams).zip(&histories) {
                shelves.put(wanted, stream, history);
            }
        }
        Ok(())
    }

    /// Forgets whatever these rest on, so that the next to rate them reads it anew.
    pub fn forget_all_for<'a>(&self, announced: impl Iterator<Item = &'a Announced> + Clone) {
        let mut streams = HashSet::new();
        {
            let open = self.read();
            for one in announced {
                streams.extend(open.wanted(one).map(|wanted| wanted.stream()));
            }
        }
        self.forget(streams);
    }

    /// Forgets these streams, which have moved.
    pub fn forget(&self, streams: impl IntoIterator<Item = StreamId>) {
        let mut shelves = self.shelves.write().unwrap_or_else(PoisonError::into_inner);
        for stream in streams {
            shelves.accounts.forget(stream);
            shelves.prices.forget(stream);
            shelves.costs.forget(stream);
        }
    }

    /// Opens the book.
    #[must_use]
    pub fn read(&self) -> Open<'_> {
        Open(self.shelves.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Open<'_> {
    /// Everything `announced` is rated with; nothing if some of it was not learned, or is
    /// forgotten again. `trace` is the span of a trace that is kept.
    #[must_use]
    pub fn resolve(&self, announced: &Announced, trace: Option<&Span>) -> Option<Tariff<'_>> {
        let settlement = &announced.settlement;
        let pricing = trace
            .map(|trace| tracing::info_span!(parent: trace, "billing.resolve_pricing").entered());
        let account = self.0.accounts.known(&announced.account)?;
        let payer = payer(settlement, announced.tenant, account.what);
        let prices = match (payer.tier, payer.currency) {
            (Some(tier), Some(currency)) => Some(Prices {
                own: self
                    .0
                    .prices
                    .known(&price_key(announced, true, tier, currency))?,
                platform: self
                    .0
                    .prices
                    .known(&price_key(announced, false, tier, currency))?,
                tier,
                currency,
            }),
            _ => None,
        };
        drop(pricing);
        let _cost =
            trace.map(|trace| tracing::info_span!(parent: trace, "billing.resolve_cost").entered());
        Some(Tariff {
            payer,
            account: account.guard,
            prices,
            cost: self.0.costs.known(&cost_key(announced))?,
        })
    }

    /// What is needed to rate `announced`, as far as it is known what that is.
    fn wanted(&self, announced: &Announced) -> impl Iterator<Item = Wanted> + use<> {
        let known = self.0.accounts.known(&announced.account);
        let payer = known.map(|known| payer(&announced.settlement, announced.tenant, known.what));
        let prices = payer.and_then(|payer| {
            let (tier, currency) = (payer.tier?, payer.currency?);
            Some([true, false].map(|own| Wanted::Price(price_key(announced, own, tier, currency))))
        });
        let always = [
            Wanted::Account(announced.account),
            Wanted::Cost(cost_key(announced)),
        ];
        always.into_iter().chain(prices.into_iter().flatten())
    }

    fn missing<'a>(&self, announced: impl Iterator<Item = &'a Announced>) -> Vec<Wanted> {
        let mut missing = HashSet::new();
        for one in announced {
            if self.resolve(one, None).is_none() {
                missing.extend(self.wanted(one).filter(|wanted| !self.knows(wanted)));
            }
        }
        missing.into_iter().collect()
    }

    fn knows(&self, wanted: &Wanted) -> bool {
        match wanted {
            Wanted::Account(account) => self.0.accounts.streams.contains_key(account),
            Wanted::Price(key) => self.0.prices.streams.contains_key(key),
            Wanted::Cost(key) => self.0.costs.streams.contains_key(key),
        }
    }
}

impl Wanted {
    fn stream(&self) -> StreamId {
        match self {
            Self::Account(account) => StreamId::account(*account),
            Self::Price(key) => StreamId::price(key),
            Self::Cost(key) => StreamId::cost(key),
        }
    }
}

impl Shelves {
    fn put(&mut self, wanted: Wanted, stream: StreamId, history: &[RecordedEvent]) {
        match wanted {
            Wanted::Account(account) => self.accounts.put(account, stream, history),
            Wanted::Price(key) => self.prices.put(key, stream, history),
            Wanted::Cost(key) => self.costs.put(key, stream, history),
        }
    }
}

impl<K: Copy + Eq + Hash, D: Decider> Shelf<K, D> {
    fn known(&self, key: &K) -> Option<Known<'_, D::State>> {
        let folded = self.streams.get(key)?;
        folded.needed.store(self.puts, Ordering::Relaxed);
        Some(Known {
            what: &folded.state,
            guard: folded.guard,
        })
    }

    fn put(&mut self, key: K, stream: StreamId, history: &[RecordedEvent]) {
        if self.streams.len() >= self.room {
            self.make_room();
        }
        self.puts += 1;
        let version = history.last().map_or(0, |last| last.version);
        let folded = Folded {
            state: folded::<D>(history),
            guard: Guard { stream, version },
            needed: AtomicU64::new(self.puts),
        };
        self.streams.insert(key, folded);
        self.keys.insert(stream, key);
    }

    /// Lets go of the half that was needed longest ago.
    fn make_room(&mut self) {
        let needed = |folded: &Folded<D>| folded.needed.load(Ordering::Relaxed);
        let streams = self.streams.values();
        let mut oldest: Vec<_> = streams
            .map(|folded| (needed(folded), folded.guard.stream))
            .collect();
        oldest.sort_unstable();
        oldest.truncate(oldest.len().div_ceil(2));
        for (_, stream) in oldest {
            self.forget(stream);
        }
    }

    fn forget(&mut self, stream: StreamId) {
        if let Some(key) = self.keys.remove(&stream) {
            self.streams.remove(&key);
        }
    }
}

impl<K, D: Decider> Default for Shelf<K, D> {
    fn default() -> Self {
        Self {
            streams: HashMap::new(),
            keys: HashMap::new(),
            room: ROOM,
            puts: 0,
        }
    }
}

fn price_key(
    announced: &Announced,
    own: bool,
    account_tier: AccountTier,
    currency: Currency,
) -> PriceKey {
    PriceKey {
        tenant: own.then_some(announced.tenant),
        account_tier,
        operator_id: announced.settlement.operator_id,
        direction: announced.settlement.direction,
        currency,
    }
}

const fn cost_key(announced: &Announced) -> CostKey {
    CostKey {
        operator_id: announced.settlement.operator_id,
        direction: announced.settlement.direction,
    }
}

#[cfg(test)]
mod tests {
    use schema::{Direction, OperatorId};
    use uuid::Uuid;

    use super::*;

    fn key(number: u128) -> CostKey {
        CostKey {
            operator_id: OperatorId(Uuid::from_u128(number)),
            direction: Direction::Mt,
        }
    }

    #[test]
    fn a_full_shelf_lets_go_of_what_was_needed_longest_ago() {
        let mut shelf = Shelf::<CostKey, CostDecider> {
            room: 4,
            ..Shelf::default()
        };
        for number in 1..=4 {
            shelf.put(key(number), StreamId::cost(&key(number)), &[]);
        }
        assert!(shelf.known(&key(1)).is_some(), "needed again");
        shelf.put(key(5), StreamId::cost(&key(5)), &[]);
        let known: Vec<_> = (1..=5)
            .filter(|number| shelf.streams.contains_key(&key(*number)))
            .collect();
        assert_eq!(known, [1, 4, 5]);
        assert_eq!(shelf.keys.len(), 3, "no key without its stream");
    }
}
