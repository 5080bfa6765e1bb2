//! When held charges are looked at: a log in memory, and a view of it that may be behind.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicI64, AtomicUsize, Ordering},
};

use eventstore::{LogId, RecordedEvent, memory::MemoryStore};
use ractor::Actor;
use schema::{
    AccountId, AccountTier, Category, Currency, Direction, Event, OperatorId, Period, Position,
    PriceKey, PricingModel, PricingTableId, Settlement, Status, StreamVersion, event::PriceTerms,
    versioned::Price,
};
use uuid::Uuid;

use super::*;
use crate::{
    charges::{
        charging::{Arrived, Charging},
        decide::charge::ChargeRequest,
        price_cache::PriceCache,
        tenant_actor::Settle,
        tenants::Tenants,
    },
    fixture::Actors,
    prices::decide::{Action, Amendment, VersionDecider},
    runtime::{
        decider::{Decider as _, folded},
        origin::Origin,
    },
};

/// What the events up to a position come to.
struct View {
    store: Arc<MemoryStore>,
    shown: AtomicI64,
    looks: AtomicUsize,
}

impl View {
    fn show_up_to(&self, position: Position) {
        self.shown.store(position.0, Ordering::SeqCst);
    }

    fn looks(&self) -> usize {
        self.looks.load(Ordering::SeqCst)
    }

    async fn events(&self) -> Vec<RecordedEvent> {
        let shown = self.shown.load(Ordering::SeqCst);
        let read = self.store.read_after(Position::BEGINNING, shown).await;
        read.expect("reads").whole().expect("readable")
    }

    /// The charges that are shown as waiting: position and message.
    async fn held(&self) -> Vec<(Position, MessageId)> {
        let events = self.events().await;
        let charged = |stream| {
            events.iter().any(|event| {
                event.stream == stream && matches!(event.data.event, Event::MessageCharged(_))
            })
        };
        let held = |event: &RecordedEvent| match &event.data.event {
            Event::ChargeHeld(held) if !charged(event.stream) => {
                Some((event.position, held.settlement.message_id))
            }
            _ => None,
        };
        events.iter().filter_map(held).collect()
    }
}

#[async_trait]
impl HeldChargesView for View {
    async fn news(&self) -> Result<(HeldNews, Position), ViewError> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        let events = self.events().await;
        let last = |of: fn(&&RecordedEvent) -> bool| events.iter().rfind(of);
        let price = last(|event| event.stream.category == Category::Price);
        let held = last(|event| matches!(event.data.event, Event::ChargeHeld(_)));
        let charged = last(|event| matches!(event.data.event, Event::MessageCharged(_)));
        let news = HeldNews {
            changed: price.map_or(0, |event| event.position.0),
            held: held.map_or(Position::BEGINNING, |event| event.position),
            resolved: charged.map(|event| event.recorded_at),
        };
        Ok((
            news,
            events
                .last()
                .map_or(Position::BEGINNING, |event| event.position),
        ))
    }

    async fn waiting(&self) -> Result<i64, ViewError> {
        Ok(i64::try_from(self.held().await.len()).expect("few"))
    }

    async fn ratable(
        &self,
        after: Position,
        limit: i64,
    ) -> Result<Vec<(Position, MessageId)>, ViewError> {
        let mut held = self.held().await;
        held.retain(|(position, _)| *position > after);
        held.truncate(usize::try_from(limit).expect("a number"));
        Ok(held)
    }
}

/// One node that rates held charges.
struct World {
    store: Arc<MemoryStore>,
    view: Arc<View>,
    held: HeldCharges,
    _actors: Actors,
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).expect("a time")
}

/// A message of an account that says itself what it pays in.
fn request() -> ChargeRequest {
    let settlement = Settlement {
        source_event_id: Uuid::from_u128(1),
        message_id: MessageId(Uuid::from_u128(1)),
        operator_id: OperatorId(Uuid::from_u128(2)),
        direction: Direction::Mt,
        segment_count: 1,
        dlr_status: Status::Delivered,
        occurred_at: at(1_000),
        charged_at: at(1_000),
        stated_tier: Some(AccountTier::Growth),
        stated_currency: Currency::parse("EUR"),
        received_at: at(2_000),
    };
    let tenant = Pseudonym(Uuid::from_u128(5));
    ChargeRequest::new(tenant, AccountId(Uuid::from_u128(4)), settlement, None)
}

