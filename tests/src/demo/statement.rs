//! A carrier's statement as the carrier would send it, with three differences planted in it.

use std::{fmt::Write as _, path::Path};

use bytes::Bytes;
use hyper::Method;
use serde_json::Value;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::world::{Fault, Rest, World};

/// The name that the demo gives to it.
const STATEMENT: Uuid = Uuid::from_u128(0x0c0f_fee0_0000_4000_8000_0000_0000_0049);

/// What was planted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    /// Lines of the file, the header not counted.
    pub lines: usize,
    /// An id whose segments are inflated by one.
    pub inflated: String,
    /// A message that the carrier left out.
    pub left_out: Uuid,
    /// An id that nobody knows.
    pub invented: String,
}

/// Writes a statement of everything settled through `operator` to `path`: true but for one message with a
/// segment too many, one left out, and one that never was.
///
/// # Errors
/// The database cannot be read, fewer than three messages were charged, or the file cannot be written.
pub async fn plant(database: &Client, operator: Uuid, path: &Path) -> Result<Planted, Fault> {
    let rows = database
        .query(include_str!("statement.sql"), &[&operator])
        .await?;
    let [first, second, _, ..] = rows.as_slice() else {
        return Err("fewer than three messages went through the carrier".into());
    };
    let planted = Planted {
        lines: rows.len(),
        inflated: first.get(1),
        left_out: second.get(0),
        invented: "never-sent-1".to_owned(),
    };
    let mut file = "operatorMessageId,status,segments,cost\n".to_owned();
    for row in &rows {
        let (message, id): (Uuid, &str) = (row.get(0), row.get(1));
        let (status, mut segments, cost): (&str, i16, &str) = (row.get(2), row.get(3), row.get(4));
        if message == planted.left_out {
            continue;
        }
        segments += i16::from(id == planted.inflated);
        writeln!(file, "{id},{status},{segments},{cost}")?;
    }
    writeln!(file, "{},DELIVERED,1,", planted.invented)?;
    std::fs::write(path, file)?;
    Ok(planted)
}

/// A carrier's statement with three differences planted in it is compared; says by class how many messages
/// differ, and complains if it is not these three.
pub(super) async fn compare(
    world: &World,
    rest: &Rest,
    database: &Client,
    complaints: &mut Vec<String>,
) -> Result<Vec<String>, Fault> {
    let row = database
        .query_one(include_str!("statement_of.sql"), &[])
        .await?;
    let operator: Uuid = row.get(0);
    let (currency, from, to): (&str, &str, &str) = (row.get(1), row.get(2), row.get(3));
    let file = world.path("statement.csv");
    let planted = plant(database, operator, &file).await?;
    let path = format!(
        "/v1/admin/operator-statements/{STATEMENT}?operatorId={operator}&from={from}&to={to}\
         &currency={currency}"
    );
    let csv = Some(("text/csv", Bytes::from(std::fs::read(&file)?)));
    let sent = rest
        .as_billing_admin()
        .send(Method::PUT, &path, csv)
        .await?;
    let report = sent.made()?;
    let messages = |side: &Value| side["messages"].as_i64().unwrap_or_default();
    let mut differing = Vec::new();
    for sums in report["sums"].as_array().ok_or("no sums")? {
        let (theirs, ours) = (messages(&sums["theirs"]), messages(&sums["ours"]));
        if sums["class"] != "AGREEING" && theirs.max(ours) > 0 {
            let class = sums["class"].as_str().ok_or("no class")?;
            differing.push(format!("{class} {}", theirs.max(ours)));
        }
    }
    differing.sort();
    if differing != ["ONLY_OURS 1", "ONLY_THEIRS 1", "OTHER_SEGMENTS 1"] {
        complaints.push(format!(
            "{planted:?} is found as {differing:?}: {}",
            report["differences"]
        ));
    }
    Ok(differing)
}
