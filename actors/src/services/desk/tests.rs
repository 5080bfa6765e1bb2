//! The desk on a log in memory: what it writes, refuses, and says again.

use std::collections::HashMap;

use async_trait::async_trait;
use eventstore::{EventStore, keyring::Locked, memory::MemoryStore, seal::DataKey};
use schema::{AccountId, Period, Pseudonym, Timestamp};
use time::Date;
use tokio::sync::watch::Sender;
use uuid::Uuid;

use super::*;
use crate::{accounts::decide::Condition, runtime::tree::Tree};

/// Every tenant's pseudonym is its id.
struct Keys;

#[async_trait]
impl Keyring for Keys {
    async fn of_tenants(
        &self,
        tenants: &[TenantId],
    ) -> Result<HashMap<TenantId, KnownTenant>, KeyringError> {
        let key = |tenant: &TenantId| {
            let pseudonym = Pseudonym(tenant.0);
            let key = Ok(DataKey::new(1, &[1; 32]));
            (*tenant, KnownTenant { pseudonym, key })
        };
        Ok(tenants.iter().map(key).collect())
    }

    async fn of_day(&self, _: Date) -> Result<DataKey, KeyringError> {
        Err(KeyringError::Absent)
    }

    async fn by_id(
        &self,
        _: &[i64],
    ) -> Result<HashMap<i64, Result<DataKey, Locked>>, KeyringError> {
        Err(KeyringError::Absent)
    }

    async fn tenants_of(
        &self,
        _: &[Pseudonym],
    ) -> Result<HashMap<Pseudonym, TenantId>, KeyringError> {
        Err(KeyringError::Absent)
    }
}

/// A desk, and what opens and closes it.
fn desk() -> (Sender<Option<Offices>>, Desk) {
    let (offices, opened) = watch::channel(None);
    (offices, Desk::new(Arc::new(Keys), LogId::DEFAULT, opened))
}

async fn open_for_business(offices: &Sender<Option<Offices>>, store: Arc<dyn EventStore>) -> Tree {
    let feed = eventstore::Feed::new(Arc::clone(&store));
    let tree = Tree::plant(&feed).await.expect("starts");
    let observed = prometheus_client::metrics::histogram::Histogram::new([1.0]);
    let shared = tree
        .grow_appender(&store, LogId::DEFAULT, &feed, observed)
        .await;
    let shared = shared.expect("starts");
    offices.send_replace(Some(Offices {
        prices: directory::open(&shared, 10, tree.root())
            .await
            .expect("starts"),
        costs: directory::open(&shared, 10, tree.root())
            .await
            .expect("starts"),
        accounts: directory::open(&shared, 10, tree.root())
            .await
            .expect("starts"),
        accesses: directory::open(&shared, 10, tree.root())
            .await
            .expect("starts"),
    }));
    tree
}

fn caller(request: u128) -> Caller {
    Caller {
        principal: "anna".into(),
        tenant: Pseudonym(Uuid::from_u128(8)),
        request: Uuid::from_u128(request),
        trace: None,
    }
}

fn cost() -> (CostKey, Wish<CostTerms>) {
    let key = CostKey {
        operator_id: OperatorId(Uuid::from_u128(2)),
        direction: Direction::Mt,
    };
    let terms = CostTerms {
        cost_per_segment: "0.02".parse().expect("valid"),
        currency: Currency::parse("EUR").expect("exists"),
    };
    let period = Period {
        effective_from: Timestamp::from_micros(0).expect("a time"),
        effective_to: None,
    };
    let id = Uuid::from_u128(1);
    (key, Wish::Open { id, terms, period })
}

fn account(tier: AccountTier) -> AccountWish {
    AccountWish {
        tenant: TenantId(Uuid::from_u128(9)),
        account: AccountFacts {
            account_id: AccountId(Uuid::from_u128(4)),
            account_tier: tier,
            currency: Currency::parse("EUR").expect("exists"),
        },
        billing_name: Some(Personal::new("Ada".into())),
        billing_address: None,
    }
}

