//! The price cache: the accounts, prices, costs and exchange rates that this process has read.
//!
//! Their streams are read when they are first needed and kept folded, with their versions. Nothing
//! tells the cache that a stream moved. Whoever records a charge names the versions it rests on as
//! guards (L6), and invalidates here what the log says has moved. See
//! `docs/adr/0013-prices-are-read-by-key-and-guarded.md`. The cache is bounded: of a full one the
//! half that was needed longest ago is evicted, and what is needed again is read again.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use eventstore::{EventStore, Guard, RecordedEvent, StoreError};
use schema::{
    AccountId, AccountTier, CostKey, Currency, ExchangeRateKey, PriceKey, StreamId, Timestamp,
    versioned::{Cost, ExchangeRate, Price},
};
use tracing::Span;

use super::decide::{
    charge::ChargeRequest,
    rating::{Guarded, Payer, Prices, Tariff, payer, rated_at},
};
use crate::{
    accounts::decide::AccountDecider,
    prices::decide::{VersionDecider, timeline::Timeline},
    runtime::decider::{Decider, folded, version_of},
};

/// The most streams of one kind that are kept.
const CAPACITY: usize = 100_000;

/// What this process has read. Shared by all tenant actors.
pub struct PriceCache {
    store: Arc<dyn EventStore>,
    caches: RwLock<Caches>,
}

#[derive(Default)]
struct Caches {
    accounts: StreamCache<AccountId, AccountDecider>,
    prices: StreamCache<PriceKey, VersionDecider<Price>>,
    costs: StreamCache<CostKey, VersionDecider<Cost>>,
    rates: StreamCache<ExchangeRateKey, VersionDecider<ExchangeRate>>,
}

/// Folded streams by key.
struct StreamCache<K, D: Decider> {
    streams: HashMap<K, Folded<D>>,
    keys: HashMap<StreamId, K>,
    /// The most streams in it.
    capacity: usize,
    /// Counts what is put in: the clock by which it is known what was needed lately.
    puts: u64,
}

struct Folded<D: Decider> {
    state: D::State,
    guard: Guard,
    /// What that clock showed when it was last needed.
    needed: AtomicU64,
}

/// What is in the cache now. Nothing is loaded or invalidated while this lives: be brief, and do
/// not wait for anything.
pub struct Loaded<'a>(RwLockReadGuard<'a, Caches>);

/// A stream that is needed to rate something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Needed {
    /// Of an account.
    Account(AccountId),
    /// Of a price.
    Price(PriceKey),
    /// Of a cost.
    Cost(CostKey),
    /// Of an exchange rate.
    Rate(ExchangeRateKey),
}

