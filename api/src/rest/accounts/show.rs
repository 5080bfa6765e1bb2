//! `GET /v1/admin/accounts/{accountId}`: a registered account.

use axum::{extract::State, http::Method};

use super::{AccountPath, AccountRow, PATH, find, opened};
use crate::{
    http::{
        answer::{Found, Versioned},
        endpoint::Endpoint,
        params::PathParams,
        problem::{Code, Problem},
    },
    identity::Right,
    rest::{state::Shared, versions},
};

pub(in crate::rest) fn endpoint() -> Endpoint<Shared> {
    Endpoint::new(Method::GET, PATH, show)
        .named("showAccount", "A registered account")
        .needs(Right::BillingAdmin)
        .may_refuse(&[Code::NotFound, Code::Unavailable])
}

async fn show(
    State(shared): State<Shared>,
    PathParams(path): PathParams<AccountPath>,
) -> Result<Versioned<Found<AccountRow>>, Problem> {
    let account = find(&shared.questions, path.account_id).await?;
    let account = account.ok_or(Problem::new(Code::NotFound))?;
    let etag = versions::etag(account.changed_position);
    Ok(Versioned(etag, Found(opened(&shared, account).await?)))
}
