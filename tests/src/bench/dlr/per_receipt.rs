//! The ordinary way: ten receipts at a time, each by itself.
//!
//! Per receipt: look up the message, look up the receipt, one transaction with the receipt's row,
//! the message's status and the outbox rows, publish and wait for the acknowledgements, then
//! acknowledge. Written as well as it is usually written: prepared statements, a pool, everything
//! at once that may happen at once. It connects as the superuser, so that row-level security
//! does not slow it down.

use std::pin::pin;

use actors::runtime::intake::{Requests, Source};
use async_nats::{
    HeaderMap,
    jetstream::{self, AckKind, Context},
};
use deadpool_postgres::Client;
use eventstore::postgres::Database;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use schema::{
    AccountId, EventId, MessageId, Personal, ReceiptFacts, ReceivedReceipt, StreamId, TenantId,
    Timestamp,
    published::{BILLING_EVENTS, BillingEvent, SCHEMA_VERSION, WEBHOOK_DISPATCH, WebhookDispatch},
};
use tokio::sync::watch;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::world::Fault;

/// How many receipts are at work at the same time.
const CONCURRENCY: usize = 10;

/// The tables it needs beside the orchestrator's.
pub(super) const SCHEMA: &str = include_str!("per_receipt/schema.sql");

/// What it works with.
#[derive(Clone)]
pub(super) struct Tools {
    pub(super) database: Database,
    pub(super) jetstream: Context,
}

/// A message of the orchestrator.
struct Known {
    message: MessageId,
    tenant: TenantId,
    account: AccountId,
    to: String,
    segments: i16,
    settled: bool,
}

/// Something to publish.
struct Announcement {
    subject: &'static str,
    event_id: Uuid,
    payload: String,
}

/// Runs until dropped.
pub(super) async fn run(tools: Tools, source: Source) -> Result<(), Fault> {
    let (_never, stop) = watch::channel(false);
    let batches = pin!(Requests::open(source, 1_000).await?.batches(stop));
    let mut done = batches
        .flat_map(|(messages, broken)| {
            let broken = broken.map(|broken| Err(Fault::from(broken)));
            stream::iter(messages.into_iter().map(Ok).chain(broken))
        })
        .map_ok(move |message| {
            let tools = tools.clone();
            async move { tokio::spawn(async move { handle(&tools, message).await }).await? }
        })
        .try_buffer_unordered(CONCURRENCY);
    while done.try_next().await?.is_some() {}
    Ok(())
}

async fn handle(tools: &Tools, message: jetstream::Message) -> Result<(), Fault> {
    let arrived = Timestamp::from_datetime(message.info()?.published);
    let Ok(received) = ReceivedReceipt::parse(&message.payload, arrived) else {
        return message.ack_with(AckKind::Term).await;
    };
    let mut client = tools.database.unhurried("a receipt").await?;
    let known = find(&client, &received).await?;
    let known = known.ok_or("the traffic holds a receipt of no message")?;
    let facts = &received.facts;
    if !is_recorded(&client, &known, facts).await? {
        let announcements = announcements(&known, facts)?;
        record(&mut client, &known, facts, &announcements).await?;
        drop(client);
        let mut acks = Vec::new();
        for announcement in announcements {
            let mut headers = HeaderMap::new();
            let id = announcement.event_id.to_string();
            headers.insert("Nats-Msg-Id", id.as_str());
            let (subject, payload) = (announcement.subject, announcement.payload.into());
            let jetstream = &tools.jetstream;
            acks.push(
                jetstream
                    .publish_with_headers(subject, headers, payload)
                    .await?,
            );
        }
        for ack in acks {
            ack.await?;
        }
    }
    message.ack().await
}

async fn find(client: &Client, received: &ReceivedReceipt) -> Result<Option<Known>, Fault> {
    let facts = &received.facts;
    let named = client
        .prepare_cached(include_str!("per_receipt/find_message.sql"))
        .await?;
    let (operator, id) = (
        facts.operator_id.to_string(),
        facts.operator_message_id.as_str(),
    );
    let mut row = client.query_opt(&named, &[&operator, &id]).await?;
    if let (None, Some(hint)) = (&row, received.message_hint) {
        let hinted = client
            .prepare_cached(include_str!("per_receipt/find_hinted.sql"))
            .await?;
        row = client.query_opt(&hinted, &[&hint.0]).await?;
    }
    Ok(row.as_ref().map(known))
}

