//! What becomes of orphans: a log in memory, what is shown of it, and messages that appear.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use eventstore::{
    RecordedEvent,
    keyring::{KnownTenant, Locked},
    memory::MemoryStore,
    seal::DataKey,
};
use schema::{
    AccountId, Event, MessageId, OperatorId, OperatorMessageId, Personal, Position, Pseudonym,
    ReceiptFacts, ReceiptPrivate, ReceivedReceipt, Sealed, Status, TenantId,
};
use time::Date;
use uuid::Uuid;

use super::*;
use crate::{
    fixture::{Actors, Keys},
    receipts::{
        correlate::Found,
        decide::{
            message::MatchedMessage,
            orphan::{KeepOrphan, OrphanCommand},
        },
    },
    runtime::directory,
};

/// How many orphans this view shows at once, however many are asked for.
const SHOWN: usize = 2;

/// Orphans and matches as the log has them.
struct View {
    store: Arc<MemoryStore>,
    /// Whether matches are shown.
    matches: AtomicBool,
}

impl View {
    async fn events(&self) -> Vec<RecordedEvent> {
        let read = self.store.read_after(Position::BEGINNING, i64::MAX).await;
        read.expect("reads").whole().expect("readable")
    }

    async fn page(&self, wanted: impl Fn(Arrival) -> bool) -> OrphanPage {
        let events = self.events().await;
        let matched = |id| {
            events.iter().any(|event| match &event.data.event {
                Event::OrphanMatched(matched) => matched.orphan_id == id,
                _ => false,
            })
        };
        let hidden = !self.matches.load(Ordering::SeqCst);
        let mut page = OrphanPage::default();
        let orphans = events.iter().filter_map(|event| match &event.data.event {
            Event::ReceiptOrphaned(orphaned) => Some((event, &orphaned.receipt)),
            _ => None,
        });
        let arrived = orphans.filter(|(event, facts)| wanted((facts.received_at, event.position)));
        for (event, facts) in arrived.take(SHOWN) {
            let arrival = (facts.received_at, event.position);
            page.last = Some(arrival);
            let id = event.data.id;
            if hidden || !matched(id) {
                let wanted = Wanted {
                    operator: facts.operator_id,
                    operator_message: facts.operator_message_id.clone(),
                    hint: None,
                    arrived: facts.received_at,
                };
                page.open.insert(arrival, OpenOrphan { id, wanted });
            }
        }
        page
    }
}

#[async_trait]
impl OpenOrphans for View {
    async fn youngest(&self, since: Timestamp, _: i64) -> Result<OrphanPage, ViewError> {
        Ok(self.page(|(received_at, _)| received_at >= since).await)
    }

    async fn next(&self, after: Arrival, _: i64) -> Result<OrphanPage, ViewError> {
        Ok(self.page(|arrival| arrival > after).await)
    }
}

/// The orchestrator's messages, by the last letter of the carrier's id.
#[derive(Default)]
struct Messages(Mutex<Vec<u8>>);

#[async_trait]
impl FindMessages for Messages {
    async fn find(&self, wanted: &[Wanted]) -> Result<Vec<Option<Found>>, StoreError> {
        let there = self.0.lock().expect("lock").clone();
        let find = |wanted: &Wanted| {
            let number = *wanted.operator_message.as_str().as_bytes().last()?;
            there.contains(&number).then(|| message(number))
        };
        Ok(wanted.iter().map(find).collect())
    }
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).expect("a time")
}

fn message(number: u8) -> Found {
    Found {
        tenant: TenantId(Uuid::from_u128(5)),
        message: MatchedMessage {
            id: MessageId(Uuid::from_u128(u128::from(number))),
            account: AccountId(Uuid::from_u128(4)),
            segment_count: 1,
            enqueued_at: at(0),
            to: Personal::new("+491512345".into()),
            metadata: None,
        },
    }
}

struct World {
    store: Arc<MemoryStore>,
    view: Arc<View>,
    messages: Arc<Messages>,
    reconciliation: Reconciliation,
    _actors: Actors,
}

/// A keyring whose keys of days are all destroyed.
struct NoDays;

#[async_trait]
impl Keyring for NoDays {
    async fn of_tenants(
        &self,
        tenants: &[TenantId],
    ) -> Result<HashMap<TenantId, KnownTenant>, KeyringError> {
        Keys.of_tenants(tenants).await
    }

    async fn known(
        &self,
        tenants: &[TenantId],
    ) -> Result<HashMap<TenantId, Pseudonym>, KeyringError> {
        Ok(tenants
            .iter()
            .map(|tenant| (*tenant, Pseudonym(tenant.0)))
            .collect())
    }

    async fn registered(&self, tenant: TenantId) -> Result<KnownTenant, KeyringError> {
        Keys.registered(tenant).await
    }

    async fn erased_before(&self, tenant: TenantId) -> Result<Vec<Pseudonym>, KeyringError> {
        Keys.erased_before(tenant).await
    }

    async fn of_day(&self, _: Date) -> Result<DataKey, KeyringError> {
        Err(KeyringError::Absent)
    }

    async fn by_id(
        &self,
        _: &[i64],
    ) -> Result<HashMap<i64, Result<DataKey, Locked>>, KeyringError> {
        Ok(HashMap::new())
    }

    async fn tenants_of(
        &self,
        _: &[Pseudonym],
    ) -> Result<HashMap<Pseudonym, TenantId>, KeyringError> {
        Err(KeyringError::Absent)
    }
}

impl World {
    async fn start() -> Self {
        Self::with(Arc::new(Keys)).await
    }

