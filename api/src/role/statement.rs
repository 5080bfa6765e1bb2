//! `tollbook statement diff`: sends a carrier's statement to the API and shows how it differs from what
//! is recorded.

use std::path::Path;

use ring::digest::{Context, SHA256};
use schema::{OperatorId, StatementId, id::derive};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use super::{
    RoleError,
    client::{ApiClient, ApiError, plain},
    say,
};
use crate::cli::{StatementCommand, StatementDiff, StatementSettings};

const PATH: &str = "/v1/admin/operator-statements";

/// Does it, and prints the report.
///
/// # Errors
/// The file or the API cannot be used, or the API refuses the file.
pub async fn run(settings: &StatementSettings) -> Result<(), RoleError> {
    let StatementCommand::Diff(diff) = &settings.command;
    let api = ApiClient::new(&settings.api)?;
    let id = match diff.statement_id {
        Some(id) => id,
        None => derived(diff).await?,
    };
    let OperatorId(operator) = diff.operator_id;
    let StatementDiff {
        from, to, currency, ..
    } = diff;
    let path = format!(
        "{PATH}/{id}?operatorId={operator}&from={from}&to={to}&currency={}",
        currency.as_str()
    );
    let report = api.put_file(&path, "text/csv", &diff.file).await?;
    show(&report);
    let mut cursor = None;
    loop {
        let after = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let page = api.get(&format!("{PATH}/{id}?limit=50{after}")).await?;
        let differences = page["differences"].as_array();
        differences.into_iter().flatten().for_each(show_difference);
        cursor = page["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return Ok(());
        }
    }
}

/// The same for the same file and the same words, so that asking twice compares once.
async fn derived(diff: &StatementDiff) -> Result<StatementId, ApiError> {
    let digest = digest(&diff.file).await.map_err(|source| ApiError::File {
        path: diff.file.clone(),
        source,
    })?;
    let about = format!("{}{}{}", diff.from, diff.to, diff.currency.as_str());
    let parts = [
        digest.as_slice(),
        diff.operator_id.0.as_bytes(),
        about.as_bytes(),
    ];
    Ok(StatementId(derive("operator-statement-file", &parts)))
}

async fn digest(path: &Path) -> Result<Vec<u8>, std::io::Error> {
    let mut file = tokio::fs::File::open(path).await?;
    let (mut digest, mut piece) = (Context::new(&SHA256), vec![0; 256 * 1024]);
    loop {
        match file.read(&mut piece).await? {
            0 => return Ok(digest.finish().as_ref().to_vec()),
            read => digest.update(&piece[..read]),
        }
    }
}

/// The sums of each class, and what can be done about those that hold something.
fn show(report: &Value) {
    say(format_args!(
        "statement {} of carrier {}, {} to {}, {} lines",
        plain(&report["statementId"]),
        plain(&report["operatorId"]),
        plain(&report["from"]),
        plain(&report["to"]),
        report["lines"],
    ));
    let sums = report["sums"].as_array();
    for class in sums.into_iter().flatten() {
        say(format_args!(
            "{:15} theirs {}; ours {}",
            plain(&class["class"]),
            side(&class["theirs"]),
            side(&class["ours"]),
        ));
        let holds = |side: &Value| side["messages"] != 0;
        if class["class"] != "AGREEING" && (holds(&class["theirs"]) || holds(&class["ours"])) {
            say(format_args!("{:15} {}", "", plain(&class["advice"])));
        }
    }
}

fn side(side: &Value) -> String {
    let costs = side["costs"].as_array().into_iter().flatten();
    let costs = costs.map(|sum| format!(", {} {}", plain(&sum["amount"]), plain(&sum["currency"])));
    format!(
        "{} messages, {} segments{}",
        side["messages"],
        side["segments"],
        costs.collect::<String>()
    )
}

fn show_difference(difference: &Value) {
    let about = [
        &difference["operatorMessageId"],
        &difference["messageId"],
        &difference["day"],
    ];
    let about: Vec<_> = about
        .into_iter()
        .filter(|one| !one.is_null())
        .map(plain)
        .collect();
    let told = |figures: &Value| match figures {
        Value::Null => "nothing".to_owned(),
        figures => format!("{} {}", plain(&figures["status"]), side(figures)),
    };
    let line = difference["line"].as_u64();
    say(format_args!(
        "{} line {} {}: theirs {}; ours {}",
        plain(&difference["class"]),
        line.map_or_else(|| "-".to_owned(), |line| line.to_string()),
        about.join(" "),
        told(&difference["theirs"]),
        told(&difference["ours"]),
    ));
}