fn known(row: &Row) -> Known {
    let status: Option<&str> = row.get(5);
    Known {
        message: MessageId(row.get(0)),
        tenant: TenantId(row.get(1)),
        account: AccountId(row.get(2)),
        to: row.get(3),
        segments: row.get(4),
        settled: status.is_some_and(|status| status != "UNKNOWN"),
    }
}

async fn is_recorded(client: &Client, known: &Known, facts: &ReceiptFacts) -> Result<bool, Fault> {
    let statement = client
        .prepare_cached(include_str!("per_receipt/find_receipt.sql"))
        .await?;
    let id = facts.operator_message_id.as_str();
    let status = facts.dlr_status.as_str();
    let found = client
        .query_opt(&statement, &[&known.message.0, &id, &status])
        .await?;
    Ok(found.is_some())
}

async fn record(
    client: &mut Client,
    known: &Known,
    facts: &ReceiptFacts,
    announcements: &[Announcement],
) -> Result<(), Fault> {
    let transaction = client.transaction().await?;
    let receipt = transaction
        .prepare_cached(include_str!("per_receipt/record_receipt.sql"))
        .await?;
    let status = facts.dlr_status.as_str();
    let received_at = facts.received_at.datetime();
    transaction
        .execute(
            &receipt,
            &[
                &known.message.0,
                &known.tenant.0,
                &known.account.0,
                &facts.operator_id.to_string(),
                &facts.operator_message_id.as_str(),
                &status,
                &facts.raw_stat,
                &facts.error_code,
                &facts.delivered_at.datetime(),
                &received_at,
            ],
        )
        .await?;
    let set_status = transaction
        .prepare_cached(include_str!("per_receipt/set_status.sql"))
        .await?;
    transaction
        .execute(&set_status, &[&known.message.0, &status, &received_at])
        .await?;
    let announce = transaction
        .prepare_cached(include_str!("per_receipt/announce.sql"))
        .await?;
    for Announcement {
        subject,
        event_id,
        payload,
    } in announcements
    {
        transaction
            .execute(&announce, &[subject, event_id, payload])
            .await?;
    }
    Ok(transaction.commit().await?)
}

/// What the receipt is announced as: a final one to billing and to the customer, an intermediate
/// one to the customer, one that comes too late to nobody.
fn announcements(known: &Known, facts: &ReceiptFacts) -> Result<Vec<Announcement>, Fault> {
    if known.settled {
        return Ok(Vec::new());
    }
    let event_id = EventId::of_receipt(
        StreamId::message(known.message),
        facts.operator_id,
        &facts.operator_message_id,
        facts.dlr_status,
    );
    let event_id = event_id.0;
    let webhook = serde_json::to_string(&WebhookDispatch {
        schema_version: SCHEMA_VERSION.to_owned(),
        event_id,
        account_id: known.account,
        message_id: known.message,
        dlr_status: facts.dlr_status,
        to: Personal::new(known.to.clone()),
        operator_id: facts.operator_id,
        occurred_at: facts.delivered_at,
        metadata: None,
    })?;
    let mut all = vec![Announcement {
        subject: WEBHOOK_DISPATCH,
        event_id,
        payload: webhook,
    }];
    if facts.dlr_status.is_final() {
        let billing = serde_json::to_string(&BillingEvent {
            schema_version: SCHEMA_VERSION.to_owned(),
            event_id,
            event_type: "DLR_TERMINAL".to_owned(),
            message_id: known.message,
            tenant_id: known.tenant,
            account_id: known.account,
            operator_id: facts.operator_id,
            direction: "MT".to_owned(),
            segment_count: known.segments,
            dlr_status: facts.dlr_status,
            occurred_at: facts.delivered_at,
            charged_at: facts.delivered_at,
            account_tier: None,
            currency: None,
        })?;
        all.push(Announcement {
            subject: BILLING_EVENTS,
            event_id,
            payload: billing,
        });
    }
    Ok(all)
}
