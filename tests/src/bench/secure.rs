//! `./dev bench secure`: what TLS and sealing cost.
//!
//! Two worlds stand side by side, with the same Postgres (Debian's 15, which can speak TLS) and the
//! same traffic. In the secured one, NATS knows everybody by their certificate and every connection
//! to it and to Postgres is encrypted; in the plain one, none is. Who is measured runs in one and then
//! in the other, round after round and first now here, now there, so that whatever else the machine
//! does hits both; medians are compared. Their floors, bare loops, run in both as well.
//!
//! Sealing has no switch, so its cost is reckoned: the time to seal what the receipts of this
//! very traffic carry, on one thread with nothing else to do, is taken off the time that a receipt
//! takes in the plain world, as if nothing else could be done meanwhile. That is more than it can
//! cost. `dlr_secured_over_plain` compares with that plain rate without sealing, so it holds TLS and
//! sealing together; `dlr_tls_over_plain` holds TLS alone. A charge seals nothing.

mod sealing;

use std::time::Duration;

use tokio::time::Instant;

use super::{
    billing::{self, stage::Stage as BillingStage},
    cpu,
    dlr::{
        contenders::{self, Contender},
        stage::Stage as DlrStage,
    },
    measure::{median, per_second},
    report::{Bar, Figure, Report},
    step,
};
use crate::{
    stack::{NatsOptions, PgOptions, PgVersion},
    world::{Fault, WorldOptions},
};

/// What secured must reach of plain, in hundredths.
const SHARE: u64 = 85;

/// What `./dev bench secure` can be told.
#[derive(Debug, Clone, clap::Args)]
pub struct SecureArgs {
    /// About how many receipts or charges each run has
    #[arg(long, default_value_t = 200_000,
          value_parser = clap::value_parser!(u64).range(1_000..=5_000_000))]
    messages: u64,
    /// How often each runs in each world; the medians are told
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=99))]
    rounds: u8,
    /// The same seed makes the same traffic
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object as the last line
    #[arg(long)]
    json: bool,
}

/// In which world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    Secured,
}

impl Way {
    const ALL: [Self; 2] = [Self::Plain, Self::Secured];

    fn options(self) -> WorldOptions {
        let (settings, nats) = match self {
            Self::Plain => (PgOptions::without_tls(), NatsOptions::plain()),
            Self::Secured => (PgOptions::default(), NatsOptions::default()),
        };
        WorldOptions {
            postgres: PgVersion::V15,
            settings,
            nats,
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Secured => "secured",
        }
    }

    /// Both, in the order of this round.
    fn in_round(round: u8) -> [Self; 2] {
        let [one, other] = Self::ALL;
        if round % 2 == 1 {
            [one, other]
        } else {
            [other, one]
        }
    }
}

