//! The last part of the demo: what a finance team does in a month. Every figure is looked at from
//! outside, and the auditor recomputes it from the log.

use bytes::Bytes;
use hyper::Method;
use schema::{AccountId, TenantId, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use std::{fmt::Write as _, time::Duration};
use tokio_postgres::Client;

use super::statement;
use crate::{
    drive,
    money::Millionths,
    traffic::Agreement,
    world::{
        Fault, Rest, World,
        rest::{PLATFORM, RestClient},
    },
};

const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// How long costs may take to be assessed again.
const PATIENCE: Duration = Duration::from_mins(2);

/// What finance did, and what came of it.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Finance {
    /// Lines of the sheet of prices that a dry run refused, and where.
    pub(super) sheet_refused: Vec<String>,
    /// Prices that the corrected sheet opened.
    pub(super) sheet_opened: u64,
    /// Charges that cost something else since a cost was corrected.
    pub(super) reassessed: i64,
    /// What was left of that carrier's charges before, and after.
    pub(super) margin: [Millionths; 2],
    /// What one of these charges rests on: each event, by position.
    pub(super) explained: Vec<String>,
    /// How many messages a carrier's statement says otherwise, by class.
    pub(super) statement_differs: Vec<String>,
    /// What two people took off an account's bill.
    pub(super) adjusted: Option<Millionths>,
}

/// One thing after the other; what is not as it should be is said in `complaints`.
pub(super) async fn month(
    world: &World,
    rest: &Rest,
    agreement: &Agreement,
    complaints: &mut Vec<String>,
) -> Result<Finance, Fault> {
    let mut finance = Finance::default();
    let database = world.admin().await?;
    sheet(rest, agreement, &mut finance, complaints).await?;
    correction(world, rest, &database, &mut finance, complaints).await?;
    adjustment(rest, &database, &mut finance, complaints).await?;
    explanation(rest, &database, &mut finance, complaints).await?;
    finance.statement_differs = statement::compare(world, rest, &database, complaints).await?;
    Ok(finance)
}

/// A sheet of prices with one line that has too many decimals: the dry run says where, and what is
/// right is applied as a whole.
async fn sheet(
    rest: &Rest,
    agreement: &Agreement,
    finance: &mut Finance,
    complaints: &mut Vec<String>,
) -> Result<(), Fault> {
    let operator = agreement.prices.first().ok_or("no price")?.operator;
    let lines = |unit: &str| -> Result<Bytes, Fault> {
        let mut sheet =
            "accountTier;operatorId;currency;pricingModel;unitPrice;effectiveFrom\n".to_owned();
        for (tier, unit) in [("STARTER", "0.061"), ("GROWTH", unit), ("CUSTOM", "0.052")] {
            writeln!(
                sheet,
                "{tier};{operator};CHF;PER_SEGMENT;{unit};2030-01-01T00:00:00Z"
            )?;
        }
        Ok(Bytes::from(sheet))
    };
    let admin = rest.as_billing_admin();
    let path = "/v1/admin/price-sheets/demo";
    let dry = format!("{path}?dryRun=true");
    let wrong = Some(("text/csv", lines("0.055000001")?));
    let answer = admin.send(Method::PUT, &dry, wrong).await?;
    let refusals = answer.body["refusals"].as_array().cloned();
    for refusal in refusals.unwrap_or_default() {
        let column = refusal["column"].as_str().unwrap_or("no column");
        let place = format!("line {}, {column}", refusal["line"]);
        finance.sheet_refused.push(place);
    }
    if finance.sheet_refused.len() != 1 {
        complaints.push(format!(
            "a wrong line of a sheet is told as {}",
            answer.text
        ));
    }
    let right = Some(("text/csv", lines("0.055")?));
    let applied = admin.send(Method::PUT, path, right).await?.made()?;
    finance.sheet_opened = applied["opened"].as_u64().unwrap_or_default();
    if finance.sheet_opened != 3 {
        complaints.push(format!(
            "a sheet of three prices opened {}",
            applied["opened"]
        ));
    }
    Ok(())
}

/// What a carrier takes is corrected for the time gone by.
async fn correction(
    world: &World,
    rest: &Rest,
    database: &Client,
    finance: &mut Finance,
    complaints: &mut Vec<String>,
) -> Result<(), Fault> {
    let row = database
        .query_one(include_str!("costliest.sql"), &[])
        .await?;
    let (id, charges): (uuid::Uuid, i64) = (row.get(0), row.get(1));
    let path = format!("/v1/admin/operator-costs/{id}");
    let admin = rest.as_billing_admin();
    let cost = admin.get(&path).await?.made()?;
    let per_segment = cost["costPerSegment"].as_str().and_then(Millionths::parse);
    let dearer = per_segment.ok_or("no cost")? + Millionths(1_000);
    finance.margin[0] = margin(rest, database, &cost, complaints).await?;
    let change = json!({
        "costPerSegment": dearer.to_string(), "effectiveFrom": cost["effectiveFrom"],
    });
    admin
        .call(Method::PATCH, &path, Some(&change))
        .await?
        .made()?;
    drive::rest_with_billing(world, PATIENCE).await?;
    finance.margin[1] = margin(rest, database, &cost, complaints).await?;
    let sql = include_str!("reassessed.sql");
    finance.reassessed = database.query_one(sql, &[]).await?.get(0);
    if finance.reassessed != charges || finance.margin[1] >= finance.margin[0] {
        complaints.push(format!(
            "{charges} charges of a carrier cost more, {} were assessed again, and what is left \
             went from {} to {}",
            finance.reassessed, finance.margin[0], finance.margin[1]
        ));
    }
    Ok(())
}

