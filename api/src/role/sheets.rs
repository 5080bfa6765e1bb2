//! `tollbook prices` and `tollbook costs`: compares a sheet with what is in effect, or applies it, over
//! the REST API with the rights of whoever's token it is.

use schema::{
    SheetId,
    id::derive,
    versioned::{Cost, Price, Sheeted},
};
use serde_json::Value;

use super::{
    RoleError,
    client::{ApiClient, ApiError, plain},
    say,
};
use crate::cli::{SheetCommand, SheetFile, SheetSettings};

/// What a sheet is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Prices.
    Prices,
    /// Costs.
    Costs,
}

impl Kind {
    const fn path(self) -> &'static str {
        match self {
            Self::Prices => "/v1/admin/price-sheets",
            Self::Costs => "/v1/admin/cost-sheets",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Prices => Price::SHEET,
            Self::Costs => Cost::SHEET,
        }
    }
}

/// Does what the command says, and prints what it comes to.
///
/// # Errors
/// The file or the API cannot be used, or lines are refused.
pub async fn run(kind: Kind, settings: &SheetSettings) -> Result<(), RoleError> {
    let api = ApiClient::new(&settings.api)?;
    let (SheetCommand::Diff(sheet) | SheetCommand::Import(sheet)) = &settings.command;
    let id = id(kind, sheet)?;
    let path = format!("{}/{}", kind.path(), id.as_str());
    let dry = format!("{path}?dryRun=true");
    let compared = api.put_file(&dry, "text/csv", &sheet.file).await?;
    show(&compared);
    let refused = count(&compared, "refused");
    if refused > 0 {
        return Err(RoleError::LinesRefused(refused));
    }
    if compared["applied"] == true || matches!(settings.command, SheetCommand::Diff(_)) {
        return Ok(());
    }
    let applied = api.put_file(&path, "text/csv", &sheet.file).await?;
    show(&applied);
    Ok(())
}

/// The sheet's id: as it is given, or one that follows from the file, so that a repeat is one.
fn id(kind: Kind, sheet: &SheetFile) -> Result<SheetId, RoleError> {
    if let Some(id) = &sheet.sheet_id {
        return Ok(id.clone());
    }
    let bytes = std::fs::read(&sheet.file).map_err(|source| ApiError::File {
        path: sheet.file.clone(),
        source,
    })?;
    let id = derive(kind.word(), &[&bytes]).to_string();
    // Unwrap safety: a UUID is a word for a sheet.
    Ok(SheetId::parse(&id).expect("an id"))
}

/// Prints what the API says of a sheet: a line per change and per refusal, and how many there are.
fn show(answer: &Value) {
    for change in answer["changes"].as_array().into_iter().flatten() {
        show_change(change);
    }
    for refused in answer["refusals"].as_array().into_iter().flatten() {
        let line = &refused["line"];
        let (column, detail) = (plain(&refused["column"]), plain(&refused["detail"]));
        say(format_args!("{line:>6}  refused    {column}: {detail}"));
    }
    let [lines, opened, closed, unchanged, refused] =
        ["lines", "opened", "closed", "unchanged", "refused"].map(|name| count(answer, name));
    say(format_args!(
        "{lines} lines: {opened} opened, {closed} closed, {unchanged} unchanged, {refused} refused"
    ));
    if answer["applied"] == true {
        let sheet = plain(&answer["sheetId"]);
        let (by, at) = (plain(&answer["appliedBy"]), plain(&answer["appliedAt"]));
        say(format_args!("applied as {sheet} by {by} at {at}"));
    }
}

/// Prints what a line comes to.
fn show_change(change: &Value) {
    let line = &change["line"];
    let (closed, opened) = (&change["closed"], &change["opened"]);
    if closed.is_null() && opened.is_null() {
        say(format_args!("{line:>6}  unchanged"));
    }
    if !closed.is_null() {
        let (version, to) = (plain(&closed["versionId"]), plain(&closed["effectiveTo"]));
        say(format_args!(
            "{line:>6}  closed     {version}  {:27}  {to}",
            ""
        ));
    }
    if !opened.is_null() {
        let version = plain(&opened["versionId"]);
        let (from, to) = (
            plain(&opened["effectiveFrom"]),
            plain(&opened["effectiveTo"]),
        );
        say(format_args!(
            "{line:>6}  opened     {version}  {from:27}  {to}"
        ));
    }
}

fn count(answer: &Value, name: &str) -> u64 {
    answer[name].as_u64().unwrap_or_default()
}
