//! Who is measured, and how each is run from the first pull until it is done.

use std::{
    convert::Infallible,
    future::{Future, ready},
    sync::Arc,
    time::Duration,
};

use actors::services::dlr::{DlrDeps, DlrMetrics, DlrOptions, IntakeOptions};
use api::views::Tables;
use eventstore::{EventStore, Feed, LogId, postgres::PgStore};
use projections::Reader;
use tokio::{sync::watch, time::Instant};

use super::{
    floor, per_receipt,
    stage::{Run, Stage, Until},
};
use crate::{
    bench::{connect, cpu::Meter},
    world::Fault,
};

/// Who can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::bench) enum Contender {
    /// A bare loop, without actors and projections.
    Floor,
    /// One receipt at a time, ten at once, with rows for the outbox.
    PerReceipt,
    /// Tollbook without projections.
    Ingest,
    /// The whole `tollbook dlr`.
    Whole,
}

impl Contender {
    pub(super) const ALL: [Self; 4] = [Self::Floor, Self::PerReceipt, Self::Ingest, Self::Whole];

    /// As keys of the report begin.
    pub(in crate::bench) const fn key(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::PerReceipt => "per_receipt",
            Self::Ingest => "ingest",
            Self::Whole => "whole",
        }
    }
}

/// Runs a contender on a fresh stage with `receipts` waiting; says also how much memory its
/// process took at most, in KiB, where it has one of its own.
pub(in crate::bench) async fn run(
    stage: &Stage,
    contender: Contender,
    receipts: usize,
) -> Result<(Run, Option<u64>), Fault> {
    stage.reset(receipts).await?;
    let clock = Clock::start(stage, receipts);
    match contender {
        Contender::Floor => {
            let run = floor::run(&stage.world, false);
            let run = clock.race(stage, Box::pin(run)).await?;
            stage.check_log().await?;
            Ok((run, None))
        }
        Contender::PerReceipt => {
            let admin = stage.world.admin().await?;
            admin.batch_execute(per_receipt::SCHEMA).await?;
            let tools = per_receipt::Tools {
                database: connect::database(&stage.world, "postgres")?,
                jetstream: stage.world.jetstream("dlr-processor").await?,
            };
            let run = per_receipt::run(tools, connect::receipts(&stage.world).await?);
            Ok((clock.race(stage, Box::pin(run)).await?, None))
        }
        Contender::Ingest => ingest(stage, clock).await.map(|run| (run, None)),
        Contender::Whole => whole(stage, clock).await,
    }
}

/// The actors alone, in this process.
async fn ingest(stage: &Stage, clock: Clock) -> Result<Run, Fault> {
    let database = connect::database(&stage.world, floor::ROLE)?;
    let keyring = connect::keyring(&stage.world, &database)?;
    let log = LogId::DEFAULT;
    let store: Arc<dyn EventStore> = Arc::new(PgStore::new(database.clone(), log));
    let feed = Feed::new(Arc::clone(&store));
    let polled = Arc::clone(&feed);
    let polling = tokio::spawn(async move { polled.poll_head().await });
    let view = Arc::new(Tables(Reader::new(database.clone(), log)));
    let deps = DlrDeps {
        database,
        view,
        feed,
        store,
        log,
        keyring,
        metrics: Arc::new(DlrMetrics::default()),
        pulse: Arc::default(),
        adopt: |_, _| (),
    };
    let source = connect::receipts(&stage.world).await?;
    let source = move || ready(Ok::<_, Infallible>(source.clone()));
    let (end, ending) = watch::channel(false);
    let processor = tokio::spawn(actors::services::dlr::run(deps, options(), source, ending));
    let run = clock.until(stage, Until::Acknowledged).await;
    end.send_replace(true);
    processor.await?;
    polling.abort();
    stage.check_log().await?;
    run
}

/// What `tollbook dlr` does unless it is told otherwise.
fn options() -> DlrOptions {
    DlrOptions {
        intake: IntakeOptions {
            batch: 1_000,
            in_flight_max: 10_000,
            grace: Duration::from_secs(5),
            match_window: floor::MATCH_WINDOW,
            waiting_max: 500,
            orphans_per_hour: 20_000,
        },
        orphan_keep: Duration::from_hours(72),
        live_max: 20_000,
    }
}

/// The real process, from its start on.
async fn whole(stage: &Stage, clock: Clock) -> Result<(Run, Option<u64>), Fault> {
    let service = stage.world.service(&[]).await?;
    // Its processor time counts from its birth: it was not there when the clock began.
    let clock = Clock {
        meter: stage.meter(service.pid()).with_newborn("service"),
        ..clock
    };
    let run = clock.until(stage, Until::Projected).await?;
    let peak = service.peak_kib();
    stage.check_log().await?;
    stage.check_published().await?;
    if !service.terminate().await? {
        return Err("tollbook dlr did not end well".into());
    }
    Ok((run, peak))
}

/// What runs while a contender does.
struct Clock {
    receipts: usize,
    meter: Meter,
    began: Instant,
}

impl Clock {
    fn start(stage: &Stage, receipts: usize) -> Self {
        Self {
            receipts,
            meter: stage.meter(None),
            began: Instant::now(),
        }
    }

    /// Stops when the run is over.
    async fn until(self, stage: &Stage, until: Until) -> Result<Run, Fault> {
        stage.over(until).await?;
        Ok(Run {
            receipts: u64::try_from(self.receipts)?,
            took: self.began.elapsed(),
            cpu: self.meter.stop(),
        })
    }

    /// The same, with a contender that works until it is dropped.
    async fn race(
        self,
        stage: &Stage,
        contender: impl Future<Output = Result<(), Fault>>,
    ) -> Result<Run, Fault> {
        tokio::select! {
            run = self.until(stage, Until::Acknowledged) => run,
            ended = contender => Err(ended.err().unwrap_or_else(|| "the pull ended".into())),
        }
    }
}
