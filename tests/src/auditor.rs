//! The auditor: compares log, projections and published messages with what was sent.
//!
//! It is independent. It shares no code with what decides or shows: it reads by plain SQL and a
//! consumer of its own, and derives the truth by simpler arithmetic. It reads at rest, when all
//! that was sent has been worked off; it never waits and never changes anything.
//!
//! Loading ([`load`], [`streams`]) and judging ([`judge`]) are apart, so that every
//! invariant can be tested with a handful of made-up facts.

mod account_tables;
mod adjustment_facts;
mod adjustments;
mod agreed_checks;
mod billing_events;
mod billing_facts;
mod billing_tables;
mod book;
mod charge_checks;
mod conflict_rows;
mod facts;
mod findings;
mod invariant;
mod judge;
mod load;
mod load_billing;
mod log_checks;
mod margins;
mod orphan_checks;
mod private;
mod published_checks;
mod receipt_checks;
mod rows;
mod sheet_checks;
mod statement_checks;
mod statement_facts;
mod statement_rows;
mod streams;
mod table_checks;
#[cfg(test)]
mod tests;
mod told;

use std::collections::BTreeMap;

use async_nats::jetstream;
use serde::Serialize;
use tokio_postgres::Client;

pub use self::{
    findings::{Fault, Finding},
    invariant::Invariant,
};
use self::{judge::Judge, published_checks::Subject};
use crate::traffic::{Expected, agreement::Usage};

/// Where the auditor reads.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// A connection that sees every row: a superuser's.
    pub database: &'a Client,
    /// NATS as the user `observer`; `None` leaves what was published unread.
    pub jetstream: Option<&'a jetstream::Context>,
    /// The projections that must have a checkpoint.
    pub projections: &'a [&'a str],
    /// Whether billing is at work: then everything that is settled must be charged or wait.
    pub billing: bool,
}

/// What the auditor saw, whether right or wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Events in the log.
    pub events: u64,
    /// Of these, receipts in streams of messages.
    pub receipts: u64,
    /// Of these, settlements.
    pub settled: u64,
    /// Of these, receipts after the settlement.
    pub late: u64,
    /// Events that a receipt became an orphan.
    pub orphaned: u64,
    /// Events that an orphan found its message.
    pub healed: u64,
    /// Rows of `dlr.delivery_receipts`.
    pub receipt_rows: u64,
    /// Rows of `dlr.orphaned_receipts`.
    pub orphan_rows: u64,
    /// Rows of `orch.sms_messages`.
    pub messages: u64,
    /// Messages on `billing.events`.
    pub billed: u64,
    /// Messages on `webhook.dispatch`.
    pub webhooks: u64,
    /// Messages on `sms.dlr.unmatched`.
    pub unmatched: u64,
    /// Events that a message was charged.
    pub charges: u64,
    /// Messages whose charge had to wait.
    pub held: u64,
    /// Of these, charged since.
    pub resolved: u64,
    /// Events that a message was settled again with other content.
    pub conflicts: u64,
    /// Charges that cost more than they bring.
    pub losses: u64,
    /// Charges through carriers without a known cost.
    pub costs_missing: u64,
    /// Versions of prices that were opened.
    pub prices: u64,
    /// Versions of costs that were opened.
    pub costs: u64,
    /// Looks at one account of others.
    pub looks: u64,
    /// Calls that were refused to look.
    pub looks_refused: u64,
    /// Rows of `billing.billing_events`.
    pub charge_rows: u64,
    /// Rows of `billing.usage_summaries`.
    pub usage_rows: u64,
}

/// The auditor's report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The first few findings of every kind, in words.
    pub findings: Vec<Finding>,
    /// What there was.
    pub counts: Counts,
    /// What was charged, by currency.
    pub usage: BTreeMap<String, Usage>,
    /// How many things are missing.
    pub lost: u64,
    /// How many things are there too often.
    pub doubled: u64,
    /// How many things are not as they should be.
    pub wrong: u64,
}

impl Report {
    /// Whether nothing was found.
    #[must_use]
    pub const fn balanced(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.wrong == 0
    }
}

/// The auditor could not read. What it would have found is not known.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// Reading from the database.
    #[error("reading {what} from the database")]
    Database {
        /// Which facts.
        what: &'static str,
        /// What the database says.
        source: tokio_postgres::Error,
    },
    /// Reading a stream.
    #[error("reading the stream {stream}")]
    Stream {
        /// Which one.
        stream: &'static str,
        /// What NATS says.
        source: async_nats::Error,
    },
    /// A stream that does not hand over what it says it has.
    #[error("the stream {stream} stops at {reached}, though it goes to {last}")]
    Silent {
        /// Which one.
        stream: &'static str,
        /// The last sequence read.
        reached: u64,
        /// Its last sequence.
        last: u64,
    },
}

/// Compares everything with `expected`. Takes some seconds and some hundred bytes per event.
///
/// # Errors
/// A source cannot be read.
pub async fn audit(sources: &Sources<'_>, expected: &Expected) -> Result<Report, AuditError> {
    let database = sources.database;
    let log = load::log(database).await?;
    let mut judge = Judge::new(&log, expected, sources.projections, sources.billing);
    load::receipts(database, |row| judge.receipt_row(&row)).await?;
    load::orphans(database, |row| judge.orphan_row(&row)).await?;
    load::resolutions(database, |row| judge.resolution_row(&row)).await?;
    load::statuses(database, |row| judge.status_row(&row)).await?;
    billing(database, &mut judge).await?;
    judge.end_of_rows();
    judge.went_back(&load::went_back(database).await?);
    judge.leaks(&load::leaks(database).await?);
    if let Some(jetstream) = sources.jetstream {
        for subject in Subject::ALL {
            let mut published = judge.published(subject);
            streams::read(jetstream, subject.stream(), |message| {
                published.message(&message);
            })
            .await?;
            published.end();
        }
    }
    Ok(judge.into_report())
}

async fn billing(database: &Client, judge: &mut Judge<'_>) -> Result<(), AuditError> {
    load_billing::charges(database, |row| judge.charge_row(&row)).await?;
    load_billing::held(database, |row| judge.held_row(&row)).await?;
    conflict_rows::load(database, |row| judge.conflict_row(&row)).await?;
    load_billing::hours(database, |bucket, usage| judge.hour(bucket, usage)).await?;
    load_billing::days(database, |bucket, usage| judge.day(bucket, usage)).await?;
    load_billing::prices(database, |row| judge.price_row(&row)).await?;
    load_billing::costs(database, |row| judge.cost_row(&row)).await?;
    load_billing::accounts(database, |row| judge.account_row(&row)).await?;
    load_billing::account_versions(database, |row| judge.account_version_row(&row)).await?;
    load_billing::accesses(database, |row| judge.access_row(&row)).await?;
    adjustments::rows(database, |row| judge.adjustment_row(&row)).await?;
    statement_rows::rows(database, |row| judge.statement_row(&row)).await?;
    for question in judge.questions() {
        margins::load(database, question, |group, sum| judge.margin(group, sum)).await?;
    }
    Ok(())
}
