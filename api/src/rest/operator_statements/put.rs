//! `PUT /v1/admin/operator-statements/{statementId}`: takes a carrier's statement and says how it
//! differs from what is recorded.
//!
//! The same file under the same id is answered as the first time; another file is refused.

use std::time::Duration;

use axum::{extract::State, http::Method};
use schema::{Day, OperatorId};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::timeout;
use tracing::Instrument as _;

use super::{
    PATH, StatementPath,
    answer::StatementReport,
    comparing::{self, Brought},
    may_compare, show,
};
use crate::{
    http::{
        answer::Put,
        endpoint::Endpoint,
        params::{Params, PathParams},
        problem::{Code, Problem},
        upload::Upload,
    },
    rest::{context::RequestContext, fields::CurrencyCode, state::AppState, visible},
};

/// How long a statement waits for its turn; meanwhile nothing of it is read.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most days of one statement.
const DAYS_MAX: i32 = 100;

/// What the statement is about.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Query {
    /// Whose statement it is.
    operator_id: OperatorId,
    /// The first day, in UTC.
    from: Day,
    /// The last day; it is included. At most 100 days with the first.
    to: Day,
    /// The currency of its costs.
    currency: CurrencyCode,
}

pub(super) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::PUT, PATH, put)
        .named(
            "putOperatorStatement",
            "Compares a carrier's statement (CSV with the columns operatorMessageId, status, \
             segments and perhaps cost, or date, status, messages, segments and perhaps cost) with \
             what is recorded; needs `billing:admin` or `billing:finance`",
        )
        .may_refuse(&[
            Code::RightMissing,
            Code::PeriodReversed,
            Code::SpanTooLong,
            Code::IdReused,
        ])
        .may_refuse(visible::CODES)
}

async fn put(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<StatementPath>,
    Params(query): Params<Query>,
    upload: Upload,
) -> Result<Put<StatementReport>, Problem> {
    may_compare(&context)?;
    span(query.from, query.to)?;
    let place = timeout(PATIENCE, shared.statements.places.clone().acquire_owned()).await;
    let Ok(Ok(place)) = place else {
        return Err(Problem::new(Code::Contended));
    };
    let brought = Brought {
        statement: path.statement_id,
        operator: query.operator_id,
        from: query.from,
        to: query.to,
        currency: query.currency.0,
    };
    // In a task of its own, which clears up behind itself although the caller has hung up.
    let comparing = async move {
        let compared = comparing::compare(&shared, &context, brought, upload).await;
        drop(place);
        compared
    };
    let compared = tokio::spawn(comparing.in_current_span()).await;
    // Whoever panicked has said where.
    let (statement, new) = compared.map_err(|_| Problem::new(Code::Internal))??;
    let report = show::page(statement, &show::Query::default())?;
    Ok(if new {
        Put::Created(report)
    } else {
        Put::Changed(report)
    })
}

/// Refuses days that are not in order, and too many of them.
fn span(from: Day, to: Day) -> Result<(), Problem> {
    let days = to.0.to_julian_day() - from.0.to_julian_day() + 1;
    match days {
        ..1 => Err(Problem::new(Code::PeriodReversed).at("to")),
        1..=DAYS_MAX => Ok(()),
        _ => Err(Problem::new(Code::SpanTooLong).at("to")),
    }
}
