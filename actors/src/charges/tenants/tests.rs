//! Who is woken, who may sleep, and that each tenant has one turn at a time.

use std::sync::Arc;

use eventstore::{Append, EventStore, LogId, memory::MemoryStore};
use schema::{
    AccountId, Event, MessageId, OperatorId, Settlement, StreamId, StreamVersion, Timestamp,
    event::{ChargeHeld, HoldReason, PayerSource},
};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::*;
use crate::{
    charges::{
        charging::{Arrived, Disposition},
        decide::charge::ChargeRequest,
        metrics::BillingMetrics,
        price_cache::PriceCache,
        tenant_actor::Settle,
    },
    fixture::Actors,
    runtime::decider::{Command as _, EventPlace},
};

async fn registry(live_max: usize) -> (ActorRef<Msg>, Arc<BillingMetrics>) {
    registry_on(Arc::new(MemoryStore::default()), live_max).await
}

async fn registry_on(
    store: Arc<dyn EventStore>,
    live_max: usize,
) -> (ActorRef<Msg>, Arc<BillingMetrics>) {
    let actors = Actors::on(Arc::clone(&store)).await;
    let metrics = Arc::new(BillingMetrics::default());
    let charging = Charging {
        prices: Arc::new(PriceCache::new(store)),
        log: actors.log.clone(),
        metrics: Arc::clone(&metrics),
    };
    let args = Args { charging, live_max };
    let (registry, _) = Actor::spawn(None, Tenants, args).await.expect("starts");
    (registry, metrics)
}

fn arrived(tenant: Pseudonym, message: u128) -> Arrived {
    let at = Timestamp::from_micros(0).expect("a time");
    let settlement = Settlement {
        source_event_id: Uuid::from_u128(message),
        message_id: MessageId(Uuid::from_u128(message)),
        operator_id: OperatorId(Uuid::from_u128(2)),
        direction: schema::Direction::Mt,
        segment_count: 1,
        dlr_status: schema::Status::Delivered,
        occurred_at: at,
        charged_at: at,
        stated_tier: None,
        stated_currency: None,
        received_at: at,
    };
    let request = ChargeRequest::new(tenant, AccountId(Uuid::from_u128(4)), settlement, None);
    Arrived {
        request,
        span: None,
    }
}

type Answers = Vec<oneshot::Receiver<Vec<Disposition>>>;

/// Work for each of these tenants, and where its answers come.
fn work(tenants: impl Iterator<Item = u128>, message: u128) -> (Vec<(Pseudonym, Work)>, Answers) {
    let one = |number: u128| {
        let tenant = Pseudonym(Uuid::from_u128(number));
        let (reply, dispositions) = oneshot::channel();
        let arrived = vec![arrived(tenant, number << 32 | message)];
        (
            (tenant, Work::Settle(Settle { arrived, reply })),
            dispositions,
        )
    };
    tenants.map(one).unzip()
}

#[tokio::test]
async fn every_tenant_is_woken_and_the_longest_idle_sleep() {
    let (registry, metrics) = registry(2).await;
    for message in 0..3 {
        let (works, answers) = work(1..=20, message);
        registry.cast(Msg::Work(works)).expect("there");
        for dispositions in answers {
            assert_eq!(dispositions.await.expect("answered"), [Disposition::Held]);
        }
    }
    assert_eq!(metrics.held.get(), 60);
    // All have rested by the time the registry answers this one.
    let (works, answers) = work(1..=1, 9);
    registry.cast(Msg::Work(works)).expect("there");
    for dispositions in answers {
        dispositions.await.expect("answered");
    }
    assert!(
        registry.get_children().len() <= 4,
        "{}",
        registry.get_children().len()
    );
}

#[tokio::test]
async fn what_arrives_meanwhile_is_the_next_turn_in_its_order() {
    let (registry, _) = registry(10).await;
    let mut all = Vec::new();
    for _ in 0..50 {
        // The same message each time: only the first is new.
        let (works, answers) = work(1..=1, 7);
        registry.cast(Msg::Work(works)).expect("there");
        all.extend(answers);
    }
    let mut dispositions = Vec::new();
    for answer in all {
        dispositions.extend(answer.await.expect("answered"));
    }
    assert_eq!(dispositions[0], Disposition::Held);
    assert!(
        dispositions[1..]
            .iter()
            .all(|disposition| *disposition == Disposition::Duplicate)
    );
}

#[tokio::test]
async fn an_actor_that_died_is_forgotten_and_the_next_work_wakes_another() {
    let store = Arc::new(MemoryStore::default());
    let (registry, _) = registry_on(Arc::clone(&store) as _, 10).await;
    // A charge of nobody, which cannot be: whoever reads it panics.
    let tenant = Pseudonym(Uuid::from_u128(1));
    let settled = arrived(tenant, 1 << 32 | 1).request;
    let held = ChargeHeld {
        settlement: settled.settlement.clone(),
        payer: PayerSource::Stated,
        account_tier: None,
        currency: None,
        rated_at: settled.settlement.charged_at,
        reason: HoldReason::AccountUnknown,
    };
    let place = EventPlace {
        log: LogId::DEFAULT,
        stream: StreamId::charge(settled.message()),
        version: StreamVersion(1),
    };
    let mut fact = settled.record(place, Event::ChargeHeld(held));
    fact.tenant = None;
    let append = Append {
        stream: place.stream,
        expected: StreamVersion::NONE,
        events: vec![fact],
        guards: Vec::new(),
    };
    store.append(vec![append]).await.expect("appends");
    let ask = async |message| {
        let (works, mut answers) = work(1..=1, message);
        registry.cast(Msg::Work(works)).expect("there");
        answers.remove(0).await
    };
    assert!(ask(1).await.is_err(), "it comes again");
    assert_eq!(ask(2).await.expect("answered"), [Disposition::Held]);
}
