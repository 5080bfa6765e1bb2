//! A world with one service, and the words to tell small stories about receipts in it.
//!
//! The tests of this folder share one desk and use messages of their own.

use async_nats::jetstream::{
    self,
    consumer::{Consumer, pull},
};
use bytes::Bytes;
use schema::{AccountId, MessageId, OperatorId, OperatorMessageId, TenantId, Timestamp};
use serde_json::{Map, Value, json};
use tests::{
    orchestrator::{self, OrchestratorRow},
    world::{PROJECTIONS, Service, World, WorldOptions},
};
use tokio::sync::OnceCell;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::fixture::{eventually, published, unique};

/// How long a receipt waits for its message here.
pub(crate) const GRACE: &str = "2s";

/// A message as the orchestrator and the carrier know it.
#[derive(Debug, Clone)]
pub(crate) struct Sms {
    pub(crate) id: Uuid,
    pub(crate) tenant: Uuid,
    pub(crate) account: Uuid,
    pub(crate) operator: Uuid,
    pub(crate) operator_message: String,
    pub(crate) to: String,
    pub(crate) segments: i16,
    pub(crate) enqueued: Timestamp,
}

impl Sms {
    /// The same message, handed in so many days before (with minus: after) it was.
    pub(crate) fn days_ago(mut self, days: i64) -> Self {
        let micros = self.enqueued.micros() - days * 24 * 3_600_000_000;
        self.enqueued = Timestamp::from_micros(micros).expect("in range");
        self
    }

    /// The message as the orchestrator writes it down.
    pub(crate) fn row(&self) -> OrchestratorRow {
        OrchestratorRow {
            message_id: MessageId(self.id),
            tenant_id: TenantId(self.tenant),
            account_id: AccountId(self.account),
            operator_id: OperatorId(self.operator),
            operator_message_id: OperatorMessageId::new(&self.operator_message).expect("short"),
            to_msisdn: self.to.clone(),
            segment_count: self.segments,
            metadata: None,
            enqueued_at: self.enqueued,
        }
    }

    /// Another message of the same owner under the same id of the same operator.
    pub(crate) fn next_life(&self) -> Self {
        Self {
            id: unique(),
            ..self.clone()
        }
    }
}

/// A message that is nowhere yet.
pub(crate) fn sms() -> Sms {
    let id = unique();
    Sms {
        id,
        tenant: unique(),
        account: unique(),
        operator: unique(),
        operator_message: format!("op-{}", id.simple()),
        to: format!("+999{:011}", id.as_u128() % 100_000_000_000),
        segments: 2,
        enqueued: eventstore::clock::now(),
    }
}

/// A receipt on its way to the desk.
#[derive(Debug, Clone)]
pub(crate) struct Receipt(Map<String, Value>);

fn ids(sms: &Sms) -> Map<String, Value> {
    Map::from_iter([
        ("eventId".to_owned(), json!(unique())),
        ("operatorId".to_owned(), json!(sms.operator)),
        ("operatorMessageId".to_owned(), json!(sms.operator_message)),
    ])
}

/// `DELIVRD` in the receipt form.
pub(crate) fn receipt(sms: &Sms) -> Receipt {
    let now = eventstore::clock::now().to_string();
    Receipt(ids(sms))
        .with("schemaVersion", json!("1.0"))
        .with("stat", json!("DELIVRD"))
        .with("errorCode", json!("000"))
        .with("deliveredAt", json!(now))
        .with("destAddr", json!(sms.to))
}

/// `DELIVERED` in the connector's form.
pub(crate) fn connector_receipt(sms: &Sms) -> Receipt {
    Receipt(ids(sms))
        .with("version", json!("1.0"))
        .with("status", json!("DELIVERED"))
        .with("smppErrorCode", Value::Null)
        .with("deliveredAt", Value::Null)
}

impl Receipt {
    /// With another word, in whichever form it is.
    pub(crate) fn says(self, word: &str) -> Self {
        let field = if self.0.contains_key("stat") {
            "stat"
        } else {
            "status"
        };
        self.with(field, json!(word))
    }

    /// The same meaning in a message of its own.
    pub(crate) fn again(self) -> Self {
        self.with("eventId", json!(unique()))
    }

    /// About a part with an id of its own.
    pub(crate) fn of_part(self, operator_message: &str) -> Self {
        self.with("operatorMessageId", json!(operator_message))
    }

    /// With the connector's guess at the message.
    pub(crate) fn hinting(self, message: Uuid) -> Self {
        self.with("messageId", json!(message))
    }

