//! The second half of the demo: what was agreed, what was charged by it, and who sees what.

use std::{collections::BTreeMap, time::Duration};

use schema::{AccountId, Timestamp};
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{
    auditor::Report,
    drive,
    money::Millionths,
    traffic::{
        Agreement, Shape,
        agreement::{Comes, Reckoning, Usage},
    },
    world::{Fault, Rest, World, rest::UsageOf},
};

/// How long held charges may take to resolve once they can.
const PATIENCE: Duration = Duration::from_mins(2);
/// A changed price begins so much later than it is asked for: no call may take longer.
const NOTICE_MICROS: i64 = 2_000_000;

/// What the demo tells of money.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Money {
    /// Messages charged.
    pub(super) charges: u64,
    /// Messages whose charge had to wait.
    pub(super) held: u64,
    /// Of these, charged since.
    pub(super) resolved: u64,
    /// Of these, still waiting, as they must.
    pub(super) still_held: u64,
    /// Settlements that contradict an earlier one.
    pub(super) conflicts: u64,
    /// What was charged, by currency.
    pub(super) usage: BTreeMap<String, Usage>,
    /// What is left of it, by currency.
    pub(super) margin: BTreeMap<String, Millionths>,
    /// What the customer was shown; neither cost nor margin was in it.
    pub(super) customer: Usage,
    /// What could not be seen as it should be, in words.
    pub(super) complaints: Vec<String>,
}

/// Everything agreed before the traffic is sent.
pub(super) async fn agree(rest: &Rest, shape: &Shape) -> Result<Agreement, Fault> {
    let mut agreement = Agreement::draw(shape);
    let ids = drive::agree(rest, &agreement, Comes::First).await?;
    let place = agreement.running().ok_or("no price is open")?;
    let (id, unit) = (
        ids[&place],
        agreement.prices[place].unit + Millionths(1_500),
    );
    let soon = eventstore::clock::now().micros() + NOTICE_MICROS;
    let soon = Timestamp::from_micros(soon).ok_or("the clock is off")?;
    let admin = rest.as_billing_admin();
    admin.change_price(id, unit, soon).await?.made()?;
    agreement.change(place, soon, unit);
    Ok(agreement)
}

/// What is charged and held so far must be as agreed; then what is missing comes, and whatever
/// can be charged now is.
pub(super) async fn complete(
    world: &World,
    rest: &Rest,
    agreement: &Agreement,
    complaints: &mut Vec<String>,
) -> Result<Reckoning, Fault> {
    let database = world.admin().await?;
    let settled = drive::settled(&database).await?;
    let before = agreement.reckon(&settled, Comes::First);
    let shown = rest.as_billing_admin().held_charges().await?.len();
    if shown != before.held() {
        complaints.push(format!(
            "{shown} held charges over REST, {} were due",
            before.held()
        ));
    }
    drive::agree(rest, agreement, Comes::Later).await?;
    let after = agreement.reckon(&settled, Comes::Later);
    let until = Instant::now() + PATIENCE;
    while drive::waiting(&database).await? > after.held() {
        if Instant::now() > until {
            complaints.push("held charges do not resolve".to_owned());
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(after)
}

/// Asks for the usage of the account with the most messages, as its customer and as the platform.
pub(super) async fn ask(
    rest: &Rest,
    agreement: &Agreement,
    due: &Reckoning,
    complaints: &mut Vec<String>,
) -> Result<Usage, Fault> {
    let mut accounts: BTreeMap<AccountId, u64> = BTreeMap::new();
    for ((account, _, _), usage) in &due.usage {
        *accounts.entry(*account).or_default() += usage.messages;
    }
    let busiest = accounts.into_iter().max_by_key(|(_, messages)| *messages);
    let (account, _) = busiest.ok_or("nothing was charged")?;
    let tenant = agreement.accounts[&account].tenant;
    let days: Vec<_> = due.usage.keys().map(|(_, _, day)| *day).collect();
    let (from, to) = (days.iter().min(), days.iter().max());
    let (from, to) = from.zip(to).map(|(a, b)| (*a, *b)).ok_or("no days")?;
    let of = UsageOf {
        from,
        to,
        granularity: "day",
        account: None,
    };
    let sums = due.of_account(account);
    let sum = sums.values().copied().next().unwrap_or_default();
    let customer = rest.as_customer(tenant, account);
    let seen = customer.usage(&of).await?.made()?;
    if names(&seen).any(|name| matches!(name, "totalOperatorCost" | "margin")) {
        complaints.push("a customer sees cost or margin".to_owned());
    }
    let shown = totals(&seen);
    if (shown.messages, shown.segments, shown.price) != (sum.messages, sum.segments, sum.price) {
        complaints.push(format!("the customer sees {shown:?}, {sum:?} was due"));
    }
    let theirs = UsageOf {
        account: Some(account),
        ..of
    };
    let seen = rest.as_platform_admin().usage(&theirs).await?.made()?;
    if totals(&seen) != sum {
        complaints.push(format!(
            "the platform sees {}, {sum:?} was due",
            seen["byCurrency"]
        ));
    }
    let stranger = agreement
        .accounts
        .iter()
        .find(|(_, it)| it.tenant != tenant);
    if let Some((id, other)) = stranger {
        let refused = rest.as_customer(other.tenant, *id).usage(&theirs).await?;
        if refused.status != 403 {
            complaints.push(format!("a stranger is answered {}", refused.status));
        }
    }
    Ok(shown)
}

/// The figures of the summary.
pub(super) fn told(audit: &Report, customer: Usage, mut complaints: Vec<String>) -> Money {
    let counts = &audit.counts;
    // At usage and at one charge's explanation; a stranger's at usage.
    if (counts.looks, counts.looks_refused) != (2, 1) {
        let (looks, refused) = (counts.looks, counts.looks_refused);
        complaints.push(format!(
            "{looks} looks and {refused} refused are recorded, not 2 and 1"
        ));
    }
    let margin = audit.usage.iter();
    let margin = margin.map(|(currency, usage)| (currency.clone(), usage.margin));
    Money {
        charges: counts.charges,
        held: counts.held,
        resolved: counts.resolved,
        still_held: counts.held - counts.resolved,
        conflicts: counts.conflicts,
        usage: audit.usage.clone(),
        margin: margin.collect(),
        customer,
        complaints,
    }
}

/// Every name of every object within.
fn names(value: &Value) -> Box<dyn Iterator<Item = &str> + '_> {
    match value {
        Value::Object(members) => {
            let own = members.keys().map(String::as_str);
            Box::new(own.chain(members.values().flat_map(names)))
        }
        Value::Array(items) => Box::new(items.iter().flat_map(names)),
        _ => Box::new(std::iter::empty()),
    }
}

/// The totals of an answer; what is not shown is zero.
fn totals(answer: &Value) -> Usage {
    let totals = &answer["byCurrency"][0]["totals"];
    let amount = |name: &str| totals[name].as_str().and_then(Millionths::parse);
    let count = |name: &str| totals[name].as_u64().unwrap_or_default();
    Usage {
        messages: count("messageCount"),
        segments: count("segmentCount"),
        price: amount("totalCustomerPrice").unwrap_or_default(),
        cost: amount("totalOperatorCost").unwrap_or_default(),
        margin: amount("margin").unwrap_or_default(),
        cost_missing: count("costMissingCount"),
        margin_unknown: count("marginUnknownCount"),
    }
}
