//! Carriers' own statements, compared with what is recorded (SECURITY-MODEL B15).
//!
//! A comparison changes no charge, no price and no cost. It says what differs and what can be done
//! about it; whether that is done, people decide.

mod advice;
mod answer;
mod columns;
mod comparing;
mod list;
mod put;
mod show;

use schema::StatementId;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{context::RequestContext, state::AppState};
use crate::{
    http::{
        endpoint::Endpoint,
        problem::{Code, Problem},
    },
    identity::Right,
};

/// Where a statement is.
const PATH: &str = "/v1/admin/operator-statements/{statementId}";
/// Where all of them are.
const ALL: &str = "/v1/admin/operator-statements";

/// All of them.
pub(super) fn endpoints() -> Vec<Endpoint<AppState>> {
    vec![list::endpoint(), show::endpoint(), put::endpoint()]
}

/// Where one statement is.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct StatementPath {
    /// The statement; whoever brings it chooses the id.
    statement_id: StatementId,
}

/// Whoever keeps costs compares statements, and whoever settles with carriers; nobody else.
fn may_compare(context: &RequestContext) -> Result<(), Problem> {
    let rights = [Right::BillingAdmin, Right::Finance];
    if rights.iter().any(|right| context.caller.may(*right)) {
        return Ok(());
    }
    let [one, other] = rights;
    let needs = format!("needs {one} or {other}");
    Err(Problem::new(Code::RightMissing).because(needs))
}
