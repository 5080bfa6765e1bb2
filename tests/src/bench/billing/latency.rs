//! From the announcement of a settlement to visible usage, under open-loop load.
//!
//! A settlement's clock starts when `JetStream` takes it in. It is visible once both the table of
//! charges and the usage have passed it.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Notify, time::Instant};

use super::stage::{AtWork, Stage};
use crate::{
    bench::watcher::{self, Percentiles},
    world::{Fault, Service},
};

/// What is sent first and not counted: the pools connect, the plans are made.
pub(super) const WARM_UP: Duration = Duration::from_secs(3);

/// What a load has shown.
pub(super) struct Latency {
    pub(super) commit: Percentiles,
    pub(super) visible: Percentiles,
    /// How late the latest publish was.
    pub(super) latest: Duration,
}

/// Announces `seconds` of `rate` settlements per second to a running service.
pub(super) async fn measure(stage: &Stage, rate: u64, seconds: u64) -> Result<Latency, Fault> {
    let idle = async |_: &Service| Ok(());
    let (latency, ()) = measure_beside(stage, rate, seconds, idle).await?;
    Ok(latency)
}

/// The same while the service does some other `work` too.
pub(super) async fn measure_beside<T>(
    stage: &Stage,
    rate: u64,
    seconds: u64,
    work: impl AsyncFnOnce(&Service) -> Result<T, Fault>,
) -> Result<(Latency, T), Fault> {
    let wished = usize::try_from(rate * (seconds + WARM_UP.as_secs()))?;
    let load = &stage.announcements[..wished.min(stage.announcements.len())];
    stage.reset().await?;
    let billing = stage.world.billing(&[]).await?;
    stage.settle_down().await?;
    let (end, watching) = (Arc::new(Notify::new()), stage.world.admin().await?);
    let sql = include_str!("watch.sql");
    let watching = tokio::spawn(watcher::watch(watching, sql, Arc::clone(&end)));
    let loading = stage.announce(load, Some(rate));
    let (latest, done) = tokio::try_join!(loading, work(&billing))?;
    stage.over(AtWork::Billing, Instant::now()).await?;
    end.notify_one();
    let seen = watching.await??;
    if !billing.terminate().await? {
        return Err("tollbook billing did not end well".into());
    }
    stage.check(u64::try_from(load.len())?).await?;
    let database = stage.world.admin().await?;
    let arrivals = include_str!("arrivals.sql");
    let (commit, visible) = watcher::latencies(&database, arrivals, WARM_UP, &seen).await?;
    let latency = Latency {
        commit,
        visible,
        latest,
    };
    Ok((latency, done))
}
