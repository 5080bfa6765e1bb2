//! A million charges that cost something else, because what their four carriers take became known:
//! from the first call until every table shows it. And the same rows changed by Postgres alone.

use std::time::Duration;

use hyper::Method;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{
    end,
    stage::Stage,
    usage::{self, CHARGES},
};
use crate::{bench::measure::per_second, world::Fault};

/// The carriers of the seed.
const CARRIERS: u8 = 4;
/// How often it is looked whether it is done.
const LOOK: Duration = Duration::from_millis(100);
/// How long it may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reassess {
    /// Rows per second that Postgres itself changes, with their history.
    pub(super) floor: u64,
    /// Charges per second.
    pub(super) charges: u64,
}

pub(super) async fn measure(stage: &Stage) -> Result<Reassess, Fault> {
    stage.reset().await?;
    let first = stage.agreement.accounts.iter().next();
    let (account, tenant) = first
        .map(|(id, account)| (*id, account.tenant))
        .ok_or("a tariff without accounts")?;
    usage::seed(stage, tenant, account).await?;
    let database = stage.world.admin().await?;
    let began = Instant::now();
    database
        .batch_execute(include_str!("reassess_floor.sql"))
        .await?;
    let floor = per_second(CHARGES, began.elapsed());
    let billing = stage.world.billing(&[]).await?;
    let admin = stage.world.rest(&billing).await?.as_billing_admin();
    let began = Instant::now();
    for carrier in 0..CARRIERS {
        let cost = json!({
            "operatorId": format!("00000000-0000-4000-8000-00000000000{carrier}"),
            "costPerSegment": "0.02", "currency": "EUR",
            "effectiveFrom": "2024-12-01T00:00:00Z",
        });
        let path = "/v1/admin/operator-costs";
        admin.call(Method::POST, path, Some(&cost)).await?.made()?;
    }
    let changed = loop {
        let sql = include_str!("reassess_done.sql");
        let row = database.query_one(sql, &[&i64::from(CARRIERS)]).await?;
        if row.get(0) {
            break row.get::<_, i64>(1);
        }
        if began.elapsed() > PATIENCE {
            return Err("the costs are not assessed again in time".into());
        }
        sleep(LOOK).await;
    };
    let took = began.elapsed();
    if u64::try_from(changed) != Ok(CHARGES) {
        return Err(format!("{changed} charges cost something else, not {CHARGES}").into());
    }
    end(billing).await?;
    Ok(Reassess {
        floor,
        charges: per_second(CHARGES, took),
    })
}
