//! `./dev bench append`: how fast the log takes and gives events, and what Postgres does without it.
//!
//! Every event is a settlement of realistic size in a stream of its own. Stream ids are ordered by
//! time unless a key says `random`: then they are scattered as message ids are. Rounds of all sizes
//! take turns with their floors, so that whatever else the machine does hits both; medians are told,
//! and bars are shares of the floor: what was measured on two cores, less a tenth or more. One
//! appender stands against ten connections in `insert_ten_per_s`, so that share is the one that
//! suffers most from a busy machine, and that of one writer is flattered by it.

mod floor;
mod growth;
mod log;

use tokio::time::Instant;

use self::{
    floor::Floor,
    log::{Ids, Log, batches},
};
use super::{
    cpu,
    measure::median,
    report::{Bar, Figure, Report},
    step,
};
use crate::{
    stack::{PgOptions, PgVersion, Postgres},
    world::Fault,
};

/// How many events a large log has.
const LARGE: i64 = 5_000_000;
const LARGE_QUICK: i64 = 1_000_000;

/// What `./dev bench append` can be told.
#[derive(Debug, Clone, clap::Args)]
pub struct AppendArgs {
    /// How often each size is measured; the medians are told
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=99))]
    rounds: u8,
    /// A large log of one million events instead of five
    #[arg(long)]
    quick: bool,
    /// Leave the comparison with a large log out
    #[arg(long)]
    no_large: bool,
    /// Compare also with a log of this many events whose stream ids are random
    #[arg(long, value_name = "EVENTS",
          value_parser = clap::value_parser!(i64).range(200_000..=100_000_000))]
    large: Option<i64>,
    /// Print one JSON object as the last line
    #[arg(long)]
    json: bool,
}

/// What is measured, a rate per round.
#[derive(Default)]
struct Rates {
    insert_one: Vec<u64>,
    one_writer: Vec<u64>,
    insert_ten: Vec<u64>,
    ten_writers: Vec<u64>,
    copy: Vec<u64>,
    batch100: Vec<u64>,
    batch1000: Vec<u64>,
    random1000: Vec<u64>,
    read_floor: Vec<u64>,
    read: Vec<u64>,
}

/// Runs it.
pub(super) async fn run(args: AppendArgs) -> Result<(), Fault> {
    let began = Instant::now();
    step(began, "starting Postgres");
    let postgres = Postgres::start(PgVersion::V18, PgOptions::default()).await?;
    let mut report = Report::default();
    sizes(&postgres, began, args.rounds, &mut report).await?;
    postgres.stop().await?;
    if !args.no_large {
        let large = if args.quick { LARGE_QUICK } else { LARGE };
        growth::compare(began, Ids::InTime, large, args.rounds, &mut report).await?;
    }
    if let Some(large) = args.large {
        growth::compare(began, Ids::Random, large, args.rounds, &mut report).await?;
    }
    report.print("bench append: medians; Postgres 18 with fsync", args.json)
}

/// Appends of every size, and reading, on a log that is small; each next to its floor.
async fn sizes(
    postgres: &Postgres,
    began: Instant,
    rounds: u8,
    report: &mut Report,
) -> Result<(), Fault> {
    let log = Log::open(postgres, "bench").await?;
    let floor = Floor::lay(postgres, "bench").await?;
    let store = &log.store;
    // Connections are made and plans cached before anything counts.
    batches(store, Ids::InTime, 100, 20_000).await?;
    log.writers(10, 2_000).await?;
    floor.insert(10, 2_000).await?;
    let mut rates = Rates::default();
    for round in 1..=rounds {
        rates.insert_one.push(floor.insert(1, 4_000).await?);
        rates.one_writer.push(log.writers(1, 4_000).await?);
        rates.insert_ten.push(floor.insert(10, 20_000).await?);
        rates.ten_writers.push(log.writers(10, 20_000).await?);
        let batch100 = batches(store, Ids::InTime, 100, 40_000).await?;
        rates.batch100.push(batch100);
        rates.copy.push(floor.copy(1_000, 80_000).await?);
        let batch1000 = batches(store, Ids::InTime, 1_000, 80_000).await?;
        rates.batch1000.push(batch1000);
        let random1000 = batches(store, Ids::Random, 1_000, 80_000).await?;
        rates.random1000.push(random1000);
        rates.read_floor.push(floor.read().await?);
        rates.read.push(log.read().await?);
        let load = cpu::load();
        step(
            began,
            &format!("round {round} of {rounds} (load of the machine {load})"),
        );
    }
    rates.tell(report);
    step(began, "appending while a snapshot is held");
    let held = log.under_a_snapshot(postgres).await?;
    // Nothing that a snapshot keeps may be stepped over: ADR 0018.
    let bar = Bar::share(66, median(&rates.ten_writers));
    report.held_to("snapshot_per_s", Figure::whole(held), &[bar]);
    log.close();
    Ok(())
}

impl Rates {
    fn tell(&self, report: &mut Report) {
        let mut compare = |floor: (&str, &[u64]), figures: &[(&str, &[u64], u64)]| {
            let (key, rates) = floor;
            let floor = median(rates);
            report.tell(key, Figure::whole(floor));
            for (key, rates, percent) in figures {
                let figure = Figure::whole(median(rates));
                report.held_to(*key, figure, &[Bar::share(*percent, floor)]);
            }
        };
        compare(
            ("insert_one_per_s", &self.insert_one),
            &[("one_writer_per_s", &self.one_writer, 38)],
        );
        compare(
            ("insert_ten_per_s", &self.insert_ten),
            &[("ten_writers_per_s", &self.ten_writers, 30)],
        );
        compare(
            ("copy_per_s", &self.copy),
            &[
                ("batch100_per_s", &self.batch100, 25),
                ("batch1000_per_s", &self.batch1000, 40),
                ("random1000_per_s", &self.random1000, 33),
            ],
        );
        compare(
            ("read_floor_per_s", &self.read_floor),
            &[("read_per_s", &self.read, 52)],
        );
    }
}
