//! `./dev bench billing`: charges per second, the whole chain, latency, and questions of usage.
//!
//! Every run has the same prices and accounts, agreed over REST once, and fresh streams. Before a
//! run the messages wait in their stream; the clock starts with the service's own start. Beside the
//! service and the chain run their floors, bare loops that do the same durable work; bars of rates
//! are shares of them: what was measured on two cores that others kept busy too, less a
//! tenth or so.

mod csv;
mod floor;
mod latency;
mod reassess;
mod sheet;
pub(super) mod stage;
mod statement;
mod usage;

use std::future::Future;

use tokio::time::Instant;

use self::{
    csv::Csv,
    latency::Latency,
    reassess::Reassess,
    sheet::Sheet,
    stage::{AtWork, Run, Stage},
    statement::Statement,
};
use super::{
    cpu, dlr,
    measure::{median, per_second},
    report::{Bar, Figure, Report},
    step,
};
use crate::{
    money::Millionths,
    traffic,
    world::{Fault, Service, WorldOptions},
};

/// The load of the latency part, in settlements per second.
const LOAD: u64 = 2_000;
/// How long the service takes to find a price, by its own histogram.
const RESOLVE: &str = "billing_pricing_resolve_latency_seconds_bucket{le=\"";

/// What `./dev bench billing` can be told.
#[derive(Debug, Clone, clap::Args)]
pub struct BillingArgs {
    /// About how many messages are charged in each run
    #[arg(long, default_value_t = 200_000,
          value_parser = clap::value_parser!(u64).range(1_000..=5_000_000))]
    charges: u64,
    /// How often each part runs; the medians are told
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=99))]
    rounds: u8,
    /// How long the load of the latency part lasts, in seconds
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Only some parts
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<Part>,
    /// The same seed makes the same traffic
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object as the last line
    #[arg(long)]
    json: bool,
}

/// A part of the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Floor,
    Ingest,
    ChainFloor,
    Chain,
    Latency,
    Sheet,
    Usage,
    Csv,
    Reassess,
    Statement,
}

