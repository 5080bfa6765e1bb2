//! A world where only billing is at work, and the words to tell of settlements in it.

use api::{nats::plan::BILLING_EVENTS, services::BILLING};
use async_nats::jetstream::{
    self,
    consumer::{Consumer, Info, pull},
};
use bytes::Bytes;
use schema::{AccountId, MessageId, OperatorId, Status, StreamId, TenantId, Timestamp};
use serde_json::Value;
use tests::{
    auditor::Report,
    drive,
    money::Millionths,
    traffic::{
        self, Announced, Expected, Inbound,
        agreement::{Account, Comes, Price},
        announce,
    },
    world::{Rest, Service, World, WorldOptions, rest::RestClient},
};
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use tokio_postgres::Client;

use crate::{
    faults::fixture::hand_out_again_soon,
    fixture::{PATIENCE, dense, eventually, unique},
};

const MINUTE_MICROS: i64 = 60_000_000;

/// A world, and what was announced in it.
pub(crate) struct Market {
    pub(crate) world: World,
    /// Processes that charge.
    pub(crate) nodes: Vec<Service>,
    /// The API of each.
    pub(crate) rests: Vec<Rest>,
    pub(crate) database: Client,
    pub(crate) announcer: jetstream::Context,
    pub(crate) expected: Expected,
}

/// The market with two nodes that the tests of small stories share, one at a time: each sees the
/// log grow by nothing but its own doing.
pub(crate) async fn market() -> MutexGuard<'static, Market> {
    static MARKET: OnceCell<Mutex<Market>> = OnceCell::const_new();
    let open = async || {
        let world = World::start(WorldOptions::default()).await;
        let mut market = Market::of(world.expect("a world")).await;
        market.node(&[]).await;
        market.node(&[]).await;
        Mutex::new(market)
    };
    MARKET.get_or_init(open).await.lock().await
}

/// So many minutes before now; after it, if negative.
pub(crate) fn minutes_ago(minutes: i64) -> Timestamp {
    let micros = eventstore::clock::now().micros() - minutes * MINUTE_MICROS;
    Timestamp::from_micros(micros).expect("in range")
}

/// An account of a tenant, and a carrier whose messages nobody else has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Customer {
    pub(crate) tenant: TenantId,
    pub(crate) account: AccountId,
    pub(crate) operator: OperatorId,
}

impl Customer {
    /// One that nobody knows.
    pub(crate) fn new() -> Self {
        Self {
            tenant: TenantId(unique()),
            account: AccountId(unique()),
            operator: OperatorId(unique()),
        }
    }

    /// A message of two segments, delivered now; its settlement names neither tier nor currency.
    pub(crate) fn message(self) -> Announced {
        Announced {
            event_id: unique(),
            message: MessageId(unique()),
            tenant: self.tenant,
            account: self.account,
            operator: self.operator,
            segments: 2,
            status: Status::Delivered,
            charged_at: eventstore::clock::now(),
            tier: None,
            currency: None,
        }
    }

    /// The platform's price for its messages, by the segment, since yesterday.
    pub(crate) fn price(self, unit: i128) -> Price {
        Price {
            tenant: None,
            tier: "GROWTH",
            operator: self.operator,
            currency: "EUR",
            model: "PER_SEGMENT",
            unit: Millionths(unit),
            billable: None,
            from: minutes_ago(24 * 60),
            to: None,
            comes: Comes::First,
        }
    }

    /// What it is registered as.
    pub(crate) fn registration(self) -> Account {
        Account {
            tenant: self.tenant,
            tier: "GROWTH",
            currency: "EUR",
            name: "Quillon Ltd".to_owned(),
            address: "1 Quillon Street".to_owned(),
            from: Some(minutes_ago(24 * 60)),
            becomes: Vec::new(),
            comes: Comes::First,
        }
    }
}

impl Market {
    /// Nobody charges in it yet.
    pub(crate) async fn of(world: World) -> Self {
        hand_out_again_soon(&world, BILLING_EVENTS.name, BILLING.intake.consumer.name).await;
        Self {
            nodes: Vec::new(),
            rests: Vec::new(),
            database: world.admin().await.expect("postgres"),
            announcer: world.jetstream("dlr-processor").await.expect("nats"),
            expected: Expected::default(),
            world,
        }
    }

