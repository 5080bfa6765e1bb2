//! A carrier's statement of a million lines, compared with as many charges; and the same file taken and
//! compared by Postgres alone, in one go.

use std::{fmt::Write as _, pin::pin};

use bytes::Bytes;
use futures::SinkExt as _;
use hyper::Method;
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::{end, stage::Stage, usage::CHARGES};
use crate::{
    bench::{
        measure::per_second,
        report::{Bar, Figure, Report},
    },
    world::Fault,
};

/// The carrier of the seed.
const CARRIER: Uuid = Uuid::from_u128(0x57a7e << 64 | 1);
/// Every so many lines say a segment too many.
const INFLATED: u64 = 1_000;

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statement {
    /// Lines per second of Postgres alone.
    pub(super) floor: u64,
    /// Lines per second, from the call to the report.
    pub(super) lines: u64,
    /// How much memory the service took at its peak beside what it had, in MiB.
    pub(super) growth: u64,
}

impl Statement {
    /// Says so.
    pub(super) fn tell(self, report: &mut Report) {
        report.tell("statement_floor_lines_per_s", Figure::whole(self.floor));
        let bars = [Bar::share(5, self.floor)];
        report.held_to("statement_lines_per_s", Figure::whole(self.lines), &bars);
        let growth = Figure::whole(self.growth);
        report.held_to("statement_growth_mib", growth, &[Bar::AtMost(32)]);
    }
}

pub(super) async fn measure(stage: &Stage) -> Result<Statement, Fault> {
    stage.reset().await?;
    seed(stage).await?;
    let file = file()?;
    let billing = stage.world.billing(&[]).await?;
    let admin = stage.world.rest(&billing).await?.as_billing_admin();
    // What a call takes is there before; what a statement takes is what counts.
    admin.get("/v1/admin/operator-statements").await?.made()?;
    let before = billing.resident_kib().ok_or("no memory is told")?;
    let floor = floor(stage, file.clone()).await?;
    let path = format!(
        "/v1/admin/operator-statements/{}?operatorId={CARRIER}&from=2026-03-01&to=2026-03-31\
         &currency=EUR",
        Uuid::from_u128(1)
    );
    // One that was compared before must not slow down the next by what Postgres then thinks of it.
    let earlier = path.replace("0001?", "0002?");
    let beginning = file.slice(..ends_of_lines(&file).nth(1_000).ok_or("too few lines")?);
    let csv = |file| Some(("text/csv", file));
    let sent = admin.send(Method::PUT, &earlier, csv(beginning)).await?;
    sent.made()?;
    let began = Instant::now();
    let answer = admin.send(Method::PUT, &path, csv(file)).await?;
    let took = began.elapsed();
    let peak = billing.peak_kib().ok_or("no memory is told")?;
    check(&answer.made()?)?;
    end(billing).await?;
    Ok(Statement {
        floor,
        lines: per_second(CHARGES, took),
        growth: peak.saturating_sub(before).div_ceil(1_024),
    })
}

/// Where the next line would begin, line by line.
fn ends_of_lines(file: &[u8]) -> impl Iterator<Item = usize> {
    let bytes = file.iter().enumerate();
    bytes.filter_map(|(at, byte)| (*byte == b'\n').then_some(at + 1))
}

async fn seed(stage: &Stage) -> Result<(), Fault> {
    let first = stage.agreement.accounts.iter().next();
    let (account, tenant) = first
        .map(|(id, account)| (*id, account.tenant))
        .ok_or("a tariff without accounts")?;
    let database = stage.world.admin().await?;
    let sql = include_str!("statement_seed.sql");
    database
        .execute(sql, &[&tenant.0, &account.0, &CARRIER])
        .await?;
    // A plan for empty tables is absurd for full ones.
    database.batch_execute("vacuum analyze").await?;
    database.batch_execute("checkpoint").await?;
    Ok(())
}

/// What the carrier sends of the seed: true but for some segments.
fn file() -> Result<Bytes, Fault> {
    let mut file = "operatorMessageId,status,segments,cost\n".to_owned();
    for number in 1..=CHARGES {
        let ours = 1 + number % 3;
        let segments = ours + u64::from(number.is_multiple_of(INFLATED));
        writeln!(file, "op-{number},DELIVRD,{segments},0.0{}", 2 * ours)?;
    }
    Ok(file.into())
}

async fn floor(stage: &Stage, file: Bytes) -> Result<u64, Fault> {
    let database = stage.world.admin().await?;
    let began = Instant::now();
    database
        .batch_execute(include_str!("statement_table.sql"))
        .await?;
    let sink = database
        .copy_in::<_, Bytes>(include_str!("statement_stage.sql"))
        .await?;
    let mut sink = pin!(sink);
    sink.send(file).await?;
    sink.finish().await?;
    database.batch_execute("analyze statement").await?;
    let sql = include_str!("statement_floor.sql");
    let found: i64 = database.query_one(sql, &[&CARRIER]).await?.get(0);
    let took = began.elapsed();
    if u64::try_from(found) != Ok(CHARGES / INFLATED) {
        return Err(format!("Postgres finds {found} differences").into());
    }
    Ok(per_second(CHARGES, took))
}

/// Holds the report to what is known of the seed.
fn check(report: &Value) -> Result<(), Fault> {
    for sums in report["sums"].as_array().ok_or("no sums")? {
        let due = match sums["class"].as_str().ok_or("no class")? {
            "AGREEING" => CHARGES - CHARGES / INFLATED,
            "OTHER_SEGMENTS" => CHARGES / INFLATED,
            _ => 0,
        };
        for side in ["theirs", "ours"] {
            if sums[side]["messages"].as_u64() != Some(due) {
                return Err(format!("{sums}, and not {due} messages").into());
            }
        }
    }
    Ok(())
}