#[tokio::test]
async fn what_is_written_has_a_position_and_is_written_once() {
    let (offices, desk) = desk();
    let tree = open_for_business(&offices, Arc::new(MemoryStore::default())).await;
    let (key, wish) = cost();
    for new in [true, false] {
        let written = desk.amend_cost(caller(1), key, wish.clone(), None).await;
        assert_eq!(written.expect("written"), Written { position: 1, new });
    }
    let written = desk
        .put_account(
            caller(2),
            account(AccountTier::Growth),
            Condition::ChangedAt(0),
        )
        .await;
    assert_eq!(written.expect("written").position, 2);
    tree.fell().await;
}

const LOOK: Look = Look {
    endpoint: "GET /v1/billing/usage",
    tenant: None,
    account: Some(AccountId(Uuid::from_u128(4))),
};

#[tokio::test]
async fn a_look_is_kept_and_a_refusal_that_is_repeated_is_kept_when_it_is_over() {
    let (offices, desk) = desk();
    let store = Arc::new(MemoryStore::default());
    let tree = open_for_business(&offices, Arc::clone(&store) as _).await;
    desk.record_read(caller(1), LOOK).await.expect("kept");
    for request in 2..=9 {
        let kept = desk.record_refusal(caller(request), LOOK, "not_found");
        kept.await.expect("kept");
    }
    assert_eq!(store.head().await.expect("head"), 2, "a read and a refusal");
    let (stop, stopping) = watch::channel(true);
    desk.clone().keep_refusals(stopping).await;
    drop(stop);
    let stretch = store.read_after(0, i64::MAX).await.expect("reads");
    let [_, Ok(first), Ok(again)] = &stretch.events[..] else {
        panic!("{:?}", stretch.events);
    };
    assert_eq!(first.stream, again.stream);
    let calls = [first, again].map(|event| match &event.fact.event {
        schema::Event::AccessRefused(refused) => refused.calls,
        other => panic!("{other:?}"),
    });
    assert_eq!(calls, [1, 7], "eight refused calls");
    tree.fell().await;
}

#[tokio::test]
async fn a_refusal_says_why_and_writes_nothing() {
    let (offices, desk) = desk();
    let store = Arc::new(MemoryStore::default());
    let tree = open_for_business(&offices, Arc::clone(&store) as _).await;
    let (key, wish) = cost();
    desk.amend_cost(caller(1), key, wish.clone(), None)
        .await
        .expect("written");
    let refused = desk.amend_cost(caller(2), key, wish, None).await;
    assert!(matches!(
        refused,
        Err(DeskError::Refused(Refusal::Overlap { .. }))
    ));
    let refused = desk
        .put_account(
            caller(2),
            account(AccountTier::Growth),
            Condition::ChangedAt(7),
        )
        .await;
    assert!(matches!(
        refused,
        Err(DeskError::Refused(account::Refusal::Changed {
            position: 0
        }))
    ));
    assert_eq!(store.head().await.expect("head"), 1);
    tree.fell().await;
}

#[tokio::test]
async fn the_desk_outlives_the_actors_behind_it() {
    let (offices, desk) = desk();
    let store = Arc::new(MemoryStore::default());
    let waiting = {
        let desk = desk.clone();
        tokio::spawn(async move {
            desk.put_account(caller(1), account(AccountTier::Growth), Condition::Any)
                .await
        })
    };
    let tree = open_for_business(&offices, Arc::clone(&store) as _).await;
    assert_eq!(waiting.await.expect("asked").expect("written").position, 1);
    tree.fell().await;
    let away = desk
        .put_account(caller(2), account(AccountTier::Custom), Condition::Any)
        .await;
    assert!(matches!(away, Err(DeskError::Away)));
    let tree = open_for_business(&offices, store).await;
    let written = desk
        .put_account(caller(2), account(AccountTier::Custom), Condition::Any)
        .await;
    assert_eq!(written.expect("written").position, 2);
    tree.fell().await;
}
