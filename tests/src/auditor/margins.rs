//! Adds up every charge by what finance may ask for, and compares it with what finance is told
//! (`GET /v1/admin/margins`).
//!
//! What is due comes from the log alone. Of the services it takes the two questions as they are
//! asked, for they are what is judged; it never takes a sum that they keep.

use std::collections::BTreeSet;

use time::Date;
use tokio_postgres::{Client, Row, types::ToSql};

use super::{
    Invariant,
    billing_tables::tenant_of,
    charge_checks::Charges,
    facts::{Body, Log, LogEvent},
    load::{LOG_ID, Result, each},
    rows::Rows,
};
use crate::{money::Millionths, traffic::agreement::Usage};

const BY_BUCKET: &str = include_str!("../../../projections/src/charges/margins/by_bucket.sql");
const BY_TIER: &str = include_str!("../../../projections/src/charges/margins/by_tier.sql");

/// By what charges are added up; by currency besides, always.
const TIER: &str = "tier";
const GROUPINGS: [&str; 5] = ["operator", "account", "tenant", TIER, "currency"];

/// A question: by what, the first day and the first day after.
pub(super) type Question = (&'static str, Date, Date);

/// What was asked, the group and its currency.
pub(super) type Group = (Question, String, String);

/// The margins that finance must be told.
pub(super) struct Margins {
    pub(super) groups: Rows<Group, Usage>,
    days: Vec<(Date, Date)>,
}

impl Margins {
    /// What must be told of all days, and of one day from the midst of those with charges.
    pub(super) fn due(log: &Log, known: &Charges<'_>) -> Self {
        let mut groups: Rows<Group, Usage> = Rows::new(Invariant::MarginsMatchLog, "margins");
        let days = days(log);
        for event in &log.events {
            for (group, charge) in told(log, known, event, &days) {
                let (sum, _) = groups.due.entry(group).or_default();
                sum.absorb(charge);
            }
        }
        Self { groups, days }
    }

    /// What there is to ask.
    pub(super) fn questions(&self) -> Vec<Question> {
        let of = |&(from, end): &(Date, Date)| GROUPINGS.map(|by| (by, from, end));
        self.days.iter().flat_map(of).collect()
    }
}

/// All days; and, because bounds may be wrong, the middle one of those with charges.
fn days(log: &Log) -> Vec<(Date, Date)> {
    let charged = log.events.iter().filter_map(|event| match &event.body {
        Body::Charged(charged) => Some(charged.rated_at.date()),
        _ => None,
    });
    let charged: BTreeSet<Date> = charged.collect();
    let middle = charged.iter().nth(charged.len() / 2);
    let alone = middle.and_then(|day| Some((*day, day.next_day()?)));
    let always = [1970, 2200].map(|year| Date::from_ordinal_date(year, 1).ok());
    let always = always[0].zip(always[1]);
    always.into_iter().chain(alone).collect()
}

/// The groups that a charge belongs to, and itself as a sum of one.
fn told(
    log: &Log,
    known: &Charges<'_>,
    event: &LogEvent,
    days: &[(Date, Date)],
) -> Vec<(Group, Usage)> {
    let Body::Charged(charged) = &event.body else {
        return Vec::new();
    };
    let last = known.by_message.get(&charged.settlement.message_id);
    let last = last.and_then(|charge| charge.assessed);
    let costs = last.map_or(&charged.assessment, |(last, _)| last);
    let mut alone = Usage::default();
    alone.add(
        charged.settlement.segment_count,
        charged.customer_price,
        costs.converted_cost,
        costs.cost.is_none(),
    );
    let currency = charged.currency.to_string();
    let group = |by| match by {
        "operator" => charged.settlement.operator_id.to_string(),
        "account" => event.account.unwrap_or_default().to_string(),
        "tenant" => tenant_of(log, event).to_string(),
        TIER => charged.account_tier.to_string(),
        _ => currency.clone(),
    };
    let day = charged.rated_at.date();
    let within = days
        .iter()
        .filter(|(from, end)| (*from..*end).contains(&day));
    let told = within.flat_map(|(from, end)| {
        GROUPINGS.map(|by| (((by, *from, *end), group(by), currency.clone()), alone))
    });
    told.collect()
}

/// Hands over every group that finance is told of.
pub(super) async fn load(
    client: &Client,
    question: Question,
    mut see: impl FnMut(Group, Usage),
) -> Result<()> {
    let (by, from, end) = question;
    let (first, after) = (from.midnight().assume_utc(), end.midnight().assume_utc());
    let by_tier: &[&(dyn ToSql + Sync)] =
        &[&LOG_ID, &first, &after, &"", &"", &i64::MAX, &from, &end];
    let by_bucket: &[&(dyn ToSql + Sync)] = &[&LOG_ID, &from, &end, &by, &"", &"", &i64::MAX];
    let (sql, parameters) = match by {
        TIER => (BY_TIER, by_tier),
        _ => (BY_BUCKET, by_bucket),
    };
    each(client, "the margins", sql, parameters, |row| {
        see((question, row.try_get(0)?, row.try_get(1)?), sum(row)?);
        Ok(())
    })
    .await
}

fn sum(row: &Row) -> std::result::Result<Usage, tokio_postgres::Error> {
    // A negative count is as wrong as one that nobody can have.
    let count = |column| Ok(u64::try_from(row.try_get::<_, i64>(column)?).unwrap_or(u64::MAX));
    let amount = |column| Ok(Millionths(row.try_get::<_, i64>(column)?.into()));
    Ok(Usage {
        messages: count(2)?,
        segments: count(3)?,
        price: amount(4)?,
        cost: amount(5)?,
        margin: amount(6)?,
        cost_missing: count(7)?,
        margin_unknown: count(8)?,
    })
}
