//! A sheet of ten thousand prices, applied while messages are charged: how long it takes until its
//! prices are shown, and how long charges take meanwhile.

use std::{fmt::Write as _, time::Duration};

use bytes::Bytes;
use hyper::Method;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{
    latency::{self, Latency, WARM_UP},
    stage::Stage,
};
use crate::world::{Fault, Service};

/// As many lines as a sheet may have.
const LINES: u128 = 10_000;

/// What was measured.
pub(super) struct Sheet {
    /// From the call to its answer.
    pub(super) took: Duration,
    /// Of the charges.
    pub(super) latency: Latency,
}

/// Applies a sheet in the middle of a load of `rate` settlements per second.
pub(super) async fn measure(stage: &Stage, rate: u64, seconds: u64) -> Result<Sheet, Fault> {
    let work = async |billing: &Service| {
        let admin = stage.world.rest(billing).await?.as_billing_admin();
        let body = Bytes::from(sheet()?);
        sleep(WARM_UP + Duration::from_secs(seconds / 4)).await;
        // As autovacuum does within a minute: a plan for an empty log is absurd for a full one.
        let database = stage.world.admin().await?;
        database.batch_execute("analyze eventlog.event").await?;
        let began = Instant::now();
        let path = "/v1/admin/price-sheets/bench";
        let answer = admin
            .send(Method::PUT, path, Some(("text/csv", body)))
            .await?;
        let took = began.elapsed();
        let opened = answer.made()?["opened"].as_u64();
        if opened.map(u128::from) != Some(LINES) {
            return Err(format!("{opened:?} prices were opened, not {LINES}").into());
        }
        Ok(took)
    };
    let (latency, took) = latency::measure_beside(stage, rate, seconds, work).await?;
    Ok(Sheet { took, latency })
}

/// Prices of carriers that nobody has.
fn sheet() -> Result<String, Fault> {
    let mut sheet =
        "accountTier;operatorId;currency;pricingModel;unitPrice;effectiveFrom\n".to_owned();
    for number in 0..LINES {
        let operator = Uuid::from_u128(0x5_4ee7 << 64 | number);
        writeln!(sheet, "GROWTH;{operator};EUR;PER_SEGMENT;0.045;2027-01-01")?;
    }
    Ok(sheet)
}