/// Rates of everything, by name and world.
#[derive(Default)]
struct Rates(Vec<(&'static str, Way, u64)>);

impl Rates {
    fn keep(&mut self, began: Instant, round: u8, (name, way): (&'static str, Way), rate: u64) {
        let (world, load) = (way.key(), cpu::load());
        let words = format!("round {round}: {name} {world} {rate}/s (load of the machine {load})");
        step(began, &words);
        self.0.push((name, way, rate));
    }

    /// The median, per second.
    fn of(&self, name: &str, way: Way) -> u64 {
        let these = self.0.iter().filter(|rate| (rate.0, rate.1) == (name, way));
        median(&these.map(|rate| rate.2).collect::<Vec<_>>())
    }

    /// Tells both medians of `name`.
    fn tell(&self, name: &str, report: &mut Report) {
        for way in Way::ALL {
            let key = format!("{name}_{}_per_s", way.key());
            report.tell(key, Figure::whole(self.of(name, way)));
        }
    }
}

/// The names that rates are told under.
const DLR_FLOOR: &str = "dlr_floor";
const DLR: &str = "dlr";
const DLR_WHOLE: &str = "dlr_whole";
const BILLING_FLOOR: &str = "billing_floor";
const BILLING: &str = "billing";

/// Runs it.
pub(super) async fn run(args: SecureArgs) -> Result<(), Fault> {
    let began = Instant::now();
    if !PgVersion::V15.available() {
        return Err("Postgres with TLS is needed: apt-get install postgresql-15".into());
    }
    let mut rates = Rates::default();
    let sealing = Box::pin(receipts(&args, began, &mut rates)).await?;
    Box::pin(charges(&args, began, &mut rates)).await?;
    report(&rates, sealing).print(
        "bench secure: medians; JetStream's default sync, Postgres 15 with fsync",
        args.json,
    )
}

/// Measures receipts in both worlds; says how long sealing takes for each.
async fn receipts(args: &SecureArgs, began: Instant, rates: &mut Rates) -> Result<Duration, Fault> {
    step(began, "starting two worlds, making the receipts");
    let set = async |way: Way| DlrStage::set(way.options(), args.messages, args.seed).await;
    let stages = [
        Box::pin(set(Way::Plain)).await?,
        Box::pin(set(Way::Secured)).await?,
    ];
    for round in 1..=args.rounds {
        for (name, contender) in [
            (DLR_FLOOR, Contender::Floor),
            (DLR, Contender::Ingest),
            (DLR_WHOLE, Contender::Whole),
        ] {
            for way in Way::in_round(round) {
                let stage = &stages[way as usize];
                let all = stage.inbound.len();
                let (run, _) = Box::pin(contenders::run(stage, contender, all)).await?;
                rates.keep(
                    began,
                    round,
                    (name, way),
                    per_second(run.receipts, run.took),
                );
            }
        }
    }
    step(began, "sealing alone");
    let sealing = sealing::per_receipt(&stages[0].inbound)?;
    for stage in stages {
        stage.world.stop().await?;
    }
    Ok(sealing)
}

/// Measures charges in both worlds.
async fn charges(args: &SecureArgs, began: Instant, rates: &mut Rates) -> Result<(), Fault> {
    step(began, "starting two worlds, agreeing on prices");
    let set = async |way: Way| BillingStage::set(way.options(), args.messages, args.seed).await;
    let stages = [
        Box::pin(set(Way::Plain)).await?,
        Box::pin(set(Way::Secured)).await?,
    ];
    for round in 1..=args.rounds {
        for way in Way::in_round(round) {
            let run = Box::pin(billing::bare_ingest(&stages[way as usize])).await?;
            let rate = per_second(run.count, run.visible);
            rates.keep(began, round, (BILLING_FLOOR, way), rate);
        }
        for way in Way::in_round(round) {
            let (run, _) = Box::pin(billing::ingest(&stages[way as usize])).await?;
            let rate = per_second(run.count, run.visible);
            rates.keep(began, round, (BILLING, way), rate);
        }
    }
    for stage in stages {
        stage.world.stop().await?;
    }
    Ok(())
}

fn report(rates: &Rates, sealing: Duration) -> Report {
    let mut report = Report::default();
    let bar = [Bar::share(SHARE, 1)];
    rates.tell(DLR_FLOOR, &mut report);
    rates.tell(DLR, &mut report);
    let nanos = u64::try_from(sealing.as_nanos()).unwrap_or(u64::MAX);
    report.tell("sealing_us_per_receipt", Figure::thousandths(nanos));
    let (plain, secured) = (rates.of(DLR, Way::Plain), rates.of(DLR, Way::Secured));
    let unsealed = without(plain, nanos);
    report.tell("dlr_plain_unsealed_per_s", Figure::whole(unsealed));
    report.held_to("dlr_secured_over_plain", over(secured, unsealed), &bar);
    report.tell("dlr_tls_over_plain", over(secured, plain));
    rates.tell(DLR_WHOLE, &mut report);
    let (plain, secured) = (
        rates.of(DLR_WHOLE, Way::Plain),
        rates.of(DLR_WHOLE, Way::Secured),
    );
    let whole = over(secured, without(plain, nanos));
    report.held_to("dlr_whole_secured_over_plain", whole, &bar);
    rates.tell(BILLING_FLOOR, &mut report);
    rates.tell(BILLING, &mut report);
    let (plain, secured) = (
        rates.of(BILLING, Way::Plain),
        rates.of(BILLING, Way::Secured),
    );
    report.held_to("billing_secured_over_plain", over(secured, plain), &bar);
    report
}

/// The rate that `rate` would be if each took `nanos` less.
fn without(rate: u64, nanos: u64) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    let each = SECOND / rate.max(1);
    SECOND / each.saturating_sub(nanos).max(1)
}

/// One rate as a share of another; 0 of nothing.
fn over(one: u64, other: u64) -> Figure {
    Figure::thousandths((one * 1_000).checked_div(other).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sealing_takes_is_taken_off_the_time_of_each() {
        // 100 µs each, of which sealing is 20: 80 are left.
        assert_eq!(without(10_000, 20_000), 12_500);
        assert_eq!(without(10_000, 0), 10_000);
        assert_eq!(over(10_000, 12_500), Figure::thousandths(800));
        assert_eq!(over(7, 0), Figure::thousandths(0));
    }

    #[test]
    fn each_world_is_first_in_every_other_round() {
        let first = |round| Way::in_round(round)[0];
        assert_eq!(
            [first(1), first(2), first(3)],
            [Way::Plain, Way::Secured, Way::Plain]
        );
    }
}