/// What is left of the charges of this cost's carrier: what finance is told, in all currencies, is what
/// the charges say.
async fn margin(
    rest: &Rest,
    database: &Client,
    cost: &Value,
    complaints: &mut Vec<String>,
) -> Result<Millionths, Fault> {
    let operator: uuid::Uuid = serde_json::from_value(cost["operatorId"].clone())?;
    let sql = include_str!("margin_of_carrier.sql");
    let row = database.query_one(sql, &[&operator]).await?;
    let of_charges = Millionths::parse(row.get(0)).ok_or("no amount")?;
    let day = |offset: i64| -> Result<String, Fault> {
        let micros = eventstore::clock::now().micros() + offset * DAY_MICROS;
        let at = Timestamp::from_micros(micros).ok_or("no time")?;
        Ok(at.to_string()[..10].to_owned())
    };
    let path = format!(
        "/v1/admin/margins?groupBy=operator&from={}&to={}",
        day(-300)?,
        day(1)?
    );
    let finance = rest.as_role("platform.finance", PLATFORM, None);
    let mut summed = Millionths(0);
    let mut page = finance.get(&path).await?.made()?;
    loop {
        let groups = page["data"].as_array().ok_or("no groups")?;
        for group in groups.iter().filter(|it| it["group"] == cost["operatorId"]) {
            let amount = group["margin"].as_str().and_then(Millionths::parse);
            summed += amount.ok_or("no margin")?;
        }
        let Some(cursor) = page["nextCursor"].as_str() else {
            break;
        };
        page = finance
            .get(&format!("{path}&cursor={cursor}"))
            .await?
            .made()?;
    }
    if summed != of_charges {
        complaints.push(format!(
            "finance is told that {summed} is left of a carrier's charges, not {of_charges}"
        ));
    }
    Ok(summed)
}

/// One of the charges that cost something else now is explained: whose version of the account and of the
/// price it was charged by, what the carrier took and takes, and what it was found to cost afterwards.
async fn explanation(
    rest: &Rest,
    database: &Client,
    finance: &mut Finance,
    complaints: &mut Vec<String>,
) -> Result<(), Fault> {
    let row = database
        .query_one(include_str!("explained.sql"), &[])
        .await?;
    let (message, events): (uuid::Uuid, i64) = (row.get(0), row.get(1));
    let path = format!("/v1/billing/charges/{message}/explanation");
    let told = rest.as_billing_admin().get(&path).await?.made()?;
    let mut kinds = Vec::new();
    for event in told["events"].as_array().ok_or("no events")? {
        let kind = event["eventType"].as_str().ok_or("no type")?;
        kinds.push(kind);
        let position = &event["position"];
        finance.explained.push(format!("{position} {kind}"));
    }
    let rests_on = [
        "PriceOpened",
        "CostOpened",
        "MessageCharged",
        "CostsAssessed",
    ];
    let explained = rests_on.iter().all(|kind| kinds.contains(kind));
    let assessed = kinds.iter().filter(|kind| **kind == "CostsAssessed");
    if !explained || i64::try_from(assessed.count())? != events {
        complaints.push(format!("message {message} is explained by {kinds:?}"));
    }
    Ok(())
}

/// One person proposes to take something off a bill, and another approves it.
async fn adjustment(
    rest: &Rest,
    database: &Client,
    finance: &mut Finance,
    complaints: &mut Vec<String>,
) -> Result<(), Fault> {
    let row = database.query_one(include_str!("someone.sql"), &[]).await?;
    let (tenant, account) = (TenantId(row.get(0)), AccountId(row.get(1)));
    let (message, currency): (uuid::Uuid, &str) = (row.get(2), row.get(3));
    let off = Millionths(-10_000);
    let body = json!({
        "accountId": account, "amount": off.to_string(), "currency": currency,
        "reason": "the message came twice", "messageId": message,
    });
    let people = |name: &str, role: &str| rest.named(name, role, PLATFORM, None);
    let proposer = people("ines", "platform.billing_admin");
    let path = "/v1/admin/adjustments";
    let made = proposer
        .call(Method::POST, path, Some(&body))
        .await?
        .made()?;
    let id = made["adjustmentId"].as_str().ok_or("no id")?;
    let approve = format!("{path}/{id}/approve");
    let approved = async |caller: RestClient| caller.call(Method::POST, &approve, None).await;
    let own = approved(people("ines", "platform.finance")).await?;
    if own.status != 403 {
        complaints.push(format!(
            "who proposes an adjustment approves it: {}",
            own.status
        ));
    }
    approved(people("omar", "platform.finance")).await?.made()?;
    let customer = rest.as_customer(tenant, account);
    let seen = customer.get("/v1/billing/adjustments").await?.made()?;
    let amount = seen["data"][0]["amount"]
        .as_str()
        .and_then(Millionths::parse);
    finance.adjusted = amount;
    if amount != Some(off) {
        complaints.push(format!(
            "the customer sees the adjustments {}",
            seen["data"]
        ));
    }
    Ok(())
}
