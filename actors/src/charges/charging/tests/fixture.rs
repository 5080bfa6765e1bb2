//! A log in memory that can fail, prices as another node changes them, and one tenant's charging.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Mutex,
};

use async_trait::async_trait;
use eventstore::{
    Append, EventStore, LogId, Outcome, RecordedEvent, Stretch, Together, keyring::TenantKey,
    memory::MemoryStore, seal::DataKey,
};
use schema::{
    AccountId, AccountTier, CostKey, Currency, Direction, Event, OperatorCostId, OperatorId,
    Period, Position, PriceKey, PricingModel, PricingTableId, Pseudonym, Settlement, Status,
    Timestamp, Versioned,
    event::{AccountFacts, CostTerms, PriceTerms},
    versioned::{Cost, Price},
};
use uuid::Uuid;

use super::*;
use crate::{
    accounts::decide::{AccountDecider, AccountPrivate, Condition, PutAccount, tests::facts},
    fixture::Actors,
    prices::decide::{Action, Amendment, VersionDecider},
    runtime::{
        decider::{Decider, folded, version_of},
        origin::Origin,
    },
};

/// What becomes of one append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing happens, and it says so.
    Lost,
    /// It happens, and says it did not.
    KeptAndFailed,
    /// It happens, but for the append of this number, which is refused.
    Refused(usize),
}

/// A log whose next appends go wrong as told; untold, they succeed.
#[derive(Default)]
pub(super) struct Faulty {
    inner: MemoryStore,
    faults: Mutex<VecDeque<Option<Fault>>>,
}

/// One tenant's charging on such a log.
pub(super) struct World {
    pub(super) store: Arc<Faulty>,
    pub(super) metrics: Arc<BillingMetrics>,
    charging: Charging,
    _actors: Actors,
}

pub(super) const fn tenant() -> Pseudonym {
    Pseudonym(Uuid::from_u128(5))
}

pub(super) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).expect("a time")
}

fn since(from: i64) -> Period {
    Period {
        effective_from: at(from),
        effective_to: None,
    }
}

fn stream(message: u128) -> StreamId {
    StreamId::charge(MessageId(Uuid::from_u128(message)))
}

/// The settlement of a message of one segment, at time 1 000, of an account that says itself what
/// it pays in.
pub(super) fn settlement(message: u128) -> ChargeRequest {
    ChargeRequest::new(
        tenant(),
        AccountId(Uuid::from_u128(4)),
        Settlement {
            source_event_id: Uuid::from_u128(message),
            message_id: MessageId(Uuid::from_u128(message)),
            operator_id: OperatorId(Uuid::from_u128(2)),
            direction: Direction::Mt,
            segment_count: 1,
            dlr_status: Status::Delivered,
            occurred_at: at(1_000),
            charged_at: at(1_000),
            stated_tier: Some(AccountTier::Growth),
            stated_currency: Currency::parse("EUR"),
            received_at: at(2_000),
        },
        None,
    )
}

impl World {
    pub(super) async fn start() -> Self {
        let store = Arc::new(Faulty::default());
        let shared: Arc<dyn EventStore> = Arc::clone(&store) as _;
        let actors = Actors::on(Arc::clone(&shared)).await;
        let metrics = Arc::new(BillingMetrics::default());
        let charging = Charging {
            prices: Arc::new(PriceCache::new(shared)),
            log: actors.log.clone(),
            metrics: Arc::clone(&metrics),
        };
        Self {
            store,
            metrics,
            charging,
            _actors: actors,
        }
    }

    /// What becomes of the next append.
    pub(super) fn fail_next(&self, fault: Option<Fault>) {
        self.store.faults.lock().expect("lock").push_back(fault);
    }

    /// From now on every append succeeds.
    pub(super) fn heal(&self) {
        self.store.faults.lock().expect("lock").clear();
    }

    pub(super) async fn settle(&self, requests: &[ChargeRequest]) -> Vec<Disposition> {
        let arrived = |request: &ChargeRequest| Arrived {
            request: request.clone(),
            span: None,
        };
        let arrived: Vec<_> = requests.iter().map(arrived).collect();
        self.charging.settle(&arrived).await
    }

    /// Rates what is held of these messages; says how many are charged now.
    pub(super) async fn rate_held(&self, messages: impl IntoIterator<Item = u128>) -> usize {
        let mut held = Vec::new();
        for message in messages {
            let history = self.history(stream(message)).await;
            if let Charge::Held(settled) = Charge::folded(&history) {
                held.push(HeldCharge {
                    settled,
                    version: version_of(&history),
                });
            }
        }
        self.charging.rate_held(&held).await.unwrap_or_default()
    }

    /// Opens a price from `from` on, as another node would.
    pub(super) async fn open_price(&self, tenant: Option<Pseudonym>, price: &str, from: i64) {
        let number = 1 + u128::from(tenant.is_some());
        assert!(
            self.try_open_price(tenant, price, since(from), number)
                .await
        );
    }

