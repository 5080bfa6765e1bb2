//! `GET /v1/billing/usage`: what an account used, by hour, day or month, and what it costs.
//!
//! Whoever runs the platform also sees what carriers take and what is left; customers do not.

mod answer;

use axum::{extract::State, http::Method};
use eventstore::clock;
use projections::{
    Scope,
    accounts::account_versions,
    charges::usage_summaries::{self, UsageOf},
};
use schema::{AccountId, Currency, Day, OperatorId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    http::{
        answer::Found,
        endpoint::Endpoint,
        params::Params,
        problem::{Code, Problem},
    },
    rest::{
        charges::access::{self, Whose},
        context::RequestContext,
        fault,
        state::AppState,
    },
};
use answer::{Asked, Usage};

const PATH: &str = "/v1/billing/usage";
/// What the log is told of looks at others' usage.
const ENDPOINT: &str = "GET /v1/billing/usage";
/// The most days of one answer.
const DAYS_MAX: i32 = 400;

/// Which usage.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Query {
    /// The first day, in UTC.
    from: Day,
    /// The last day; it is included. At most 400 days with the first.
    to: Day,
    /// How long the periods are that usage is told for.
    #[serde(default)]
    granularity: Granularity,
    /// Only through this carrier.
    operator_id: Option<OperatorId>,
    /// On which account; by default that of the token.
    account_id: Option<AccountId>,
}

/// How long the periods are that usage is told for.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Granularity {
    Hour,
    #[default]
    Day,
    Month,
}

impl From<Granularity> for usage_summaries::Granularity {
    fn from(granularity: Granularity) -> Self {
        match granularity {
            Granularity::Hour => Self::Hour,
            Granularity::Day => Self::Day,
            Granularity::Month => Self::Month,
        }
    }
}

/// The right to read is looked at in [`access`], because a refusal may have to be recorded.
pub(super) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, PATH, show)
        .named("showUsage", "What an account used; needs `billing:read`")
        .may_refuse(&[
            Code::PeriodReversed,
            Code::SpanTooLong,
            Code::Unavailable,
            Code::Contended,
        ])
        .may_refuse(access::CODES)
}

async fn show(
    State(shared): State<AppState>,
    context: RequestContext,
    Params(query): Params<Query>,
) -> Result<Found<Usage>, Problem> {
    span(query.from, query.to)?;
    let whose = access::whose(&shared, &context, query.account_id, ENDPOINT).await?;
    let of = UsageOf {
        tenant: whose.tenant,
        account: whose.account,
        from: query.from.0,
        to: query.to.0,
        granularity: query.granularity.into(),
        operator: query.operator_id,
    };
    let used = usage_summaries::usage(&shared.questions, Scope::Tenant(whose.tenant), of).await;
    let used = used.map_err(fault::unread)?;
    let currency = match used.as_slice() {
        [] => registered(&shared, whose).await?,
        _ => None,
    };
    let asked = Asked {
        account_id: whose.account,
        from: query.from,
        to: query.to,
        granularity: query.granularity,
    };
    let with_cost = context.caller.is_platform();
    Ok(Found(asked.answer(&used, currency, with_cost)))
}

/// Refuses days that are not in order, and too many of them.
fn span(from: Day, to: Day) -> Result<(), Problem> {
    let days = to.0.to_julian_day() - from.0.to_julian_day() + 1;
    if days < 1 {
        Err(Problem::new(Code::PeriodReversed).at("to"))
    } else if days > DAYS_MAX {
        Err(Problem::new(Code::SpanTooLong).at("to"))
    } else {
        Ok(())
    }
}

/// What an account pays in now, which no usage says yet.
async fn registered(shared: &AppState, whose: Whose) -> Result<Option<Currency>, Problem> {
    let now = clock::now();
    let account = account_versions::in_effect(&shared.questions, whose.account, now).await;
    let account = account.map_err(fault::unread)?;
    let account = account.filter(|account| account.tenant == whose.tenant);
    Ok(account.map(|account| account.facts.currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_told_for_up_to_400_days() {
        let day = |text: &str| Day::parse(text).expect("a day");
        let code = |from, to| span(day(from), day(to)).map_err(|problem| problem.code());
        assert_eq!(code("2026-03-01", "2026-03-01"), Ok(()));
        assert_eq!(code("2026-01-01", "2027-02-04"), Ok(()));
        let too_long = Err(Code::SpanTooLong);
        assert_eq!(code("2026-01-01", "2027-02-05"), too_long);
        assert_eq!(code("0000-01-01", "9999-12-31"), too_long);
        let reversed = Err(Code::PeriodReversed);
        assert_eq!(code("2026-03-01", "2026-02-28"), reversed);
    }
}