impl World {
    /// The charge of [`request`] is held, and everything is shown.
    async fn with_a_held_charge() -> Self {
        let store = Arc::new(MemoryStore::default());
        let shared: Arc<dyn EventStore> = Arc::clone(&store) as _;
        let actors = Actors::on(Arc::clone(&shared)).await;
        let metrics = Arc::new(BillingMetrics::default());
        let charging = Charging {
            log: actors.log.clone(),
            prices: Arc::new(PriceCache::new(Arc::clone(&shared))),
            metrics: Arc::clone(&metrics),
        };
        let args = tenants::Args {
            charging,
            live_max: 10,
        };
        let (tenants, _) = Actor::spawn(None, Tenants, args).await.expect("starts");
        let (reply, answer) = oneshot::channel();
        let arrived = vec![Arrived {
            request: request(),
            span: None,
        }];
        let work = Work::Settle(Settle { arrived, reply });
        let works = vec![(request().tenant, work)];
        tenants.cast(tenants::Msg::Work(works)).expect("there");
        answer.await.expect("answered");
        let view = Arc::new(View {
            store: Arc::clone(&store),
            shown: AtomicI64::new(i64::MAX),
            looks: AtomicUsize::new(0),
        });
        let held = HeldCharges {
            view: Arc::clone(&view) as _,
            feed: Feed::new(Arc::clone(&shared)),
            store: shared,
            tenants,
            metrics,
        };
        Self {
            store,
            view,
            held,
            _actors: actors,
        }
    }

    /// Opens the price that the charge waits for, as another node would.
    async fn open_price(&self) {
        let settled = request().settlement;
        let key = PriceKey {
            tenant: None,
            account_tier: AccountTier::Growth,
            operator_id: settled.operator_id,
            direction: settled.direction,
            currency: settled.stated_currency.expect("set"),
        };
        let action = Action::Open {
            id: PricingTableId(Uuid::from_u128(10_000)),
            terms: PriceTerms {
                pricing_model: PricingModel::PerSegment,
                unit_price: "0.03".parse().expect("valid"),
                billable_statuses: BTreeSet::from([Status::Delivered]),
            },
            period: Period {
                effective_from: at(0),
                effective_to: None,
            },
        };
        let command = Amendment::<Price> {
            key,
            action,
            if_at: None,
            origin: Origin::of_request(0).at(at(0)),
        };
        let none = folded::<VersionDecider<Price>>(&[]);
        let decision = VersionDecider::decide(&none, &command).expect("it may be opened");
        let append = decision.append(
            LogId::DEFAULT,
            command.stream(),
            StreamVersion::NONE,
            &command,
        );
        self.store.append(vec![append]).await.expect("appends");
        self.held.feed.advanced_to(self.head().await);
    }

    /// One look that knows nothing of what was seen before.
    async fn look(&self) {
        let (mut seen, mut due) = (None, Instant::now() + ANYWAY);
        self.held.look(&mut seen, &mut due).await.expect("looks");
    }

    async fn head(&self) -> Position {
        self.store.head().await.expect("reads")
    }

    /// How many events the charge has.
    async fn events(&self) -> usize {
        let stream = StreamId::charge(request().message());
        let read = self.store.read_streams(&[stream]).await;
        read.expect("reads").remove(0).len()
    }
}

/// Waits until `done` says so.
async fn eventually(done: impl AsyncFn() -> bool) {
    let waiting = async {
        while !done().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("it comes about");
}

#[tokio::test]
async fn a_held_charge_is_rated_when_its_price_shows() {
    let world = World::with_a_held_charge().await;
    world.look().await;
    assert_eq!(world.events().await, 1, "there is no price");
    world.open_price().await;
    world.look().await;
    assert_eq!(world.events().await, 2);
    assert_eq!(world.view.held().await, []);
}

#[tokio::test]
async fn a_charge_that_is_only_shown_as_held_is_not_charged_again() {
    let world = World::with_a_held_charge().await;
    world.open_price().await;
    let before = world.head().await;
    world.look().await;
    world.view.show_up_to(before);
    assert_eq!(world.view.held().await.len(), 1, "the view is behind");
    world.look().await;
    assert_eq!(world.events().await, 2);
}

#[tokio::test]
async fn while_a_table_lags_it_is_looked_at_again() {
    let world = World::with_a_held_charge().await;
    world.view.show_up_to(world.head().await);
    let (_stop, stopping) = watch::channel(false);
    let running = tokio::spawn(world.held.clone().run(stopping));
    eventually(async || world.view.looks() >= 1).await;
    world.open_price().await;
    let before = world.view.looks();
    // The log does not move any more, and nobody tells when the view does.
    eventually(async || world.view.looks() >= before + 3).await;
    assert_eq!(world.events().await, 1, "the price is not shown");
    world.view.show_up_to(Position(i64::MAX));
    eventually(async || world.events().await == 2).await;
    running.abort();
}