    pub(crate) fn with(mut self, field: &str, value: Value) -> Self {
        self.0.insert(field.to_owned(), value);
        self
    }

    pub(crate) fn without(mut self, field: &str) -> Self {
        assert!(self.0.remove(field).is_some(), "it has no {field}");
        self
    }

    pub(crate) fn bytes(&self) -> Bytes {
        Value::Object(self.0.clone()).to_string().into()
    }

    pub(crate) fn text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }
}

/// Everything that can come of a message's receipts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Effects {
    /// Types of the events in the message's stream.
    pub(crate) events: Vec<String>,
    /// Word and status of its rows in `dlr.delivery_receipts`.
    pub(crate) rows: Vec<(String, String)>,
    /// `status` and `dlr_status` of the orchestrator's row, and whether it says processed.
    pub(crate) shown: (String, Option<String>, bool),
    /// Statuses on `billing.events`.
    pub(crate) billed: Vec<String>,
    /// Statuses on `webhook.dispatch`.
    pub(crate) told: Vec<String>,
}

/// What an on-time final receipt does.
pub(crate) fn settled_as(word: &str, status: &str) -> Effects {
    Effects {
        events: vec!["MessageSettled".into()],
        rows: vec![(word.into(), status.into())],
        shown: (status.into(), Some(status.into()), true),
        billed: vec![status.into()],
        told: vec![status.into()],
    }
}

/// What no receipt, or a refused one, does.
pub(crate) fn untouched() -> Effects {
    Effects {
        shown: ("SENT".into(), None, false),
        ..Effects::default()
    }
}

/// The servers, one service, and connections as everybody around it.
pub(crate) struct Desk {
    pub(crate) world: World,
    pub(crate) service: Service,
    pub(crate) database: Client,
    pub(crate) observer: jetstream::Context,
    connector: jetstream::Context,
    admin: jetstream::Context,
}

impl Desk {
    /// A desk in `world`, with a service that knows everything and says everything.
    pub(crate) async fn in_world(world: World) -> Self {
        Self::with(world, &[]).await
    }

