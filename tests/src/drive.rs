//! Drives a traffic through a world, and waits until the world has come to rest.

mod agree;
mod charged;

use std::time::Duration;

use async_nats::jetstream::consumer::{Consumer, pull};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_postgres::Client;

pub use self::{
    agree::agree,
    charged::{settled, waiting},
};
use crate::{
    orchestrator,
    traffic::{self, Expected, Generator, LaterRow, RowComes, Shape},
    world::{Fault, World},
};

/// How long after the receipt the orchestrator's late rows come: within the grace period of five
/// seconds, and well past it.
const WITHIN_GRACE: Duration = Duration::from_millis(1_500);
const PAST_GRACE: Duration = Duration::from_secs(8);

/// Where receipts and settlements wait: the stream and its consumer.
const RECEIPTS: (&str, &str) = ("SMS_DLR", "dlr-processor");
const SETTLEMENTS: (&str, &str) = ("BILLING_EVENTS", "billing-consumer");

/// What is told while it goes on.
pub trait Progress: Sync {
    /// A step, in words.
    fn step(&self, words: &str);
}

/// Says nothing.
pub struct Quiet;

impl Progress for Quiet {
    fn step(&self, _: &str) {}
}

/// Sends the traffic of `shape` through `world`: rows first, receipts at `rate` or as fast as it
/// goes, late rows in their time. Returns what must have come of it once the world is at rest.
///
/// # Errors
/// A server goes away for good.
pub async fn send(
    world: &World,
    shape: &Shape,
    rate: Option<u64>,
    progress: &dyn Progress,
) -> Result<Expected, Fault> {
    let database = world.admin().await?;
    let connector = world.jetstream("smpp-connector").await?;
    let mut generator = Generator::new(shape);
    let (mut chunks, mut sent, mut began) = (Vec::new(), 0, None);
    while let Some(chunk) = generator.next_chunk() {
        orchestrator::enqueue(&database, &chunk.rows).await?;
        chunks.push((chunk.inbound, chunk.later));
    }
    database.batch_execute("analyze orch.sms_messages").await?;
    let mut later = Vec::new();
    for (inbound, rows) in chunks {
        traffic::publish(&connector, &inbound, rate).await?;
        let now = Instant::now();
        began.get_or_insert(now);
        later.extend(rows.into_iter().map(|row| (now, row)));
        sent += inbound.len();
        progress.step(&format!("sent {sent} receipts"));
        later = due(&database, later).await?;
    }
    while !later.is_empty() {
        sleep(Duration::from_millis(100)).await;
        later = due(&database, later).await?;
    }
    Ok(generator.into_expected())
}

/// Inserts the rows whose time has come and gives back the others.
async fn due(
    database: &Client,
    later: Vec<(Instant, LaterRow)>,
) -> Result<Vec<(Instant, LaterRow)>, Fault> {
    let wait = |row: &LaterRow| match row.when {
        RowComes::Before => Duration::ZERO,
        RowComes::WithinGrace => WITHIN_GRACE,
        RowComes::PastGrace => PAST_GRACE,
    };
    let (now, rest): (Vec<_>, Vec<_>) = later
        .into_iter()
        .partition(|(sent, row)| sent.elapsed() >= wait(row));
    let rows: Vec<_> = now.into_iter().map(|(_, later)| later.row).collect();
    if !rows.is_empty() {
        orchestrator::enqueue(database, &rows).await?;
    }
    Ok(rest)
}

/// Waits until nothing moves any more: every message acknowledged, every orphan that has a
/// message healed, every projection at the head of the log.
///
/// # Errors
/// It does not come to rest within `patience`; the message says what still moves.
pub async fn rest(world: &World, patience: Duration) -> Result<(), Fault> {
    rest_of(world, &[RECEIPTS], patience).await
}

/// The same where `tollbook billing` is at work: every announcement is acknowledged, too.
///
/// # Errors
/// It does not come to rest within `patience`; the message says what still moves.
pub async fn rest_with_billing(world: &World, patience: Duration) -> Result<(), Fault> {
    rest_of(world, &[RECEIPTS, SETTLEMENTS], patience).await
}

/// The same where `tollbook billing` alone is at work.
///
/// # Errors
/// It does not come to rest within `patience`; the message says what still moves.
pub async fn rest_of_billing(world: &World, patience: Duration) -> Result<(), Fault> {
    rest_of(world, &[SETTLEMENTS], patience).await
}

async fn rest_of(
    world: &World,
    consumers: &[(&str, &str)],
    patience: Duration,
) -> Result<(), Fault> {
    let until = Instant::now() + patience;
    let database = world.admin().await?;
    let admin = world.jetstream("tollbook-admin").await?;
    let mut all: Vec<Consumer<pull::Config>> = Vec::new();
    for (stream, consumer) in consumers {
        all.push(admin.get_consumer_from_stream(*consumer, *stream).await?);
    }
    let (mut quiet, mut still) = (0, String::new());
    while quiet < 3 {
        if Instant::now() > until {
            return Err(format!("the world does not come to rest: {still}").into());
        }
        let (mut pending, mut unacknowledged) = (0, 0);
        for consumer in &mut all {
            let info = consumer.info().await?;
            pending += info.num_pending;
            unacknowledged += info.num_ack_pending;
        }
        let row = database
            .query_one(include_str!("drive/moving.sql"), &[])
            .await?;
        let (behind, unhealed): (i64, i64) = (row.get(0), row.get(1));
        let billing = consumers.contains(&SETTLEMENTS);
        let unassessed: i64 = if billing { row.get(2) } else { 0 };
        still = format!(
            "{pending} messages waiting, {unacknowledged} not acknowledged, \
             {behind} events not projected, {unhealed} orphans not healed, \
             {unassessed} changes of costs not followed"
        );
        let at_rest =
            pending == 0 && unacknowledged == 0 && behind == 0 && unhealed == 0 && unassessed == 0;
        quiet = if at_rest { quiet + 1 } else { 0 };
        sleep_until(Instant::now() + Duration::from_millis(100)).await;
    }
    Ok(())
}