    /// One more process.
    pub(crate) async fn node(&mut self, more: &[(&'static str, &str)]) {
        let node = self.world.billing(more).await.expect("a service");
        self.rests.push(self.world.rest(&node).await.expect("rest"));
        self.nodes.push(node);
    }

    /// Who may set prices, at the first node.
    pub(crate) fn admin(&self) -> RestClient {
        self.rests[0].as_billing_admin()
    }

    pub(crate) async fn register(&self, customer: Customer, account: &Account) {
        let answer = self.admin().register(customer.account, account).await;
        answer.expect("an answer").made().expect("registered");
    }

    pub(crate) async fn open_price(&self, price: &Price) {
        let answer = self.admin().open_price(price).await;
        answer.expect("an answer").made().expect("opened");
    }

    /// Announces these; from now on the auditor expects them.
    pub(crate) async fn announce(&mut self, announced: &[Announced]) {
        let inbound = self.expect(announced);
        let sent = traffic::publish_on(announce::SUBJECT, &self.announcer, &inbound, None).await;
        sent.expect("published");
    }

    /// The same without publishing them.
    pub(crate) fn expect(&mut self, announced: &[Announced]) -> Vec<Inbound> {
        let mut inbound = Vec::with_capacity(announced.len());
        for one in announced {
            let of_message = self.expected.announced.entry(one.message).or_default();
            of_message.push(*one);
            inbound.push(Inbound {
                payload: one.payload(),
                traceparent: None,
            });
        }
        inbound
    }

    /// Publishes whatever this is; says where the stream holds it.
    pub(crate) async fn send_bytes(&self, bytes: Bytes) -> u64 {
        let ack = self.announcer.publish(announce::SUBJECT, bytes).await;
        ack.expect("sent").await.expect("stored").sequence
    }

    /// What the log tells of a message's charge.
    pub(crate) async fn history(&self, message: MessageId) -> Vec<(String, Value)> {
        let stream = StreamId::charge(message).id;
        let sql = include_str!("fixture/history.sql");
        let rows = self.database.query(sql, &[&stream]).await.expect("reads");
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Waits until a message's history has these events; says what they hold.
    pub(crate) async fn becomes<const N: usize>(
        &self,
        message: MessageId,
        events: [&str; N],
    ) -> [Value; N] {
        eventually(&format!("{events:?}"), async || {
            let history = self.history(message).await;
            let (types, payloads): (Vec<String>, Vec<Value>) = history.into_iter().unzip();
            assert!(types.len() <= N, "{types:?}, not {events:?}");
            (types == events).then(|| payloads.try_into().expect("as many"))
        })
        .await
    }

    /// The last position of the log.
    pub(crate) async fn head(&self) -> i64 {
        let sql = "select position from eventlog.head";
        let row = self.database.query_one(sql, &[]).await;
        row.expect("reads").get(0)
    }

    pub(crate) async fn consumer(&self) -> Info {
        let admin = self.world.jetstream("tollbook-admin").await.expect("nats");
        let consumer: Result<Consumer<pull::Config>, _> = admin
            .get_consumer_from_stream(BILLING.intake.consumer.name, BILLING_EVENTS.name)
            .await;
        consumer.expect("the consumer").cached_info().clone()
    }

    /// A metric, with its labels, of all nodes together.
    pub(crate) async fn total(&self, metric: &str) -> i64 {
        let mut total = 0;
        for node in &self.nodes {
            total += node.metric(metric).await.unwrap_or_default();
        }
        total
    }

    /// How many settlements ended so, over all nodes.
    pub(crate) async fn ingested(&self, result: &str) -> i64 {
        let metric = format!("billing_events_ingested_total{{result=\"{result}\"}}");
        self.total(&metric).await
    }

    /// Waits until everything is answered and shown.
    pub(crate) async fn rest(&self) {
        let rest = drive::rest_of_billing(&self.world, PATIENCE).await;
        rest.expect("comes to rest");
    }

    /// Waits until so many charges wait.
    pub(crate) async fn waiting(&self, count: usize) {
        eventually(&format!("{count} charges wait"), async || {
            let waiting = drive::waiting(&self.database).await.expect("reads");
            (waiting == count).then_some(())
        })
        .await;
    }

    /// Waits for rest and lets the auditor look: every charge is right, none is missing or
    /// doubled, every sum is that of its charges, and the log is dense.
    pub(crate) async fn balances(&self) -> Report {
        self.rest().await;
        let report = self.world.audit_billing(&self.expected).await;
        let report = report.expect("audited");
        assert!(report.balanced(), "{:#?}", report.findings);
        let head = dense(&self.database).await;
        assert_eq!(u64::try_from(head), Ok(report.counts.events));
        report
    }
}
