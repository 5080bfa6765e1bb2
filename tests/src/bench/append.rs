//! `./dev bench append`: how fast the log takes and gives events.
//!
//! Every event is a settlement of realistic size in a stream of its own, and stream ids are
//! ordered by time, as message ids are. Rounds of all sizes take turns; medians are told.
//! Small against large log: one log with 200 000 events and a large one, filled by the same appends,
//! in two databases of one server. Both are vacuumed, a checkpoint is taken, and then batches of
//! 1 000 go to one and the other in turns, so that whatever else the machine does hits both.

use std::{sync::Arc, time::Duration};

use actors::runtime::appender::{self, Appender};
use eventstore::{
    Append, EventStore, Feed, LogId, Secret,
    contract::samples,
    postgres::{Database, DatabaseOptions, PgStore},
};
use ractor::{Actor, ActorRef};
use tokio::{task::JoinSet, time::Instant};

use super::{
    measure::{median, per_second},
    report::{Bar, Figure, Report},
    step,
};
use crate::{
    stack::{PgOptions, PgVersion, Postgres},
    world::Fault,
};

const DATABASE: &str = "bench";
/// How many events a small log has, and a large one.
const SMALL: i64 = 200_000;
const LARGE: i64 = 5_000_000;
const LARGE_QUICK: i64 = 1_000_000;
/// How many events are appended while a snapshot is held; the last of them are measured.
const UNDER_SNAPSHOT: usize = 300_000;
const UNDER_SNAPSHOT_MEASURED: usize = 20_000;
/// How many events one read fetches.
const READ: i64 = 5_000;

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
    /// Print one JSON object as the last line
    #[arg(long)]
    json: bool,
}

/// What is measured, a rate per round.
#[derive(Default)]
struct Rates {
    one_writer: Vec<u64>,
    ten_writers: Vec<u64>,
    batch100: Vec<u64>,
    batch1000: Vec<u64>,
    read: Vec<u64>,
}

/// The log under test.
struct Bench {
    postgres: Postgres,
    store: PgStore,
    appender: ActorRef<appender::Msg>,
    began: Instant,
}

/// Runs it.
pub(super) async fn run(args: AppendArgs) -> Result<(), Fault> {
    let began = Instant::now();
    let bench = Bench::start(began).await?;
    // Connections are made and plans cached before anything counts.
    batches(&bench.store, 100, 20_000).await?;
    bench.writers(10, 2_000).await?;
    let mut rates = Rates::default();
    for round in 1..=args.rounds {
        rates.one_writer.push(bench.writers(1, 4_000).await?);
        rates.ten_writers.push(bench.writers(10, 20_000).await?);
        rates
            .batch100
            .push(batches(&bench.store, 100, 40_000).await?);
        rates
            .batch1000
            .push(batches(&bench.store, 1_000, 80_000).await?);
        rates.read.push(bench.read().await?);
        bench.step(&format!("round {round} of {}", args.rounds));
    }
    let mut report = Report::default();
    let figures = [
        ("one_writer_per_s", &rates.one_writer, 3_000),
        ("ten_writers_per_s", &rates.ten_writers, 15_000),
        ("batch100_per_s", &rates.batch100, 60_000),
        ("batch1000_per_s", &rates.batch1000, 90_000),
        ("read_per_s", &rates.read, 400_000),
    ];
    for (key, rates, bar) in figures {
        report.held_to(key, Figure::whole(median(rates)), &[Bar::AtLeast(bar)]);
    }
    let bar = Bar::AtLeast(median(&rates.ten_writers) * 100 / 150);
    let held = bench.under_a_snapshot().await?;
    report.held_to("snapshot_per_s", Figure::whole(held), &[bar]);
    bench.stop().await?;
    if !args.no_large {
        let large = if args.quick { LARGE_QUICK } else { LARGE };
        growth(began, large, args.rounds, &mut report).await?;
    }
    report.print("bench append: medians; Postgres 18 with fsync", args.json)
}

/// Whether the cost grows with the log.
async fn growth(began: Instant, large: i64, rounds: u8, report: &mut Report) -> Result<(), Fault> {
    let bench = Bench::start(began).await?;
    let grown = open(&bench.postgres, "large").await?;
    bench.fill(&bench.store, SMALL).await?;
    bench.fill(&grown, large).await?;
    let events = grown.head().await?;
    for database in [DATABASE, "large"] {
        let admin = bench.postgres.admin(database).await?;
        for statement in ["vacuum analyze eventlog.event", "checkpoint"] {
            admin.batch_execute(statement).await?;
        }
    }
    let (mut of_small, mut of_large) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let small = batches(&bench.store, 1_000, 50_000).await?;
        let large = batches(&grown, 1_000, 50_000).await?;
        // The first one warms up.
        if round > 0 {
            of_small.push(small);
            of_large.push(large);
        }
    }
    let small = median(&of_small);
    report.tell("small_log_per_s", Figure::whole(small));
    let bar = Bar::AtLeast(small * 100 / 125);
    report.held_to("large_log_per_s", Figure::whole(median(&of_large)), &[bar]);
    report.tell("large_log_events", Figure::whole(u64::try_from(events)?));
    bench.stop().await
}

