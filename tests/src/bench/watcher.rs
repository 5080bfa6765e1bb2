//! Watches the log's head and the slowest checkpoint while a load goes on, and tells latencies by
//! it: an event is *committed* at the first answer whose head has reached it, and *visible* at the
//! first whose slowest checkpoint has. Both are up to a watcher's interval too long, never too
//! short.

use std::{sync::Arc, time::Duration};

use eventstore::clock;
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval},
};
use tokio_postgres::Client;

use super::measure::quantile;
use crate::world::Fault;

/// How often the watcher asks.
const WATCH: Duration = Duration::from_millis(2);

/// How long things took, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Percentiles {
    pub(super) p50: u64,
    pub(super) p99: u64,
    pub(super) p999: u64,
}

/// What the watcher saw, and when, in microseconds.
pub(super) struct Seen {
    at: i64,
    committed: i64,
    visible: i64,
}

/// Asks `sql` (head, slowest checkpoint) every few milliseconds until `end`.
pub(super) async fn watch(
    database: Client,
    sql: &'static str,
    end: Arc<Notify>,
) -> Result<Vec<Seen>, Fault> {
    let statement = database.prepare(sql).await?;
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

/// Of every event of `sql` (position, arrival in microseconds) after the warm-up: microseconds to
/// commit, and until visible.
pub(super) async fn latencies(
    database: &Client,
    sql: &str,
    warm_up: Duration,
    seen: &[Seen],
) -> Result<(Percentiles, Percentiles), Fault> {
    let rows = database.query(sql, &[]).await?;
    let events = rows.iter().map(|row| (row.get(0), row.get(1)));
    let events: Vec<(i64, i64)> = events.collect();
    let first = events.iter().map(|(_, arrived)| *arrived).min();
    let counted = first.unwrap_or_default() + i64::try_from(warm_up.as_micros())?;
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
    Ok((percentiles(commit), percentiles(visible)))
}

fn percentiles(mut micros: Vec<u64>) -> Percentiles {
    micros.sort_unstable();
    Percentiles {
        p50: quantile(&micros, 500),
        p99: quantile(&micros, 990),
        p999: quantile(&micros, 999),
    }
}