    /// Opens price `number` for a period, unless that is refused; says whether it is open.
    pub(super) async fn try_open_price(
        &self,
        tenant: Option<Pseudonym>,
        price: &str,
        period: Period,
        number: u128,
    ) -> bool {
        let settled = settlement(0).settlement;
        let key = PriceKey {
            tenant,
            account_tier: AccountTier::Growth,
            operator_id: settled.operator_id,
            direction: settled.direction,
            currency: settled.stated_currency.expect("set"),
        };
        let id = PricingTableId(Uuid::from_u128(10_000 + number));
        let terms = PriceTerms {
            pricing_model: PricingModel::PerSegment,
            unit_price: price.parse().expect("valid"),
            billable_statuses: BTreeSet::from([Status::Delivered]),
        };
        self.open_version::<Price>(key, id, terms, period).await
    }

    pub(super) async fn open_cost(&self, cost: &str, from: i64) {
        let settled = settlement(0).settlement;
        let key = CostKey {
            operator_id: settled.operator_id,
            direction: settled.direction,
        };
        let (id, period) = (OperatorCostId(Uuid::from_u128(20_000)), since(from));
        let terms = CostTerms {
            cost_per_segment: cost.parse().expect("valid"),
            currency: settled.stated_currency.expect("set"),
            due_statuses: BTreeSet::from([settled.dlr_status]),
        };
        assert!(self.open_version::<Cost>(key, id, terms, period).await);
    }

    async fn open_version<K: Versioned>(
        &self,
        key: K::Key<Pseudonym>,
        id: K::Id,
        terms: K::Terms,
        period: Period,
    ) -> bool {
        let command = Amendment::<K> {
            key,
            action: Action::Open { id, terms, period },
            if_at: None,
            origin: Origin {
                request: id.into(),
                ..Origin::of_request(0).at(at(3_000))
            },
        };
        self.amend::<VersionDecider<K>>(command.stream(), command)
            .await
    }

    /// The account of every settlement is of this tier now, or another one of the same tenant.
    pub(super) async fn put_account(&self, account: u128, account_tier: AccountTier) {
        let settled = settlement(0);
        let command = PutAccount {
            account: AccountFacts {
                account_id: AccountId(Uuid::from_u128(account)),
                ..facts(account_tier)
            },
            private: AccountPrivate::default(),
            effective_from: Some(at(0)),
            charged: None,
            tenant: TenantKey {
                pseudonym: settled.tenant,
                key: Some(DataKey::new(1, &[1; 32])),
            },
            log: LogId::DEFAULT,
            condition: Condition::Any,
            origin: Origin::of_request(30_000),
        };
        assert!(
            self.amend::<AccountDecider>(command.stream(), command)
                .await
        );
    }

    async fn amend<D: Decider>(&self, stream: StreamId, command: D::Command) -> bool {
        let history = self.history(stream).await;
        let Ok(decision) = D::decide(&folded::<D>(&history), &command) else {
            return false;
        };
        let expected = version_of(&history);
        let append = decision.append(LogId::DEFAULT, stream, expected, &command);
        let recorded = self.store.inner.append(vec![append]).await;
        recorded.is_ok()
    }

    pub(super) async fn stream(&self, message: u128) -> Vec<Event> {
        let history = self.history(stream(message)).await;
        history.into_iter().map(|event| event.data.event).collect()
    }

    /// Every charge in the log: its message and the customer's price.
    pub(super) async fn charges(&self) -> Vec<(u128, String)> {
        let charged = |event: RecordedEvent| match event.data.event {
            Event::MessageCharged(charged) => Some((
                charged.settlement.message_id.0.as_u128(),
                charged.customer_price.to_string(),
            )),
            _ => None,
        };
        self.log().await.into_iter().filter_map(charged).collect()
    }

    pub(super) async fn log(&self) -> Vec<RecordedEvent> {
        let all = self.store.read_after(Position::BEGINNING, i64::MAX).await;
        all.expect("reads").whole().expect("readable")
    }

    async fn history(&self, stream: StreamId) -> Vec<RecordedEvent> {
        let read = self.store.read_streams(&[stream]).await;
        read.expect("reads").remove(0)
    }
}

#[async_trait]
impl EventStore for Faulty {
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Outcome>, StoreError> {
        let fault = self.faults.lock().expect("lock").pop_front().flatten();
        match fault {
            None => self.inner.append(batch).await,
            Some(Fault::Lost) => Err(StoreError::Misuse("lost")),
            Some(Fault::KeptAndFailed) => {
                self.inner.append(batch).await?;
                Err(StoreError::Misuse("kept and failed"))
            }
            Some(Fault::Refused(number)) => {
                let mut rest = batch;
                rest.remove(number);
                let mut outcomes = self.inner.append(rest).await?;
                outcomes.insert(number, Outcome::Refused);
                Ok(outcomes)
            }
        }
    }

    async fn append_together(&self, appends: Vec<Append>) -> Result<Together, StoreError> {
        self.inner.append_together(appends).await
    }

    async fn read_streams(
        &self,
        streams: &[StreamId],
    ) -> Result<Vec<Vec<RecordedEvent>>, StoreError> {
        self.inner.read_streams(streams).await
    }

    async fn read_after(&self, position: Position, limit: i64) -> Result<Stretch, StoreError> {
        self.inner.read_after(position, limit).await
    }

    async fn head(&self) -> Result<Position, StoreError> {
        self.inner.head().await
    }

    async fn recorded_at(
        &self,
        positions: &[Position],
    ) -> Result<Vec<Option<Timestamp>>, StoreError> {
        self.inner.recorded_at(positions).await
    }
}
