//! `./dev bench dlr`: receipts per second, processor time, memory and latency.
//!
//! One run, the same servers, the same traffic (the real mix, but with every row of the
//! orchestrator there in time and without receipts of nothing, because both wait on purpose).
//! The contenders take turns, so that whatever else the machine does hits all of them. Bars of rates
//! are shares of the floor and of the ordinary way: what was measured on two cores that others kept
//! busy too, less a tenth or so.

pub(super) mod contenders;
pub(super) mod floor;
mod latency;
mod per_receipt;
pub(super) mod stage;

use tokio::time::Instant;

use self::{
    contenders::Contender,
    latency::Latency,
    stage::{Run, Stage},
};
use super::{
    cpu,
    measure::{median, per_second},
    report::{Bar, Figure, Report},
    step,
    watcher::Percentiles,
};
use crate::world::{Fault, WorldOptions};

/// The loads of the latency part, in receipts per second.
const LOADS: [u64; 2] = [500, 5_000];

/// What `./dev bench dlr` can be told.
#[derive(Debug, Clone, clap::Args)]
pub struct DlrArgs {
    /// About how many receipts each contender gets
    #[arg(long, default_value_t = 200_000,
          value_parser = clap::value_parser!(u64).range(1_000..=5_000_000))]
    receipts: u64,
    /// How many receipts the ordinary way gets, which would take long with all of them
    #[arg(long, default_value_t = 20_000)]
    per_receipt: usize,
    /// How often each contender runs; the medians are told
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=99))]
    rounds: u8,
    /// How long each load of the latency part lasts, in seconds
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
    PerReceipt,
    Ingest,
    Whole,
    Latency,
}

/// All runs of a contender.
struct Runs {
    contender: Contender,
    runs: Vec<Run>,
}

/// Runs it.
pub(super) async fn run(args: DlrArgs) -> Result<(), Fault> {
    let began = Instant::now();
    let wants = |part| args.only.is_empty() || args.only.contains(&part);
    step(began, "starting the servers, making the traffic");
    let stage = Stage::set(WorldOptions::plain(), args.receipts, args.seed).await?;
    let contenders = Contender::ALL
        .into_iter()
        .filter(|contender| wants(part(*contender)));
    let mut all: Vec<Runs> = contenders
        .map(|contender| Runs {
            contender,
            runs: Vec::new(),
        })
        .collect();
    let mut peak_kib = 0;
    for round in 1..=args.rounds {
        for Runs { contender, runs } in &mut all {
            let receipts = match contender {
                Contender::PerReceipt => args.per_receipt.min(stage.inbound.len()),
                _ => stage.inbound.len(),
            };
            let (run, peak) = Box::pin(contenders::run(&stage, *contender, receipts)).await?;
            let rate = per_second(run.receipts, run.took);
            let (of, name, load) = (args.rounds, contender.key(), cpu::load());
            step(
                began,
                &format!("round {round} of {of}: {name} {rate}/s (load of the machine {load})"),
            );
            peak_kib = peak_kib.max(peak.unwrap_or_default());
            runs.push(run);
        }
    }
    let mut latencies = Vec::new();
    for rate in LOADS.into_iter().filter(|_| wants(Part::Latency)) {
        let seconds = args.seconds;
        step(
            began,
            &format!("latency at {rate}/s, {seconds} s after the warm-up"),
        );
        let latency = Box::pin(latency::measure(&stage, rate, seconds)).await?;
        peak_kib = peak_kib.max(latency.peak_kib);
        latencies.push((rate, latency));
    }
    stage.world.stop().await?;
    report(&all, &latencies, peak_kib).print(
        "bench dlr: medians; JetStream's default sync, Postgres with fsync",
        args.json,
    )
}

fn part(contender: Contender) -> Part {
    match contender {
        Contender::Floor => Part::Floor,
        Contender::PerReceipt => Part::PerReceipt,
        Contender::Ingest => Part::Ingest,
        Contender::Whole => Part::Whole,
    }
}

