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
    rest::{
        errand::Errand,
        look::{self, Look},
        state::Shared,
        versions,
    },
};

pub(in crate::rest) fn endpoint() -> Endpoint<Shared> {
    Endpoint::new(Method::GET, PATH, show)
        .named("showAccount", "A registered account; needs `billing:admin`")
        .may_refuse(&[Code::NotFound])
        .may_refuse(look::CODES)
}

async fn show(
    State(shared): State<Shared>,
    errand: Errand,
    PathParams(path): PathParams<AccountPath>,
) -> Result<Versioned<Found<AccountRow>>, Problem> {
    let mut look = Look {
        endpoint: "GET /v1/admin/accounts/{accountId}",
        tenant: None,
        account: Some(path.account_id),
    };
    look::needs(&shared, &errand, Right::BillingAdmin, look).await?;
    let Some(account) = find(&shared.questions, path.account_id).await? else {
        let absent = Problem::new(Code::NotFound);
        return Err(look::refused(&shared, &errand, look, absent).await);
    };
    look.tenant = Some(account.tenant);
    look::allowed(&shared, &errand, look).await?;
    let etag = versions::etag(account.changed_position);
    Ok(Versioned(etag, Found(opened(&shared, account).await?)))
}
