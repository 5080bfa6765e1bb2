//! `GET /v1/admin/operator-statements/{statementId}`: what comparing a statement showed.

use axum::{extract::State, http::Method};
use projections::operator_statements::operator_statements::{self, ComparedStatement};
use schema::{Position, event::Difference};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{PATH, StatementPath, answer::StatementReport, may_compare};
use crate::{
    http::{
        answer::Found,
        endpoint::Endpoint,
        params::{Params, PathParams},
        problem::{Code, Problem},
    },
    rest::{
        context::RequestContext,
        cursor::{Limit, List},
        fault,
        state::AppState,
    },
};

/// Which of its differences.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Query {
    /// Where the page before ended.
    cursor: Option<String>,
    /// The most differences of a page.
    #[serde(default)]
    limit: Limit,
}

pub(super) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, PATH, show)
        .named(
            "showOperatorStatement",
            "What comparing a statement showed; needs `billing:admin` or `billing:finance`",
        )
        .may_refuse(&[
            Code::RightMissing,
            Code::NotFound,
            Code::InvalidCursor,
            Code::Unavailable,
        ])
}

async fn show(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<StatementPath>,
    Params(query): Params<Query>,
) -> Result<Found<StatementReport>, Problem> {
    may_compare(&context)?;
    let found = operator_statements::find(&shared.questions, path.statement_id).await;
    let statement = found.map_err(fault::unread)?;
    let statement = statement.ok_or(Problem::new(Code::NotFound))?;
    page(statement, &query).map(Found)
}

/// The statement with one page of its differences; a page ends before a place in their order.
pub(super) fn page(
    mut statement: ComparedStatement,
    query: &Query,
) -> Result<StatementReport, Problem> {
    let id = statement.compared.statement_id;
    let list = List::new("operator-statement", &id, query.limit);
    let page = list.page(query.cursor.as_deref())?;
    let differences = std::mem::take(&mut statement.compared.differences);
    let after = page.after.unwrap_or_default();
    let rows: Vec<(Position, Difference)> = (1..)
        .map(Position)
        .zip(differences)
        .skip_while(|(place, _)| *place <= after)
        .take(usize::try_from(page.limit).unwrap_or(usize::MAX))
        .collect();
    let (rows, next) = list.shown(rows, |row| row.0);
    let rows = rows.into_iter().map(|row| row.1).collect();
    Ok(StatementReport::new(statement, rows, next))
}