fn report(all: &[Runs], latencies: &[(u64, Latency)], peak_kib: u64) -> Report {
    let mut report = Report::default();
    let rate_of = |contender| {
        let runs = all.iter().find(|runs| runs.contender == contender);
        runs.map_or(0, Runs::rate)
    };
    for runs in all {
        let bars = match runs.contender {
            Contender::Floor | Contender::PerReceipt => vec![],
            Contender::Ingest => vec![Bar::share(70, rate_of(Contender::Floor))],
            Contender::Whole => vec![
                Bar::share(33, rate_of(Contender::Floor)),
                Bar::share(320, rate_of(Contender::PerReceipt)),
            ],
        };
        let rate = Figure::whole(runs.rate());
        report.held_to(format!("{}_per_s", runs.contender.key()), rate, &bars);
    }
    for (rate, latency) in latencies {
        tell_latency(&mut report, *rate, latency);
    }
    if peak_kib > 0 {
        let peak = Figure::whole(peak_kib.div_ceil(1_024));
        report.held_to("service_peak_mib", peak, &[Bar::AtMost(300)]);
    }
    for runs in all {
        runs.tell_cpu(&mut report);
    }
    for (rate, latency) in latencies {
        for (process, millis) in cpu_per_100k(&latency.run) {
            let key = format!("load_{rate}_{process}_cpu_s_per_100k");
            report.tell(key, Figure::thousandths(millis));
        }
    }
    report
}

fn tell_latency(report: &mut Report, rate: u64, latency: &Latency) {
    let bars = |what, rate| match (what, rate) {
        ("commit", 500) => vec![Bar::AtMost(30)],
        ("commit", 5_000) => vec![Bar::AtMost(100)],
        ("visible", 5_000) => vec![Bar::AtMost(300)],
        _ => vec![],
    };
    for (what, percentiles) in [("commit", latency.commit), ("visible", latency.visible)] {
        let Percentiles { p50, p99, p999 } = percentiles;
        report.tell(format!("{what}_p50_ms_{rate}"), Figure::thousandths(p50));
        let key = format!("{what}_p99_ms_{rate}");
        report.held_to(key, Figure::thousandths(p99), &bars(what, rate));
        report.tell(format!("{what}_p999_ms_{rate}"), Figure::thousandths(p999));
    }
    let latest = u64::try_from(latency.latest.as_micros()).unwrap_or(u64::MAX);
    report.tell(
        format!("publisher_late_max_ms_{rate}"),
        Figure::thousandths(latest),
    );
}

impl Runs {
    /// The median of receipts per second.
    fn rate(&self) -> u64 {
        let rates = self
            .runs
            .iter()
            .map(|run| per_second(run.receipts, run.took));
        median(&rates.collect::<Vec<_>>())
    }

    /// Processor seconds per 100 000 receipts, process by process and together. What runs in the
    /// bench's own process is told as the bench's.
    fn tell_cpu(&self, report: &mut Report) {
        let name = self.contender.key();
        let together = self
            .runs
            .iter()
            .map(|run| cpu_per_100k(run).map(|(_, millis)| millis).sum());
        let together = Figure::thousandths(median(&together.collect::<Vec<_>>()));
        report.tell(format!("{name}_cpu_s_per_100k"), together);
        let names = self.runs.first().into_iter().flat_map(|run| run.cpu.keys());
        for name in names {
            let of_run = |run: &Run| cpu_per_100k(run).find(|(process, _)| process == name);
            let millis = self
                .runs
                .iter()
                .filter_map(of_run)
                .map(|(_, millis)| millis);
            let figure = Figure::thousandths(median(&millis.collect::<Vec<_>>()));
            if (self.contender, *name) == (Contender::Whole, "service") {
                report.tell("service_cpu_s_per_100k", figure);
            } else {
                let key = format!("{}_{name}_cpu_s_per_100k", self.contender.key());
                report.tell(key, figure);
            }
        }
    }
}

/// Milliseconds per 100 000 receipts of each process.
fn cpu_per_100k(run: &Run) -> impl Iterator<Item = (&'static str, u64)> {
    let receipts = run.receipts.max(1);
    let each = run.cpu.iter();
    each.map(move |(name, millis)| (*name, millis * 100_000 / receipts))
}
