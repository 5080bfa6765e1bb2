//! The auditor reads real tables and real streams: a world at rest is written into them, found in
//! balance, broken in a few places, and found out.

use async_nats::{
    HeaderMap,
    jetstream::{self, stream},
};
use futures::future::try_join_all;
use schema::Timestamp;
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::{
    super::{
        Invariant, Sources, audit,
        facts::{Body, LogEvent, Receipt},
    },
    billing_rows::billing_tables,
    world::{World, start},
};
use crate::{
    orchestrator,
    stack::{Nats, NatsOptions, PgOptions, PgVersion, Postgres},
    traffic::{self, Chunk, Shape, Traffic},
};

const SUBJECTS: [(&str, &str); 4] = [
    ("BILLING_EVENTS", "billing.events"),
    ("WEBHOOK_DISPATCH", "webhook.dispatch"),
    ("SMS_DLR_UNMATCHED", "sms.dlr.unmatched"),
    ("SMS_DLR", "sms.dlr.inbound"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_world_in_real_servers_balances_and_a_broken_one_does_not() {
    let postgres = Postgres::start(PgVersion::V18, PgOptions::default())
        .await
        .expect("postgres");
    let nats = Nats::start(NatsOptions::default()).await.expect("nats");
    let world = World::charged(2_000);
    let Traffic { all, .. } = Traffic::generate(&Shape::new(World::SEED, 2_000, start()));
    let database = prepare(&postgres, &all).await;
    write(&database, &world).await;
    streams(&nats).await;
    publish(&nats, &world).await;
    send(&nats, &all).await;

    let observer = context(&nats, "observer").await;
    let projections = ["one", "two"];
    let sources = Sources {
        database: &database,
        jetstream: Some(&observer),
        projections: &projections,
        billing: true,
    };
    let report = audit(&sources, &world.expected).await.expect("an audit");
    assert!(report.balanced(), "{:#?}", report.findings);
    assert_eq!(report.counts, world.audit().counts);

    spoil(&database, &nats, &world).await;
    let report = audit(&sources, &world.expected).await.expect("an audit");
    for invariant in [
        Invariant::StatusNeverBack,
        Invariant::ReceiptRowsMatchLog,
        Invariant::NoPersonalDataInClear,
        Invariant::BilledOnce,
        Invariant::ChargeRowsMatchLog,
        Invariant::HeldRowsMatchLog,
        Invariant::UsageMatchesLog,
        Invariant::MarginsMatchLog,
        Invariant::PriceRowsMatchLog,
        Invariant::AccountRowsMatchLog,
    ] {
        let found = report
            .findings
            .iter()
            .any(|finding| finding.invariant == invariant);
        assert!(found, "{invariant:?} not among {:#?}", report.findings);
    }
    assert_eq!(report.doubled, 1);
}

/// All tables, and the orchestrator's rows.
async fn prepare(postgres: &Postgres, all: &Chunk) -> Client {
    let mut database = postgres.admin("postgres").await.expect("a connection");
    let schemas = projections::migrate::schemas();
    eventstore::migrate::run(&mut database, schemas)
        .await
        .expect("the tables");
    orchestrator::install(&database)
        .await
        .expect("the orchestrator");
    orchestrator::install(&database).await.expect("once more");
    orchestrator::watch(&database).await.expect("its watch");
    orchestrator::enqueue(&database, &all.rows)
        .await
        .expect("rows");
    let later: Vec<_> = all.later.iter().map(|later| later.row.clone()).collect();
    orchestrator::enqueue(&database, &later)
        .await
        .expect("later rows");
    database
}

async fn streams(nats: &Nats) {
    let admin = context(nats, "tollbook-admin").await;
    for (name, subject) in SUBJECTS {
        let subjects = vec![subject.to_owned()];
        let config = stream::Config {
            name: name.into(),
            subjects,
            ..Default::default()
        };
        admin.create_stream(config).await.expect("a stream");
    }
}

/// The traffic itself, which nobody listens to here.
async fn send(nats: &Nats, all: &Chunk) {
    let connector = context(nats, "smpp-connector").await;
    let sent = traffic::publish(&connector, &all.inbound, None)
        .await
        .expect("published");
    assert_eq!(sent.messages, all.inbound.len());
    let paced = traffic::publish(&connector, &all.inbound[..100], Some(500)).await;
    assert!(paced.expect("published").took.as_millis() >= 190);
}

/// A status goes back, a row shows a phone number, a charge is published twice.
async fn spoil(database: &Client, nats: &Nats, world: &World) {
    let settled = world
        .statuses
        .iter()
        .find(|row| row.processed)
        .expect("one")
        .message_id;
    let update = "UPDATE orch.sms_messages SET dlr_status = $2 WHERE message_id = $1";
    database
        .execute(update, &[&settled, &"UNKNOWN"])
        .await
        .expect("an update");
    let number = world
        .expected
        .messages
        .values()
        .next()
        .expect("a message")
        .to_msisdn();
    let update = "UPDATE dlr.delivery_receipts SET error_code = $1 WHERE position = \
                  (SELECT min(position) FROM dlr.delivery_receipts)";
    database
        .execute(update, &[&number])
        .await
        .expect("an update");
    database
        .batch_execute(include_str!("spoil_billing.sql"))
        .await
        .expect("updates");
    let again = world.published[0][0].payload.clone();
    let service = context(nats, "dlr-processor").await;
    let ack = service
        .publish("billing.events", again.into())
        .await
        .expect("published");
    ack.await.expect("acknowledged");
}

async fn context(nats: &Nats, user: &str) -> jetstream::Context {
    let client = nats
        .connect_options(user)
        .connect(nats.url(user))
        .await
        .expect("connected");
    jetstream::new(client)
}

async fn publish(nats: &Nats, world: &World) {
    let service = context(nats, "dlr-processor").await;
    for ((_, subject), messages) in SUBJECTS.into_iter().zip(&world.published) {
        let mut acks = Vec::new();
        for message in messages {
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Msg-Id", message.id.clone().expect("an id").as_str());
            if let Some(tenant) = &message.tenant {
                headers.insert("X-Tenant-Id", tenant.as_str());
            }
            let payload = message.payload.clone().into();
            let ack = service
                .publish_with_headers(subject, headers, payload)
                .await;
            acks.push(ack.expect("published").into_future());
        }
        try_join_all(acks).await.expect("acknowledged");
    }
}

/// Writes the world down as JSON arrays that Postgres takes apart: short, and only for tests.
async fn write(database: &Client, world: &World) {
    let events: Vec<_> = world.events.iter().map(stored).collect();
    let tenants: Vec<_> = world
        .tenants
        .iter()
        .map(|(id, tenant)| json!({ "pseudonym": id, "tenant_id": tenant, "created_at": start() }))
        .collect();
    let receipts: Vec<_> = world.receipts.iter().map(|row| json!({
        "log_id": 1, "position": row.position, "receipt_id": row.receipt_id,
        "message_id": row.message_id, "tenant_id": row.tenant_id, "account_id": row.account_id,
        "operator_id": row.operator_id, "operator_message_id": row.operator_message_id,
        "raw_stat": row.raw_stat, "dlr_status": row.dlr_status,
        "delivered_at": row.delivered_at, "correlated_at": row.correlated_at,
        "created_at": row.correlated_at,
    })).collect();
    let orphans: Vec<_> = world
        .orphans
        .iter()
        .map(|row| {
            json!({
                "log_id": 1, "position": row.position, "orphan_id": row.orphan_id,
                "operator_id": row.operator_id, "operator_message_id": row.operator_message_id,
                "raw_stat": row.raw_stat, "dlr_status": row.dlr_status,
                "delivered_at": row.delivered_at, "received_at": row.received_at,
            })
        })
        .collect();
    let resolutions: Vec<_> = world
        .resolutions
        .iter()
        .map(|row| {
            json!({
                "log_id": 1, "position": row.position, "orphan_id": row.orphan_id,
                "resolved_at": start(), "resolved_receipt_id": row.resolved_receipt_id,
                "message_id": row.message_id,
            })
        })
        .collect();
    let checkpoints: Vec<_> = world
        .checkpoints
        .iter()
        .map(|(projection, position)| {
            json!({
                "log_id": 1, "projection": projection, "position": position,
            })
        })
        .collect();
    insert(database, "eventlog.tenant", &tenants).await;
    insert(database, "eventlog.event", &events).await;
    insert(database, "eventlog.progress", &checkpoints).await;
    let names = "INSERT INTO eventlog.projection (log_id, projection, role) \
                 SELECT log_id, projection, 'dlr_svc' FROM eventlog.progress";
    database.execute(names, &[]).await.expect("their names");
    insert(database, "dlr.delivery_receipts", &receipts).await;
    insert(database, "dlr.orphaned_receipts", &orphans).await;
    insert(database, "dlr.orphan_resolutions", &resolutions).await;
    for (table, rows) in billing_tables(world.billing.as_ref().expect("at work")) {
        insert(database, table, &rows).await;
    }
    write_statuses(database, world).await;
}

async fn write_statuses(database: &Client, world: &World) {
    let statuses: Vec<_> = world.statuses.iter().map(|row| json!({
        "message_id": row.message_id, "status": row.status, "dlr_status": row.dlr_status,
        "dlr_received_at": row.received.then(start), "processed_at": row.processed.then(start),
    })).collect();
    let update = "UPDATE orch.sms_messages AS m \
                  SET status = n.status, dlr_status = n.dlr_status, \
                      dlr_received_at = n.dlr_received_at, processed_at = n.processed_at \
                  FROM json_populate_recordset(null::orch.sms_messages, $1) AS n \
                  WHERE m.message_id = n.message_id";
    database
        .execute(update, &[&json!(statuses)])
        .await
        .expect("statuses");
}

async fn insert(database: &Client, table: &str, rows: &[Value]) {
    let columns = "SELECT string_agg(attname, ', ') FROM pg_attribute \
                   WHERE attrelid = $1::text::regclass AND attnum > 0 AND attgenerated = ''";
    let columns = database.query_one(columns, &[&table]).await;
    let columns: String = columns.expect("its columns").get(0);
    let sql = format!(
        "INSERT INTO {table} ({columns}) \
         SELECT {columns} FROM json_populate_recordset(null::{table}, $1)"
    );
    database
        .execute(&sql, &[&json!(rows)])
        .await
        .unwrap_or_else(|error| {
            panic!("{table}: {:?}", error.as_db_error());
        });
}

fn stored(event: &LogEvent) -> Value {
    let (name, payload) = match &event.body {
        Body::Recorded {
            receipt,
            changed_status,
        } => (
            "ReceiptRecorded",
            json!({ "receipt": facts(receipt), "changedStatus": changed_status }),
        ),
        Body::Settled { receipt, segments } => (
            "MessageSettled",
            json!({ "receipt": facts(receipt), "segmentCount": segments }),
        ),
        Body::Late {
            receipt,
            settled_as,
        } => (
            "LateReceiptRecorded",
            json!({ "receipt": facts(receipt), "settledAs": settled_as }),
        ),
        Body::Orphaned { receipt } => ("ReceiptOrphaned", json!({ "receipt": facts(receipt) })),
        Body::Matched(matched) => (
            "OrphanMatched",
            json!({
                "orphanId": matched.orphan, "messageId": matched.message,
                "receiptId": matched.receipt,
            }),
        ),
        Body::Charged(body) => ("MessageCharged", json!(body)),
        Body::Held(body) => ("ChargeHeld", json!(body)),
        Body::PriceOpened(body) => ("PriceOpened", json!(body)),
        Body::CostOpened(body) => ("CostOpened", json!(body)),
        Body::SheetApplied(body) if body.of_prices => ("PriceSheetApplied", json!(body)),
        Body::SheetApplied(body) => ("CostSheetApplied", json!(body)),
        Body::Looked(look) if look.code.is_some() => ("AccessRefused", json!(look)),
        Body::Looked(look) => ("CrossAccountRead", json!(look)),
        Body::Account(told) => ("AccountRegistered", json!(told)),
        _ => ("?", json!({})),
    };
    let at: Timestamp = event.recorded_at;
    json!({
        "log_id": 1, "position": event.position,
        "category": event.category.expect("known").as_str(), "stream_id": event.stream,
        "version": event.version, "event_id": event.event_id, "type": name, "schema_version": 1,
        "tenant": event.tenant, "account": event.account, "occurred_at": at, "recorded_at": at,
        "principal": event.principal.as_deref().unwrap_or("test"), "recorded_by": "dlr_svc",
        "content_hash": "\\x00", "payload": payload,
    })
}

fn facts(receipt: &Receipt) -> Value {
    json!({
        "sourceEventId": receipt.source_event_id, "operatorId": receipt.operator_id,
        "operatorMessageId": receipt.operator_message_id, "rawStat": receipt.raw_stat,
        "dlrStatus": receipt.dlr_status, "deliveredAt": receipt.delivered_at,
        "statedDeliveredAt": receipt.stated_delivered_at, "receivedAt": receipt.received_at,
    })
}
