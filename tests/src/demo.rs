//! `./dev demo`: the main job on realistic traffic, and whether the books balance.
//!
//! Receipts come in, messages are settled, charged by prices that were set over REST, and summed
//! into usage; what has no price waits until it has one.

mod finance;
mod money;
pub mod statement;

use std::{
    io::{IsTerminal as _, Write},
    time::Duration,
};

use serde::Serialize;
use tokio::time::Instant;
use tokio_postgres::Client;

use crate::{
    auditor::Report,
    demo::{finance::Finance, money::Money},
    drive::{self, Progress},
    traffic::{Counts, Shape},
    world::{Fault, World, WorldOptions},
};

/// What `./dev demo` can be told.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArgs {
    /// How many messages the orchestrator sends; about 1.25 receipts come for each
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    messages: u64,
    /// The same seed makes the same traffic
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Receipts per second; as fast as it goes if not said
    #[arg(long)]
    rate: Option<u64>,
    /// How many processes of each service share the work
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8))]
    processes: u8,
    /// Print one JSON object instead of the summary
    #[arg(long)]
    json: bool,
}

/// What is printed at the end.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    /// Whether the auditor found nothing.
    balanced: bool,
    /// What was sent.
    sent: Counts,
    /// Receipts refused by validation.
    refused: u64,
    /// What was charged, and what waits.
    #[serde(flatten)]
    money: Money,
    /// What finance did with it.
    finance: Finance,
    /// What the auditor saw and found.
    audit: Report,
    /// From the first receipt's arrival to the last commit, before late rows came.
    receipts_per_s: u64,
    /// Median time from a receipt's arrival to its commit, in milliseconds.
    commit_p50_ms: i64,
    /// The 99th percentile of the same.
    commit_p99_ms: i64,
    /// How long all of it took, set-up included, in milliseconds.
    took_ms: u64,
}

struct Steps {
    began: Instant,
    loud: bool,
}

impl Progress for Steps {
    fn step(&self, words: &str) {
        if self.loud {
            let seconds = self.began.elapsed().as_secs();
            let _ = writeln!(std::io::stderr(), "  {seconds:>3} s  {words}");
        }
    }
}

/// Runs the demo; `false` if the books do not balance.
///
/// # Errors
/// A server or the service does not do its part.
pub async fn demo(args: DemoArgs) -> Result<bool, Fault> {
    let began = Instant::now();
    let steps = Steps {
        began,
        loud: !args.json || std::io::stderr().is_terminal(),
    };
    steps.step("starting Postgres and NATS, migrating, provisioning");
    let world = World::start(WorldOptions::default()).await?;
    let (mut receipts, mut billing) = (Vec::new(), Vec::new());
    for _ in 0..args.processes {
        receipts.push(world.service(&[]).await?);
        billing.push(world.billing(&[]).await?);
    }
    let rest = world.rest(&billing[0]).await?;
    steps.step("services ready; registering accounts, setting prices and costs over REST");
    let shape = Shape::new(args.seed, args.messages, eventstore::clock::now());
    let agreement = money::agree(&rest, &shape).await?;
    let (prices, accounts) = (agreement.prices.len(), agreement.accounts.len());
    steps.step(&format!(
        "{accounts} accounts, {prices} versions of prices; sending"
    ));
    let mut expected = drive::send(&world, &shape, args.rate, &steps).await?;
    steps.step("everything sent; waiting until orphans are healed and projections are at the head");
    drive::rest_with_billing(&world, Duration::from_mins(5)).await?;
    steps.step("everything is charged or held; opening the missing prices and accounts");
    let mut complaints = Vec::new();
    let due = money::complete(&world, &rest, &agreement, &mut complaints).await?;
    steps.step("asking for usage as a customer, as the platform, as a stranger");
    drive::rest_with_billing(&world, Duration::from_mins(5)).await?;
    let customer = money::ask(&rest, &agreement, &due, &mut complaints).await?;
    steps.step("a month of finance: a sheet of prices, a late cost, an adjustment by two people, a charge explained, a carrier's statement");
    let finance = finance::month(&world, &rest, &agreement, &mut complaints).await?;
    drive::rest_with_billing(&world, Duration::from_mins(5)).await?;
    steps.step("auditing log, tables and published messages");
    expected.agreement = Some(agreement);
    let audit = world.audit_with_billing(&expected).await?;
    let money = money::told(&audit, customer, complaints);
    let database = world.admin().await?;
    let summary = summary(&database, audit, (money, finance), expected.counts, began).await?;
    for service in receipts.into_iter().chain(billing) {
        if !service.terminate().await? {
            return Err("a service did not end well".into());
        }
    }
    world.stop().await?;
    print(&summary, args.json)?;
    Ok(summary.balanced)
}