    /// The same, and the service with these settings more.
    pub(crate) async fn with(world: World, more: &[(&'static str, &str)]) -> Self {
        let options = [&[("DLR_GRACE", GRACE), ("LOG_LEVEL", "debug")][..], more].concat();
        let service = world.service(&options).await.expect("a service");
        Box::pin(Self::of(world, service)).await
    }

    /// The same with a service that is there already.
    pub(crate) async fn of(world: World, service: Service) -> Self {
        Self {
            database: world.admin().await.expect("postgres"),
            observer: world.jetstream("observer").await.expect("nats"),
            connector: world.jetstream("smpp-connector").await.expect("nats"),
            admin: world.jetstream("tollbook-admin").await.expect("nats"),
            service,
            world,
        }
    }

    /// The orchestrator writes the message down.
    pub(crate) async fn enqueue(&self, sms: &Sms) {
        orchestrator::enqueue(&self.database, &[sms.row()])
            .await
            .expect("the orchestrator may");
    }

    /// A message that the orchestrator has written down.
    pub(crate) async fn message(&self) -> Sms {
        let sms = sms();
        self.enqueue(&sms).await;
        sms
    }

    /// Publishes bytes as the connector does; says their place in the stream.
    pub(crate) async fn send_bytes(&self, bytes: Bytes) -> u64 {
        let sent = self.connector.publish("sms.dlr.inbound", bytes).await;
        sent.expect("sent").await.expect("stored").sequence
    }

    pub(crate) async fn send(&self, receipt: &Receipt) -> u64 {
        self.send_bytes(receipt.bytes()).await
    }

    /// The receipts' consumer as the server sees it now.
    pub(crate) async fn consumer(&self) -> jetstream::consumer::Info {
        let mut consumer: Consumer<pull::Config> = self
            .admin
            .get_consumer_from_stream("dlr-processor", "SMS_DLR")
            .await
            .expect("the consumer is there");
        consumer.info().await.expect("the server says").clone()
    }

    /// How the stream of receipts stands.
    pub(crate) async fn stream_state(&self) -> jetstream::stream::State {
        let stream = self.admin.get_stream("SMS_DLR").await;
        stream
            .expect("the stream is there")
            .cached_info()
            .state
            .clone()
    }

    /// Waits until everything up to `place` in the stream is answered for good.
    pub(crate) async fn answered(&self, place: u64) {
        eventually("the receipt is answered", async || {
            (self.consumer().await.ack_floor.stream_sequence >= place).then_some(())
        })
        .await;
    }

    /// Waits until that has all its effects: every projection has passed what is in the log now.
    pub(crate) async fn done(&self, place: u64) {
        self.answered(place).await;
        let sql = "select position from eventlog.head where log_id = 1";
        let row = self.database.query_one(sql, &[]).await.expect("reads");
        let head: i64 = row.get(0);
        // Each projection of the service has a checkpoint from its first batch on.
        let sql = "select count(*) filter (where projection = any($2)) = cardinality($2)
                and min(position) >= $1
            from eventlog.checkpoint";
        eventually("the projections are there", async || {
            let row = self
                .database
                .query_one(sql, &[&head, &&PROJECTIONS[..]])
                .await
                .ok()?;
            row.get::<_, Option<bool>>(0)?.then_some(())
        })
        .await;
    }

    /// Sends a receipt and waits for its effects.
    pub(crate) async fn receives(&self, receipt: &Receipt) {
        let place = self.send(receipt).await;
        self.done(place).await;
    }

    /// All that came of a message.
    pub(crate) async fn effects(&self, sms: &Sms) -> Effects {
        let sql = "select array(select type from eventlog.event
                where category = 'message' and stream_id = $1 order by position),
            array(select raw_stat from dlr.delivery_receipts
                where message_id = $1 order by position),
            array(select dlr_status from dlr.delivery_receipts
                where message_id = $1 and tenant_id = $2 and account_id = $3 order by position)";
        let row = self
            .database
            .query_one(sql, &[&sms.id, &sms.tenant, &sms.account])
            .await
            .expect("reads");
        let (words, statuses): (Vec<String>, Vec<String>) = (row.get(1), row.get(2));
        assert_eq!(words.len(), statuses.len(), "a row of the wrong owner");
        let shown = self
            .database
            .query_one(
                "select status, dlr_status::text, processed_at is not null
                from orch.sms_messages where message_id = $1",
                &[&sms.id],
            )
            .await
            .expect("reads");
        let about = sms.id.to_string();
        let mut effects = Effects {
            events: row.get(0),
            rows: words.into_iter().zip(statuses).collect(),
            shown: (shown.get(0), shown.get(1), shown.get(2)),
            ..Effects::default()
        };
        for message in published(&self.observer, "BILLING_EVENTS").await {
            if message.body["messageId"] == about {
                assert_eq!(message.body["tenantId"], sms.tenant.to_string());
                assert_eq!(message.body["segmentCount"], sms.segments);
                effects.billed.push(text(&message.body["dlrStatus"]));
            }
        }
        for message in published(&self.observer, "WEBHOOK_DISPATCH").await {
            if message.body["messageId"] == about {
                assert_eq!(message.body["to"], sms.to);
                effects.told.push(text(&message.body["dlrStatus"]));
            }
        }
        effects
    }

    /// Orphans under the carrier's name for a message: whether each is resolved.
    pub(crate) async fn orphans(&self, sms: &Sms) -> Vec<(Uuid, bool)> {
        let sql = "select orphan_id, resolved_at is not null from dlr.orphans
            where operator_id = $1 and operator_message_id = $2 order by received_at";
        let rows = self
            .database
            .query(sql, &[&sms.operator.to_string(), &sms.operator_message])
            .await
            .expect("reads");
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Messages on `sms.dlr.unmatched` about a carrier's name for a message.
    pub(crate) async fn unmatched(&self, sms: &Sms) -> Vec<Value> {
        let all = published(&self.observer, "SMS_DLR_UNMATCHED").await;
        all.into_iter()
            .map(|message| message.body)
            .filter(|body| body["operatorMessageId"] == sms.operator_message)
            .collect()
    }

    /// The position of the log's newest event.
    pub(crate) async fn head(&self) -> i64 {
        let sql = "select position from eventlog.head";
        self.database
            .query_one(sql, &[])
            .await
            .expect("reads")
            .get(0)
    }

    /// One of the service's metrics about one operator; 0 before it first counted.
    pub(crate) async fn counted(&self, metric: &str, operator: Uuid) -> i64 {
        let name = format!("{metric}{{operator_id=\"{operator}\"}}");
        self.service.metric(&name).await.unwrap_or_default()
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// The desk that the tests share.
pub(crate) async fn desk() -> &'static Desk {
    static DESK: OnceCell<Desk> = OnceCell::const_new();
    DESK.get_or_init(|| async {
        let world = World::start(WorldOptions::default()).await;
        Desk::in_world(world.expect("a world")).await
    })
    .await
}
