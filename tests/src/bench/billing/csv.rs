//! A million charges of an account as a table, over a kept connection; and as Postgres itself writes
//! them, to one that reads them from there.

use futures::TryStreamExt as _;
use schema::{AccountId, TenantId};
use tokio::time::Instant;

use super::{
    stage::Stage,
    usage::{self, CHARGES},
};
use crate::{bench::measure::per_second, world::Fault};

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Csv {
    /// Rows per second of `COPY`.
    pub(super) floor: u64,
    /// Rows per second of the service.
    pub(super) rows: u64,
    /// How much memory the service took at its peak beside what it had, in MiB.
    pub(super) growth: u64,
}

pub(super) async fn measure(stage: &Stage) -> Result<Csv, Fault> {
    stage.reset().await?;
    let first = stage.agreement.accounts.iter().next();
    let (account, tenant) = first
        .map(|(id, account)| (*id, account.tenant))
        .ok_or("a tariff without accounts")?;
    usage::seed(stage, tenant, account).await?;
    let billing = stage.world.billing(&[]).await?;
    let rest = stage.world.rest(&billing).await?;
    let customer = rest.as_customer(tenant, account);
    // What a page takes is there before; what a table takes is what counts.
    customer.get("/v1/billing/charges").await?.made()?;
    let before = billing.resident_kib().ok_or("no memory is told")?;
    let floor = floor(stage, tenant, account).await?;
    let began = Instant::now();
    let mut lines = 0;
    customer
        .table("/v1/billing/charges", |piece| lines += count(piece))
        .await?;
    let took = began.elapsed();
    let peak = billing.peak_kib().ok_or("no memory is told")?;
    if lines != CHARGES + 1 {
        return Err(format!("{lines} lines, not {CHARGES} and a head").into());
    }
    if !billing.terminate().await? {
        return Err("tollbook billing did not end well".into());
    }
    Ok(Csv {
        floor,
        rows: per_second(CHARGES, took),
        growth: peak.saturating_sub(before).div_ceil(1_024),
    })
}

async fn floor(stage: &Stage, tenant: TenantId, account: AccountId) -> Result<u64, Fault> {
    let database = stage.world.admin().await?;
    let sql = include_str!("csv_floor.sql")
        .replace("{account}", &account.to_string())
        .replace("{tenant}", &tenant.to_string());
    let began = Instant::now();
    let mut rows = Box::pin(database.copy_out(&sql).await?);
    let mut lines = 0;
    while let Some(piece) = rows.try_next().await? {
        lines += count(&piece);
    }
    let took = began.elapsed();
    if lines != CHARGES {
        return Err(format!("{lines} rows, not {CHARGES}").into());
    }
    Ok(per_second(CHARGES, took))
}

/// How many lines end in these bytes.
fn count(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}