impl PriceCache {
    /// An empty cache over `store`.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>) -> Self {
        Self {
            store,
            caches: RwLock::default(),
        }
    }

    /// Loads whatever is needed to rate these: nothing, as a rule, else what is missing, with one
    /// read, and a second one if the accounts were missing too, for they choose the prices and the
    /// exchange rates.
    ///
    /// # Errors
    /// The log could not be read.
    pub async fn load<'a>(
        &self,
        request: impl Iterator<Item = &'a ChargeRequest> + Clone,
    ) -> Result<(), StoreError> {
        for _ in 0..2 {
            let missing = self.read().missing(request.clone());
            if missing.is_empty() {
                break;
            }
            self.load_all(missing).await?;
        }
        Ok(())
    }

    /// Loads these, whether they are in the cache or not.
    ///
    /// # Errors
    /// The log could not be read.
    pub async fn load_all(&self, needed: Vec<Needed>) -> Result<(), StoreError> {
        let streams: Vec<StreamId> = needed.iter().map(Needed::stream).collect();
        let histories = self.store.read_streams(&streams).await?;
        let mut caches = self.caches.write().unwrap_or_else(PoisonError::into_inner);
        for ((needed, stream), history) in needed.into_iter().zip(streams).zip(&histories) {
            caches.put(needed, stream, history);
        }
        Ok(())
    }

    /// Invalidates whatever these rest on, so that the next to rate them reads it anew.
    pub fn invalidate_all_for<'a>(&self, request: impl Iterator<Item = &'a ChargeRequest> + Clone) {
        let mut streams = HashSet::new();
        {
            let loaded = self.read();
            for one in request {
                streams.extend(loaded.needed_by(one).map(|needed| needed.stream()));
            }
        }
        self.invalidate(streams);
    }

    /// Invalidates these streams, which have moved.
    pub fn invalidate(&self, streams: impl IntoIterator<Item = StreamId>) {
        let mut caches = self.caches.write().unwrap_or_else(PoisonError::into_inner);
        for stream in streams {
            caches.accounts.invalidate(stream);
            caches.prices.invalidate(stream);
            caches.costs.invalidate(stream);
            caches.rates.invalidate(stream);
        }
    }

    /// Everything in the cache, for as long as the answer lives.
    #[must_use]
    pub fn read(&self) -> Loaded<'_> {
        Loaded(self.caches.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Loaded<'_> {
    /// Everything `request` is rated with; nothing if some of it was not loaded, or is
    /// invalidated again. `trace` is the span of a trace that is kept.
    #[must_use]
    pub fn resolve(&self, request: &ChargeRequest, trace: Option<&Span>) -> Option<Tariff<'_>> {
        let settlement = &request.settlement;
        let pricing = trace
            .map(|trace| tracing::info_span!(parent: trace, "billing.resolve_pricing").entered());
        let account = self.0.accounts.get(&request.account)?;
        let payer = payer(settlement, request.tenant, account.state);
        let prices = match (payer.tier, payer.currency) {
            (Some(tier), Some(currency)) => Some(Prices {
                own: self
                    .0
                    .prices
                    .get(&price_key(request, true, tier, currency))?,
                platform: self
                    .0
                    .prices
                    .get(&price_key(request, false, tier, currency))?,
                tier,
                currency,
            }),
            _ => None,
        };
        drop(pricing);
        let _cost =
            trace.map(|trace| tracing::info_span!(parent: trace, "billing.resolve_cost").entered());
        let cost = self.0.costs.get(&cost_key(request))?;
        let rate = match rate_key(cost, rated_at(settlement), payer) {
            Some(key) => Some(self.0.rates.get(&key)?),
            None => None,
        };
        Some(Tariff {
            payer,
            account: account.guard,
            prices,
            cost,
            rate,
        })
    }

    /// The costs under this key, if they are loaded.
    #[must_use]
    pub fn costs(&self, key: &CostKey) -> Option<Guarded<'_, Timeline<Cost>>> {
        self.0.costs.get(key)
    }

    /// The exchange rates under this key, if they are loaded.
    #[must_use]
    pub fn rates(&self, key: &ExchangeRateKey) -> Option<Guarded<'_, Timeline<ExchangeRate>>> {
        self.0.rates.get(key)
    }

    /// What is needed to rate `request`, as far as it is known what that is.
    fn needed_by(&self, request: &ChargeRequest) -> impl Iterator<Item = Needed> + use<> {
        let known = self.0.accounts.get(&request.account);
        let payer = known.map(|known| payer(&request.settlement, request.tenant, known.state));
        let prices = payer.and_then(|payer| {
            let (tier, currency) = (payer.tier?, payer.currency?);
            Some([true, false].map(|own| Needed::Price(price_key(request, own, tier, currency))))
        });
        let cost = self.0.costs.get(&cost_key(request));
        let rate = cost.zip(payer).and_then(|(cost, payer)| {
            rate_key(cost, rated_at(&request.settlement), payer).map(Needed::Rate)
        });
        let always = [
            Needed::Account(request.account),
            Needed::Cost(cost_key(request)),
        ];
        let prices = prices.into_iter().flatten();
        always.into_iter().chain(prices).chain(rate)
    }

    fn missing<'a>(&self, request: impl Iterator<Item = &'a ChargeRequest>) -> Vec<Needed> {
        let mut missing = HashSet::new();
        for one in request {
            if self.resolve(one, None).is_none() {
                missing.extend(self.needed_by(one).filter(|needed| !self.has(needed)));
            }
        }
        missing.into_iter().collect()
    }

    fn has(&self, needed: &Needed) -> bool {
        match needed {
            Needed::Account(account) => self.0.accounts.streams.contains_key(account),
            Needed::Price(key) => self.0.prices.streams.contains_key(key),
            Needed::Cost(key) => self.0.costs.streams.contains_key(key),
            Needed::Rate(key) => self.0.rates.streams.contains_key(key),
        }
    }
}

