//! Latency under open-loop load: the load does not wait for the service.
//!
//! A receipt's clock starts when `JetStream` takes it in (`receivedAt` in the event). A watcher
//! asks Postgres every few milliseconds where the log's head and the slowest checkpoint are, and
//! notes when the answer came; a receipt is *committed* at the first answer whose head has reached
//! its event, and *visible* at the first whose slowest checkpoint has: then all tables show it and
//! all subjects have acknowledged it. So both figures are up to a watcher's interval too long,
//! never too short. (`recorded_at` would be too short: it is taken before the commit.)

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

use super::stage::{Run, Stage, Until};
use crate::{
    bench::watcher::{self, Percentiles},
    traffic,
    world::Fault,
};

/// What is sent first and not counted: the pools connect, the plans are made.
const WARM_UP: Duration = Duration::from_secs(3);

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

/// Sends `seconds` of `rate` receipts per second through a running service.
pub(super) async fn measure(stage: &Stage, rate: u64, seconds: u64) -> Result<Latency, Fault> {
    let wished = usize::try_from(rate * (seconds + WARM_UP.as_secs()))?;
    let load = &stage.inbound[..wished.min(stage.inbound.len())];
    stage.reset(0).await?;
    let service = stage.world.service(&[]).await?;
    let connector = stage.world.jetstream("smpp-connector").await?;
    let (end, watcher) = (Arc::new(Notify::new()), stage.world.admin().await?);
    let watching = tokio::spawn(watcher::watch(
        watcher,
        include_str!("watch.sql"),
        Arc::clone(&end),
    ));
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
    let database = stage.world.admin().await?;
    let arrivals = include_str!("arrivals.sql");
    let (commit, visible) = watcher::latencies(&database, arrivals, WARM_UP, &seen).await?;
    Ok(Latency {
        commit,
        visible,
        latest: published.latest,
        run: Run {
            receipts: u64::try_from(load.len())?,
            took: published.took,
            cpu,
        },
        peak_kib,
    })
}