    async fn with(keyring: Arc<dyn Keyring>) -> Self {
        let store = Arc::new(MemoryStore::default());
        let actors = Actors::on(Arc::clone(&store) as _).await;
        let view = Arc::new(View {
            store: Arc::clone(&store),
            matches: AtomicBool::new(true),
        });
        let messages = Arc::<Messages>::default();
        let (log, root) = (&actors.log, actors.root());
        let reconciliation = Reconciliation {
            view: Arc::clone(&view) as _,
            store: Arc::clone(&store) as _,
            log: LogId::DEFAULT,
            correlator: Arc::clone(&messages) as _,
            keyring,
            messages: directory::open(log, 10, root).await.expect("starts"),
            orphans: directory::open(log, 10, root).await.expect("starts"),
            metrics: Arc::new(DlrMetrics::default()),
        };
        Self {
            store,
            view,
            messages,
            reconciliation,
            _actors: actors,
        }
    }

    /// A final receipt of a message that is not there was kept, for each of these letters.
    async fn orphans(&self, letters: &[u8]) {
        for (&letter, arrived) in letters.iter().zip(1..) {
            let operator_message = char::from(letter).to_string();
            let received = ReceivedReceipt {
                facts: ReceiptFacts {
                    source_event_id: Uuid::from_u128(u128::from(letter)),
                    operator_id: OperatorId(Uuid::from_u128(2)),
                    operator_message_id: OperatorMessageId::new(&operator_message).expect("valid"),
                    raw_stat: "DELIVRD".into(),
                    dlr_status: Status::Delivered,
                    error_code: None,
                    delivered_at: at(arrived),
                    stated_delivered_at: None,
                    received_at: at(arrived),
                },
                private: ReceiptPrivate {
                    dest_addr: Some(Personal::new("+491512345".into())),
                    ..ReceiptPrivate::default()
                },
                message_hint: None,
                foreign_schema_version: false,
                error_code_left_out: false,
            };
            let window = Duration::from_hours(1);
            let keep = KeepOrphan::new(received, DataKey::new(1, &[1; 32]), window, None);
            let (stream, command) = (keep.stream(), OrphanCommand::Keep(keep));
            let verdict = directory::ask(&self.reconciliation.orphans, stream, command).await;
            assert!(verdict.is_some(), "it is kept");
        }
    }

    fn appear(&self, letters: &[u8]) {
        self.messages.0.lock().expect("lock").extend(letters);
    }

    /// One look at everything; says how many were matched.
    async fn look(&self) -> usize {
        let (_end, never) = watch::channel(false);
        let looked = self.reconciliation.look(at(0), &mut None, &never).await;
        looked.expect("looks")
    }

    async fn pass(&self) -> usize {
        let (_end, never) = watch::channel(false);
        self.reconciliation.pass(&never).await.expect("passes")
    }

    /// The types of all events, in order.
    async fn log(&self) -> Vec<&'static str> {
        let events = self.view.events().await;
        let name = |event: &RecordedEvent| event.data.event.type_and_version().0;
        events.iter().map(name).collect()
    }
}

const MATCHED: [&str; 3] = ["ReceiptOrphaned", "MessageSettled", "OrphanMatched"];

#[tokio::test]
async fn an_orphan_whose_message_appeared_is_matched_once() {
    let world = World::start().await;
    world.orphans(b"a").await;
    assert_eq!(world.look().await, 0, "there is no message");
    world.appear(b"a");
    assert_eq!(world.look().await, 1);
    assert_eq!(world.look().await, 0, "it has its message");
    assert_eq!(world.log().await, MATCHED);
}

/// What stands sealed in the settlement of the only message.
async fn settled_with(world: &World) -> Vec<String> {
    let events = world.view.events().await;
    let settled = events
        .iter()
        .find(|event| matches!(event.data.event, Event::MessageSettled(_)));
    let sealed = &settled.expect("settled").data.sealed.0;
    sealed.keys().cloned().collect()
}

#[tokio::test]
async fn an_orphan_whose_key_is_destroyed_is_matched_without_what_it_said_of_people_and_told() {
    for (keyring, kept, lost) in [
        (Arc::new(Keys) as Arc<dyn Keyring>, true, 0),
        (Arc::new(NoDays), false, 1),
    ] {
        let world = World::with(keyring).await;
        world.orphans(b"a").await;
        world.appear(b"a");
        assert_eq!(world.look().await, 1);
        assert_eq!(world.look().await, 0, "once");
        assert_eq!(world.log().await, MATCHED);
        let sealed = settled_with(&world).await;
        assert!(sealed.contains(&Sealed::TO.to_owned()), "{sealed:?}");
        let dest = sealed.contains(&Sealed::DEST_ADDR.to_owned());
        assert_eq!(dest, kept, "{sealed:?}");
        let told = world.reconciliation.metrics.orphans_without_data.get();
        assert_eq!(told, lost);
    }
}

#[tokio::test]
async fn a_match_that_is_not_shown_yet_is_not_recorded_again() {
    let world = World::start().await;
    world.view.matches.store(false, Ordering::SeqCst);
    world.orphans(b"a").await;
    world.appear(b"a");
    assert_eq!(world.look().await, 1);
    assert_eq!(world.look().await, 0, "it is known");
    assert_eq!(world.log().await, MATCHED);
}

#[tokio::test]
async fn a_pass_comes_to_every_orphan_page_by_page() {
    let world = World::start().await;
    world.orphans(b"abcde").await;
    world.appear(b"ace");
    assert_eq!(world.pass().await, 3);
    assert_eq!(world.pass().await, 0);
    world.appear(b"bd");
    assert_eq!(world.pass().await, 2);
    let head = world.store.head().await.expect("reads");
    assert_eq!(
        head,
        Position(15),
        "each was kept, settled its message and was matched"
    );
}