impl Needed {
    fn stream(&self) -> StreamId {
        match self {
            Self::Account(account) => StreamId::account(*account),
            Self::Price(key) => StreamId::price(key),
            Self::Cost(key) => StreamId::cost(key),
            Self::Rate(key) => StreamId::exchange_rate(key),
        }
    }
}

impl Caches {
    fn put(&mut self, needed: Needed, stream: StreamId, history: &[RecordedEvent]) {
        match needed {
            Needed::Account(account) => self.accounts.put(account, stream, history),
            Needed::Price(key) => self.prices.put(key, stream, history),
            Needed::Cost(key) => self.costs.put(key, stream, history),
            Needed::Rate(key) => self.rates.put(key, stream, history),
        }
    }
}

impl<K: Copy + Eq + Hash, D: Decider> StreamCache<K, D> {
    fn get(&self, key: &K) -> Option<Guarded<'_, D::State>> {
        let folded = self.streams.get(key)?;
        folded.needed.store(self.puts, Ordering::Relaxed);
        Some(Guarded {
            state: &folded.state,
            guard: folded.guard,
        })
    }

    fn put(&mut self, key: K, stream: StreamId, history: &[RecordedEvent]) {
        if self.streams.len() >= self.capacity {
            self.evict();
        }
        self.puts += 1;
        let version = version_of(history);
        let folded = Folded {
            state: folded::<D>(history),
            guard: Guard { stream, version },
            needed: AtomicU64::new(self.puts),
        };
        self.streams.insert(key, folded);
        self.keys.insert(stream, key);
    }

    /// Evicts the half that was needed longest ago.
    fn evict(&mut self) {
        let needed = |folded: &Folded<D>| folded.needed.load(Ordering::Relaxed);
        let streams = self.streams.values();
        let mut oldest: Vec<_> = streams
            .map(|folded| (needed(folded), folded.guard.stream))
            .collect();
        oldest.sort_unstable();
        oldest.truncate(oldest.len().div_ceil(2));
        for (_, stream) in oldest {
            self.invalidate(stream);
        }
    }

    fn invalidate(&mut self, stream: StreamId) {
        if let Some(key) = self.keys.remove(&stream) {
            self.streams.remove(&key);
        }
    }
}

impl<K, D: Decider> Default for StreamCache<K, D> {
    fn default() -> Self {
        Self {
            streams: HashMap::new(),
            keys: HashMap::new(),
            capacity: CAPACITY,
            puts: 0,
        }
    }
}

fn price_key(
    request: &ChargeRequest,
    own: bool,
    account_tier: AccountTier,
    currency: Currency,
) -> PriceKey {
    PriceKey {
        tenant: own.then_some(request.tenant),
        account_tier,
        operator_id: request.settlement.operator_id,
        direction: request.settlement.direction,
        currency,
    }
}

const fn cost_key(request: &ChargeRequest) -> CostKey {
    CostKey {
        operator_id: request.settlement.operator_id,
        direction: request.settlement.direction,
    }
}

/// The exchange rates that are needed where the cost in effect at `at` is in another currency than
/// this payer pays in.
fn rate_key(
    cost: Guarded<'_, Timeline<Cost>>,
    at: Timestamp,
    payer: Payer,
) -> Option<ExchangeRateKey> {
    let (base, quote) = (cost.state.at(at)?.terms.currency, payer.currency?);
    (base != quote).then_some(ExchangeRateKey { base, quote })
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
    fn a_full_cache_evicts_what_was_needed_longest_ago() {
        let mut cache = StreamCache::<CostKey, VersionDecider<Cost>> {
            capacity: 4,
            ..StreamCache::default()
        };
        for number in 1..=4 {
            cache.put(key(number), StreamId::cost(&key(number)), &[]);
        }
        assert!(cache.get(&key(1)).is_some(), "needed again");
        cache.put(key(5), StreamId::cost(&key(5)), &[]);
        let known: Vec<_> = (1..=5)
            .filter(|number| cache.streams.contains_key(&key(*number)))
            .collect();
        assert_eq!(known, [1, 4, 5]);
        assert_eq!(cache.keys.len(), 3, "no key without its stream");
    }
}
