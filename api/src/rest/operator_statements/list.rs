//! `GET /v1/admin/operator-statements`: the statements that were compared.

use axum::{extract::State, http::Method};
use projections::operator_statements::operator_statements;
use schema::OperatorId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ALL, answer::StatementRow, may_compare};
use crate::{
    http::{
        answer::Found,
        endpoint::Endpoint,
        params::Params,
        problem::{Code, Problem},
    },
    rest::{
        context::RequestContext,
        cursor::{Limit, List},
        fault,
        state::AppState,
    },
};

/// Which of them.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Query {
    /// Only this carrier's.
    operator_id: Option<OperatorId>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// The most statements of a page.
    #[serde(default)]
    limit: Limit,
}

/// Statements, in the order in which they were compared.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OperatorStatements {
    /// One page of them.
    data: Vec<StatementRow>,
    /// For the next page; null if this is the last.
    next_cursor: Option<String>,
}

pub(super) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, ALL, list)
        .named(
            "listOperatorStatements",
            "Carriers' statements that were compared; needs `billing:admin` or `billing:finance`",
        )
        .may_refuse(&[Code::RightMissing, Code::InvalidCursor, Code::Unavailable])
}

async fn list(
    State(shared): State<AppState>,
    context: RequestContext,
    Params(query): Params<Query>,
) -> Result<Found<OperatorStatements>, Problem> {
    may_compare(&context)?;
    let list = List::new("operator-statements", &query.operator_id, query.limit);
    let page = list.page(query.cursor.as_deref())?;
    let rows = operator_statements::list(&shared.questions, query.operator_id, page).await;
    let rows = rows.map_err(fault::unread)?;
    let (rows, next_cursor) = list.shown(rows, |row| row.position);
    Ok(Found(OperatorStatements {
        data: rows.into_iter().map(StatementRow::from).collect(),
        next_cursor,
    }))
}