/// A new database with an empty log.
async fn open(postgres: &Postgres, name: &str) -> Result<PgStore, Fault> {
    postgres.create_database(name, None).await?;
    let mut admin = postgres.admin(name).await?;
    eventstore::migrate::run(&mut admin).await?;
    postgres.admit(&["dlr_svc"]).await?;
    let database = Database::new(DatabaseOptions {
        url: Secret::new(postgres.url("dlr_svc", name)),
        url_file: None,
        ca_file: None,
        pool_max: 10,
        deadline: Duration::from_secs(15),
        application: "bench".to_owned(),
    })?;
    Ok(PgStore::new(database, LogId::DEFAULT))
}

/// Events per second in batches of `size`, one after the other.
async fn batches(store: &PgStore, size: usize, events: usize) -> Result<u64, Fault> {
    let work: Vec<_> = (0..events / size).map(|_| batch(size)).collect();
    let start = Instant::now();
    for batch in work {
        store.append(batch).await?;
    }
    Ok(per_second(u64::try_from(events)?, start.elapsed()))
}

impl Bench {
    async fn start(began: Instant) -> Result<Self, Fault> {
        step(began, "starting Postgres");
        let postgres = Postgres::start(PgVersion::V18, PgOptions::default()).await?;
        let store = open(&postgres, DATABASE).await?;
        let shared: Arc<dyn EventStore> = Arc::new(store.clone());
        let args = appender::Args {
            feed: Feed::new(Arc::clone(&shared)),
            store: shared,
            on_commit: Arc::new(|_| ()),
        };
        let (appender, _) = Actor::spawn(None, Appender, args).await?;
        Ok(Self {
            postgres,
            store,
            appender,
            began,
        })
    }

    fn step(&self, words: &str) {
        step(self.began, words);
    }

    /// Events per second of `writers` that each wait for one event before they send the next.
    async fn writers(&self, writers: usize, events: usize) -> Result<u64, Fault> {
        let work: Vec<_> = (0..writers).map(|_| batch(events / writers)).collect();
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for mine in work {
            tasks.spawn(write(self.appender.clone(), mine));
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(per_second(u64::try_from(events)?, start.elapsed()))
    }

    /// Events per second of ten writers after many others, all while somebody holds a snapshot of
    /// the time before, as a dump does.
    async fn under_a_snapshot(&self) -> Result<u64, Fault> {
        let dump = self.postgres.admin(DATABASE).await?;
        dump.batch_execute("begin isolation level repeatable read; select from eventlog.head")
            .await?;
        self.step("appending while a snapshot is held");
        self.writers(10, UNDER_SNAPSHOT - UNDER_SNAPSHOT_MEASURED)
            .await?;
        let rate = self.writers(10, UNDER_SNAPSHOT_MEASURED).await?;
        dump.batch_execute("rollback").await?;
        Ok(rate)
    }

    /// Events per second, read in order and decoded; the first 200 000 of the log.
    async fn read(&self) -> Result<u64, Fault> {
        let start = Instant::now();
        let (mut at, mut events) = (0, 0);
        while at < SMALL {
            let stretch = self.store.read_after(at, READ).await?;
            if stretch.events.is_empty() {
                break;
            }
            at = stretch.through;
            events += stretch.whole()?.len();
        }
        Ok(per_second(u64::try_from(events)?, start.elapsed()))
    }

    /// Appends to `store` until its log has `events`.
    async fn fill(&self, store: &PgStore, events: i64) -> Result<(), Fault> {
        let mut told = Instant::now();
        loop {
            let head = store.head().await?;
            if head >= events {
                self.step(&format!("the log has {head} events"));
                return Ok(());
            }
            if told.elapsed() > Duration::from_secs(5) {
                told = Instant::now();
                self.step(&format!("filling: {head} of {events} events"));
            }
            let size = usize::try_from(events - head)?.min(1_000);
            store.append(batch(size)).await?;
        }
    }

    async fn stop(self) -> Result<(), Fault> {
        self.appender.stop(None);
        Ok(self.postgres.stop().await?)
    }
}

async fn write(appender: ActorRef<appender::Msg>, appends: Vec<Append>) -> Result<(), Fault> {
    for append in appends {
        appender::append(&appender, vec![append]).await?;
    }
    Ok(())
}

/// Appends of one event each, to streams that nobody has used.
fn batch(events: usize) -> Vec<Append> {
    let fresh = (0..events).map(|_| samples::append(samples::fresh(), 0, 1));
    fresh.collect()
}
