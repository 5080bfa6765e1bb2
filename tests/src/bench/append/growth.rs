//! Whether the cost grows with the log.
//!
//! One log with 200 000 events and a large one, filled by the same appends, in two databases of one
//! server. Both are vacuumed, a checkpoint is taken, and then batches of 1 000 go to one and the
//! other in turns, so that whatever else the machine does hits both.

use std::time::Duration;

use eventstore::EventStore as _;
use tokio::time::Instant;

use super::log::{Ids, Log, batch, batches};
use crate::{
    bench::{
        measure::median,
        report::{Bar, Figure, Report},
        step,
    },
    stack::{PgOptions, PgVersion, Postgres},
    world::Fault,
};

/// How many events a small log has.
const SMALL: i64 = 200_000;

/// What a comparison is called in the report, and the share that the large log must keep.
struct Told {
    small: &'static str,
    large: &'static str,
    events: &'static str,
    percent: u64,
}

impl Told {
    const fn of(ids: Ids) -> Self {
        match ids {
            // The key grows at its end only, whatever its size.
            Ids::InTime => Self {
                small: "small_log_per_s",
                large: "large_log_per_s",
                events: "large_log_events",
                percent: 80,
            },
            // Every event lands on a page of its own: what that costs stands in ADR 0033.
            Ids::Random => Self {
                small: "random_small_per_s",
                large: "random_large_per_s",
                events: "random_large_events",
                percent: 45,
            },
        }
    }
}

/// Compares a small log with one of `large` events.
pub(super) async fn compare(
    began: Instant,
    ids: Ids,
    large: i64,
    rounds: u8,
    report: &mut Report,
) -> Result<(), Fault> {
    let postgres = Postgres::start(PgVersion::V18, PgOptions::default()).await?;
    let small = Log::open(&postgres, "small").await?;
    let grown = Log::open(&postgres, "large").await?;
    fill(&small, ids, SMALL, began).await?;
    fill(&grown, ids, large, began).await?;
    let events = grown.store.head().await?.0;
    for database in ["small", "large"] {
        let admin = postgres.admin(database).await?;
        for statement in ["vacuum analyze eventlog.event", "checkpoint"] {
            admin.batch_execute(statement).await?;
        }
    }
    let (mut of_small, mut of_large) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let small = batches(&small.store, ids, 1_000, 50_000).await?;
        let large = batches(&grown.store, ids, 1_000, 50_000).await?;
        // The first one warms up.
        if round > 0 {
            of_small.push(small);
            of_large.push(large);
        }
    }
    small.close();
    grown.close();
    let told = Told::of(ids);
    let small = median(&of_small);
    report.tell(told.small, Figure::whole(small));
    let bar = Bar::share(told.percent, small);
    report.held_to(told.large, Figure::whole(median(&of_large)), &[bar]);
    report.tell(told.events, Figure::whole(u64::try_from(events)?));
    Ok(postgres.stop().await?)
}

/// Appends until the log has `events`.
async fn fill(log: &Log, ids: Ids, events: i64, began: Instant) -> Result<(), Fault> {
    let mut told = Instant::now();
    loop {
        let head = log.store.head().await?.0;
        if head >= events {
            step(began, &format!("the log has {head} events"));
            return Ok(());
        }
        if told.elapsed() > Duration::from_secs(5) {
            told = Instant::now();
            step(began, &format!("filling: {head} of {events} events"));
        }
        let size = usize::try_from(events - head)?.min(1_000);
        log.store.append(batch(ids, size)).await?;
    }
}
