//! Latency under open-loop load: the load does not wait for the service.
//!
//! A receipt's clock starts when `JetStream` takes it in (`receivedAt` in the event). A watcher
//! asks Postgres every few milliseconds where the log's head and the slowest checkpoint are, and
//! notes when the answer came; a receipt is *committed* at the first answer whose head has reached
//! its event, and *visible* at the first whose slowest checkpoint has: then all tables show it and
//! all subjects have acknowledged it. So both figures are up to a watcher's interval too long,
//! never too short. (`recorded_at` would be too short: it is taken before the commit.)

use std::{sync::Arc, time::Duration};

use eventstore::clock;
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval},
};
use tokio_postgres::Client;

use super::stage::{Run, Stage, Until};
use crate::{bench::measure::quantile, traffic, world::Fault};

/// How often the watcher asks.
const WATCH: Duration = Duration::from_millis(2);
/// What is sent first and not counted: the pools connect, the plans are made.
const WARM_UP: Duration = Duration::from_secs(3);

/// How long things took, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Percentiles {
    pub(super) p50: u64,
    pub(super) p99: u64,
    pub(super) p999: u64,
}

/// What a load has shown.
pub(super) struct Latency {
    pub(super) commit: Percentiles,
    pub(super) visible: Percentiles,
    /// How late the latest publish was: much more than some milliseconds means that the load was
    /// not as wished.
    pub(super) latest: Duration,
    pub(super) run: Run,
    pub(super) peak_kib: u64,
}

/// What the watcher saw, and when, in microseconds.
struct Seen {
    at: i64,
    committed: i64,
    visible: i64,
}

/// Sends `seconds` of `rate` receipts per second through a running service.
pub(super) async fn measure(stage: &Stage, rate: u64, seconds: u64) -> Result<Latency, Fault> {
    let wished = usize::try_from(rate * (seconds + WARM_UP.as_secs()))?;
    let load = &stage.inbound[..wished.min(stage.inbound.len())];
    stage.reset(0).await?;
    let service = stage.world.service(&[]).await?;
    let connector = stage.world.jetstream("smpp-connector").await?;
    let (end, watcher) = (Arc::new(Notify::new()), stage.world.admin().await?);
    let watching = tokio::spawn(watch(watcher, Arc::clone(&end)));
    let meter = stage.meter(service.pid());
    let published = traffic::publish(&connector, load, Some(rate)).await?;
    stage.over(Until::Projected).await?;
    let cpu = meter.stop();
    end.notify_one();
    let seen = watching.await??;
    let peak_kib = service.peak_kib().unwrap_or_default();
    if !service.terminate().await? {
        return Err("tollbook dlr did not end well".into());
    }
    let (commit, visible) = latencies(&stage.world.admin().await?, &seen).await?;
    Ok(Latency {
        commit: percentiles(commit),
        visible: percentiles(visible),
        latest: published.latest,
        run: Run {
            receipts: u64::try_from(load.len())?,
            took: published.took,
            cpu,
        },
        peak_kib,
    })
}

async fn watch(database: Client, end: Arc<Notify>) -> Result<Vec<Seen>, Fault> {
    let statement = database.prepare(include_str!("watch.sql")).await?;
    let mut ticks = interval(WATCH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut seen = Vec::new();
    let mut last = false;
    while !last {
        tokio::select! {
            _ = ticks.tick() => {}
            // Once more, so that the end is seen.
            () = end.notified() => last = true,
        }
        let row = database.query_one(&statement, &[]).await?;
        seen.push(Seen {
            at: clock::now().micros(),
            committed: row.get(0),
            visible: row.get(1),
        });
    }
    Ok(seen)
}

/// Of every event after the warm-up: microseconds to commit, and until visible.
async fn latencies(database: &Client, seen: &[Seen]) -> Result<(Vec<u64>, Vec<u64>), Fault> {
    let rows = database.query(include_str!("arrivals.sql"), &[]).await?;
    let events = rows.iter().map(|row| (row.get(0), row.get(1)));
    let events: Vec<(i64, i64)> = events.collect();
    let first = events.iter().map(|(_, arrived)| *arrived).min();
    let counted = first.unwrap_or_default() + i64::try_from(WARM_UP.as_micros())?;
    let (mut commit, mut visible) = (Vec::new(), Vec::new());
    for (position, arrived) in events {
        if arrived < counted {
            continue;
        }
        let reached = |at: fn(&Seen) -> i64| {
            let sample = seen.get(seen.partition_point(|seen| at(seen) < position));
            let sample = sample.ok_or("the watcher did not see the end")?;
            Ok::<_, Fault>(u64::try_from(sample.at - arrived).unwrap_or_default())
        };
        commit.push(reached(|seen| seen.committed)?);
        visible.push(reached(|seen| seen.visible)?);
    }
    Ok((commit, visible))
}

fn percentiles(mut micros: Vec<u64>) -> Percentiles {
    micros.sort_unstable();
    Percentiles {
        p50: quantile(&micros, 500),
        p99: quantile(&micros, 990),
        p999: quantile(&micros, 999),
    }
}
