//! Questions of usage to an account with a million charges in the range, one after the other over
//! a kept connection.

use schema::{AccountId, TenantId};
use time::{Date, Duration as Days, Month};
use tokio::time::Instant;

use super::stage::Stage;
use crate::{
    bench::measure::quantile,
    world::{Fault, rest::UsageOf},
};

/// How often each question is asked, after some to warm up.
const QUESTIONS: usize = 200;
const WARM_UP: usize = 20;
/// The charges of the account, and over how many days they are spread; see `seed.sql`.
pub(super) const CHARGES: u64 = 1_000_000;
const SPAN: i64 = 400;

/// The granularities and how long a question takes at most in 95 of 100 cases, in microseconds.
pub(super) async fn measure(stage: &Stage) -> Result<Vec<(&'static str, u64)>, Fault> {
    stage.reset().await?;
    let first = stage.agreement.accounts.iter().next();
    let (account, tenant) = first
        .map(|(id, account)| (*id, account.tenant))
        .ok_or("a tariff without accounts")?;
    seed(stage, tenant, account).await?;
    let billing = stage.world.billing(&[]).await?;
    let customer = stage
        .world
        .rest(&billing)
        .await?
        .as_customer(tenant, account);
    let from = Date::from_calendar_date(2025, Month::January, 1)?;
    let mut all = Vec::new();
    for granularity in ["day", "month", "hour"] {
        let of = UsageOf {
            from,
            to: from + Days::days(SPAN - 1),
            granularity,
            account: None,
        };
        let mut micros = Vec::with_capacity(QUESTIONS);
        for question in 0..WARM_UP + QUESTIONS {
            let asked = Instant::now();
            let answer = customer.usage(&of).await?;
            let took = asked.elapsed();
            let totals = answer.made()?["byCurrency"][0]["totals"]["messageCount"].as_u64();
            if totals != Some(CHARGES) {
                return Err(format!("{totals:?} messages by {granularity}, not {CHARGES}").into());
            }
            if question >= WARM_UP {
                micros.push(u64::try_from(took.as_micros())?);
            }
        }
        micros.sort_unstable();
        all.push((granularity, quantile(&micros, 950)));
    }
    if !billing.terminate().await? {
        return Err("tollbook billing did not end well".into());
    }
    Ok(all)
}

/// Writes the charges and their usage straight into the tables.
pub(super) async fn seed(stage: &Stage, tenant: TenantId, account: AccountId) -> Result<(), Fault> {
    let database = stage.world.admin().await?;
    let sql = include_str!("seed.sql");
    database.execute(sql, &[&tenant.0, &account.0]).await?;
    // A plan for empty tables is absurd for full ones.
    database.batch_execute("vacuum analyze").await?;
    database.batch_execute("checkpoint").await?;
    Ok(())
}