async fn summary(
    database: &Client,
    audit: Report,
    (money, finance): (Money, Finance),
    sent: Counts,
    began: Instant,
) -> Result<Summary, Fault> {
    let row = database
        .query_one(include_str!("demo/pace.sql"), &[])
        .await?;
    Ok(Summary {
        balanced: audit.balanced() && money.complaints.is_empty(),
        refused: sent.refused(),
        sent,
        money,
        finance,
        audit,
        receipts_per_s: u64::try_from(row.get::<_, i64>(0))?,
        commit_p50_ms: row.get(1),
        commit_p99_ms: row.get(2),
        took_ms: u64::try_from(began.elapsed().as_millis())?,
    })
}

fn print(summary: &Summary, json: bool) -> Result<(), Fault> {
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(summary)?)?;
        return Ok(());
    }
    let Summary {
        sent, audit, money, ..
    } = summary;
    let counts = &audit.counts;
    writeln!(out, "\nTollbook demo\n")?;
    let rows = [
        ("receipts sent", sent.sent),
        ("  refused as invalid", summary.refused),
        (
            "  repeats, no effect",
            sent.exact_repeats + sent.other_repeats,
        ),
        ("receipts recorded", counts.receipts),
        ("  messages settled", counts.settled),
        ("  late, changed nothing", counts.late),
        ("orphans recorded", counts.orphaned),
        ("  healed", counts.healed),
        ("rows in delivery_receipts", counts.receipt_rows),
        ("published billing.events", counts.billed),
        ("published webhook.dispatch", counts.webhooks),
        ("published sms.dlr.unmatched", counts.unmatched),
        ("messages charged", money.charges),
        ("  at a loss", counts.losses),
        ("charges held", money.held),
        ("  resolved", money.resolved),
        ("  still waiting, as they must", money.still_held),
        ("conflicts", money.conflicts),
        ("receipts per second", summary.receipts_per_s),
    ];
    for (name, number) in rows {
        writeln!(out, "  {name:<28} {number:>10}")?;
    }
    print_usage(&mut out, money)?;
    print_finance(&mut out, &summary.finance)?;
    let (p50, p99) = (summary.commit_p50_ms, summary.commit_p99_ms);
    writeln!(
        out,
        "  {:<28} {p50:>7} / {p99} ms",
        "arrival to commit, p50 / p99"
    )?;
    writeln!(
        out,
        "\n  lost {}, doubled {}, wrong {}",
        audit.lost, audit.doubled, audit.wrong
    )?;
    for finding in &audit.findings {
        writeln!(
            out,
            "    {} {:?}: {}",
            finding.invariant.id(),
            finding.fault,
            finding.what
        )?;
    }
    for complaint in &money.complaints {
        writeln!(out, "    {complaint}")?;
    }
    let verdict = if summary.balanced {
        "the books balance"
    } else {
        "THE BOOKS DO NOT BALANCE"
    };
    writeln!(out, "  {verdict}")?;
    Ok(())
}

fn print_usage(out: &mut impl Write, money: &Money) -> Result<(), Fault> {
    for (currency, usage) in &money.usage {
        let (price, cost, margin) = (usage.price, usage.cost, usage.margin);
        let name = format!("{currency} price, cost, margin");
        writeln!(out, "  {name:<28} {price:>10} {cost:>14} {margin:>14}")?;
    }
    Ok(())
}

fn print_finance(out: &mut impl Write, finance: &Finance) -> Result<(), Fault> {
    let refused = finance.sheet_refused.join("; ");
    writeln!(out, "  {:<28} {refused}", "dry run of a sheet refused")?;
    writeln!(
        out,
        "  {:<28} {:>10}",
        "  prices opened, put right", finance.sheet_opened
    )?;
    let [before, after] = finance.margin;
    writeln!(
        out,
        "  {:<28} {:>10}",
        "charges a late cost changed", finance.reassessed
    )?;
    writeln!(
        out,
        "  {:<28} {before:>10} {after:>14}",
        "  margin before, after"
    )?;
    writeln!(out, "  one of them rests on")?;
    for event in &finance.explained {
        writeln!(out, "    {event}")?;
    }
    let differs = finance.statement_differs.join("; ");
    writeln!(out, "  {:<28} {differs}", "a carrier's statement differs")?;
    let adjusted = finance.adjusted.unwrap_or_default();
    writeln!(out, "  {:<28} {adjusted:>10}", "adjusted by two people")?;
    Ok(())
}