/// Everything that was measured.
#[derive(Default)]
struct Measured {
    floor: Vec<Run>,
    ingest: Vec<Run>,
    chain_floor: Vec<Run>,
    chain: Vec<Run>,
    /// The upper bound of the histogram's bucket with the 99th percentile, in microseconds.
    resolve: Vec<u64>,
    latency: Option<Latency>,
    sheet: Option<Sheet>,
    usage: Vec<(&'static str, u64)>,
    csv: Option<Csv>,
    reassess: Option<Reassess>,
    statement: Option<Statement>,
}

/// Runs it.
pub(super) async fn run(args: BillingArgs) -> Result<(), Fault> {
    let began = Instant::now();
    let wants = |part| args.only.is_empty() || args.only.contains(&part);
    step(
        began,
        "starting the servers, agreeing on prices, making the traffic",
    );
    let stage = Stage::set(WorldOptions::plain(), args.charges, args.seed).await?;
    let mut measured = Measured::default();
    for round in 1..=args.rounds {
        let tell = |part, run: &Run| {
            let (rate, load) = (per_second(run.count, run.visible), cpu::load());
            let words = format!("round {round}: {part} {rate}/s (load of the machine {load})");
            step(began, &words);
        };
        if wants(Part::Floor) {
            let run = Box::pin(bare_ingest(&stage)).await?;
            tell("floor", &run);
            measured.floor.push(run);
        }
        if wants(Part::Ingest) {
            let (run, resolve) = Box::pin(ingest(&stage)).await?;
            tell("ingest", &run);
            measured.ingest.push(run);
            measured.resolve.extend(resolve);
        }
        if wants(Part::ChainFloor) {
            let run = Box::pin(bare_chain(&stage)).await?;
            tell("chain floor", &run);
            measured.chain_floor.push(run);
        }
        if wants(Part::Chain) {
            let run = Box::pin(chain(&stage)).await?;
            tell("chain", &run);
            measured.chain.push(run);
        }
    }
    if wants(Part::Latency) {
        step(began, &format!("latency at {LOAD}/s"));
        let latency = Box::pin(latency::measure(&stage, LOAD, args.seconds)).await?;
        measured.latency = Some(latency);
    }
    if wants(Part::Sheet) {
        step(began, &format!("a sheet of prices at {LOAD}/s"));
        let sheet = Box::pin(sheet::measure(&stage, LOAD, args.seconds)).await?;
        measured.sheet = Some(sheet);
    }
    if wants(Part::Usage) {
        step(began, "questions of usage over a million charges");
        measured.usage = Box::pin(usage::measure(&stage)).await?;
    }
    if wants(Part::Csv) {
        step(began, "a million charges as a table");
        measured.csv = Some(Box::pin(csv::measure(&stage)).await?);
    }
    if wants(Part::Reassess) {
        step(began, "a million charges whose costs become known");
        measured.reassess = Some(Box::pin(reassess::measure(&stage)).await?);
    }
    if wants(Part::Statement) {
        step(began, "a carrier's statement of a million lines");
        measured.statement = Some(Box::pin(statement::measure(&stage)).await?);
    }
    stage.world.stop().await?;
    report(&measured).print(
        "bench billing: medians; JetStream's default sync, Postgres with fsync",
        args.json,
    )
}

/// The bare loop, with all settlements waiting for it.
pub(super) async fn bare_ingest(stage: &Stage) -> Result<Run, Fault> {
    stage.reset().await?;
    floor::lay(stage).await?;
    stage.announce(&stage.announcements, None).await?;
    stage.settle_down().await?;
    let work = floor::run(stage);
    let count = u64::try_from(stage.announcements.len())?;
    let run = Box::pin(race(stage, AtWork::Floor, count, work)).await?;
    stage.check_floor(count).await?;
    Ok(run)
}

/// Both bare loops at once: one records receipts and announces what is settled, the other charges
/// it.
async fn bare_chain(stage: &Stage) -> Result<Run, Fault> {
    stage.reset().await?;
    floor::lay(stage).await?;
    let connector = stage.world.jetstream("smpp-connector").await?;
    traffic::publish(&connector, &stage.receipts, None).await?;
    stage.settle_down().await?;
    let work = async {
        tokio::try_join!(dlr::floor::run(&stage.world, true), floor::run(stage))?;
        Ok(())
    };
    let count = u64::try_from(stage.receipts.len())?;
    let run = Box::pin(race(stage, AtWork::BothFloors, count, work)).await?;
    stage.check_floor(stage.settled).await?;
    Ok(run)
}

/// Lets `work`, which never ends by itself, go on until all is done.
async fn race(
    stage: &Stage,
    at_work: AtWork,
    count: u64,
    work: impl Future<Output = Result<(), Fault>>,
) -> Result<Run, Fault> {
    let began = Instant::now();
    let meter = stage.meter();
    let acknowledged = tokio::select! {
        over = stage.over(at_work, began) => over?,
        ended = work => return Err(ended.err().unwrap_or_else(|| "a floor's pull ended".into())),
    };
    Ok(Run {
        count,
        acknowledged,
        visible: began.elapsed(),
        cpu: meter.stop(),
    })
}

/// Billing alone, with all settlements waiting for it.
pub(super) async fn ingest(stage: &Stage) -> Result<(Run, Option<u64>), Fault> {
    stage.reset().await?;
    stage.announce(&stage.announcements, None).await?;
    stage.settle_down().await?;
    let began = Instant::now();
    let meter = stage.meter();
    let billing = stage.world.billing(&[]).await?;
    let meter = meter.joined_by("billing", billing.pid());
    let acknowledged = stage.over(AtWork::Billing, began).await?;
    let run = Run {
        count: u64::try_from(stage.announcements.len())?,
        acknowledged,
        visible: began.elapsed(),
        cpu: meter.stop(),
    };
    let resolve = resolve_p99(&billing).await?;
    stage.check(run.count).await?;
    end(billing).await?;
    Ok((run, resolve))
}

/// Both services, with all receipts waiting for the first.
async fn chain(stage: &Stage) -> Result<Run, Fault> {
    stage.reset().await?;
    let connector = stage.world.jetstream("smpp-connector").await?;
    traffic::publish(&connector, &stage.receipts, None).await?;
    stage.settle_down().await?;
    let began = Instant::now();
    let meter = stage.meter();
    let billing = stage.world.billing(&[]).await?;
    let dlr = stage.world.service(&[]).await?;
    let meter = meter.joined_by("billing", billing.pid());
    let meter = meter.joined_by("dlr", dlr.pid());
    let acknowledged = stage.over(AtWork::Both, began).await?;
    let run = Run {
        count: u64::try_from(stage.receipts.len())?,
        acknowledged,
        visible: began.elapsed(),
        cpu: meter.stop(),
    };
    stage.check(stage.settled).await?;
    end(dlr).await?;
    end(billing).await?;
    Ok(run)
}

async fn end(service: Service) -> Result<(), Fault> {
    if service.terminate().await? {
        return Ok(());
    }
    Err("a service did not end well".into())
}

/// The 99th percentile of finding a price, rounded up to a bucket of the service's histogram.
async fn resolve_p99(billing: &Service) -> Result<Option<u64>, Fault> {
    let metrics = billing.get("/metrics").await?;
    let buckets = metrics.lines().filter_map(|line| {
        let (bound, count) = line.strip_prefix(RESOLVE)?.split_once("\"} ")?;
        let micros = Millionths::parse(bound).map(|bound| bound.0);
        let count: u64 = count.split_whitespace().next()?.parse().ok()?;
        Some((micros, count))
    });
    let buckets: Vec<_> = buckets.collect();
    let total = buckets.iter().map(|(_, count)| *count).max();
    let wanted = total.unwrap_or_default() * 99;
    let mut reached = buckets.iter().filter(|(_, count)| count * 100 >= wanted);
    let bound = reached.find_map(|(micros, _)| *micros);
    Ok(bound
        .filter(|_| wanted > 0)
        .and_then(|it| u64::try_from(it).ok()))
}

fn report(measured: &Measured) -> Report {
    let mut report = Report::default();
    let rate = |runs: &[Run], took: fn(&Run) -> std::time::Duration| {
        let rates = runs.iter().map(|run| per_second(run.count, took(run)));
        median(&rates.collect::<Vec<_>>())
    };
    let floor = rate(&measured.floor, |run| run.visible);
    if !measured.floor.is_empty() {
        report.tell("floor_per_s", Figure::whole(floor));
    }
    if !measured.ingest.is_empty() {
        let figure = Figure::whole(rate(&measured.ingest, |run| run.visible));
        report.held_to("ingest_per_s", figure, &[Bar::share(33, floor)]);
        let figure = Figure::whole(rate(&measured.ingest, |run| run.acknowledged));
        report.tell("ingest_acknowledged_per_s", figure);
    }
    if !measured.resolve.is_empty() {
        let figure = Figure::whole(median(&measured.resolve));
        report.held_to("price_resolve_p99_us", figure, &[Bar::AtMost(50)]);
    }
    if let Some(latency) = &measured.latency {
        tell_latency(&mut report, latency);
    }
    if let Some(sheet) = &measured.sheet {
        tell_sheet(&mut report, sheet);
    }
    for (granularity, micros) in &measured.usage {
        let bar = if *granularity == "hour" { 50 } else { 20 };
        let key = format!("usage_{granularity}_p95_ms");
        report.held_to(key, Figure::thousandths(*micros), &[Bar::AtMost(bar)]);
    }
    if let Some(csv) = measured.csv {
        report.tell("csv_floor_rows_per_s", Figure::whole(csv.floor));
        let bars = [Bar::share(20, csv.floor)];
        report.held_to("csv_rows_per_s", Figure::whole(csv.rows), &bars);
        let growth = Figure::whole(csv.growth);
        report.held_to("csv_growth_mib", growth, &[Bar::AtMost(32)]);
    }
    if let Some(reassess) = measured.reassess {
        report.tell("reassess_floor_per_s", Figure::whole(reassess.floor));
        let figure = Figure::whole(reassess.charges);
        report.held_to("reassess_per_s", figure, &[Bar::share(55, reassess.floor)]);
    }
    if let Some(statement) = measured.statement {
        statement.tell(&mut report);
    }
    let floor = rate(&measured.chain_floor, |run| run.visible);
    if !measured.chain_floor.is_empty() {
        report.tell("chain_floor_per_s", Figure::whole(floor));
    }
    if !measured.chain.is_empty() {
        let figure = Figure::whole(rate(&measured.chain, |run| run.visible));
        report.held_to("chain_per_s", figure, &[Bar::share(37, floor)]);
    }
    tell_cpu(&mut report, "floor", &measured.floor);
    tell_cpu(&mut report, "ingest", &measured.ingest);
    tell_cpu(&mut report, "chain_floor", &measured.chain_floor);
    tell_cpu(&mut report, "chain", &measured.chain);
    report
}

fn tell_latency(report: &mut Report, latency: &Latency) {
    let figure = Figure::thousandths;
    report.tell(format!("commit_p50_ms_{LOAD}"), figure(latency.commit.p50));
    report.tell(format!("commit_p99_ms_{LOAD}"), figure(latency.commit.p99));
    report.tell(
        format!("visible_p50_ms_{LOAD}"),
        figure(latency.visible.p50),
    );
    let key = format!("visible_p99_ms_{LOAD}");
    report.held_to(key, figure(latency.visible.p99), &[Bar::AtMost(300)]);
    report.tell(
        format!("visible_p999_ms_{LOAD}"),
        figure(latency.visible.p999),
    );
    let latest = u64::try_from(latency.latest.as_micros()).unwrap_or(u64::MAX);
    report.tell(format!("publisher_late_max_ms_{LOAD}"), figure(latest));
}

fn tell_sheet(report: &mut Report, sheet: &Sheet) {
    let took = u64::try_from(sheet.took.as_millis()).unwrap_or(u64::MAX);
    report.held_to("sheet_s", Figure::thousandths(took), &[Bar::AtMost(10)]);
    let figure = Figure::thousandths(sheet.latency.visible.p99);
    report.held_to("sheet_visible_p99_ms", figure, &[Bar::AtMost(300)]);
    let figure = Figure::thousandths(sheet.latency.visible.p999);
    report.tell("sheet_visible_p999_ms", figure);
    let figure = Figure::thousandths(sheet.latency.commit.p999);
    report.tell("sheet_commit_p999_ms", figure);
}

/// Processor seconds per 100 000 messages, process by process.
fn tell_cpu(report: &mut Report, part: &str, runs: &[Run]) {
    let names = runs.first().into_iter().flat_map(|run| run.cpu.keys());
    for name in names {
        let millis = runs.iter().map(|run| {
            let used = run.cpu.get(name).copied().unwrap_or_default();
            used * 100_000 / run.count.max(1)
        });
        let figure = Figure::thousandths(median(&millis.collect::<Vec<_>>()));
        report.tell(format!("{part}_{name}_cpu_s_per_100k"), figure);
    }
}
