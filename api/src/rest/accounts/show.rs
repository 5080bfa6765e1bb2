//! `GET /v1/admin/accounts/{accountId}`: a registered account.

use crate::{
    http::{
        answer::{Found, Tagged},
        endpoint::Endpoint,
        params::PathParams,
        problem::{Code, Problem},
    },
    rest::{
        access::look::{self, Look},
        context::RequestContext,
        etag,
        state::AppState,
    },
};
use axum::{extract::State, http::Method};

use super::{AccountPath, AccountRow, PATH, find, opened};

pub(in crate::rest) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, PATH, show)
        .named(
            "showAccount",
            "A registered account; for `platform.billing_admin`, `platform.finance` and `platform.admin`",
        )
        .may_refuse(&[Code::NotFound])
        .may_refuse(look::CODES)
}

async fn show(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<AccountPath>,
) -> Result<Tagged<Found<AccountRow>>, Problem> {
    let mut look = Look {
        endpoint: "GET /v1/admin/accounts/{accountId}",
        tenant: None,
        account: Some(path.account_id),
    };
    look::needs_one_of(&shared, &context, look::TO_SETTLE, look).await?;
    let Some(account) = find(&shared.questions, path.account_id).await? else {
        let absent = Problem::new(Code::NotFound);
        return Err(look::refused(&shared, &context, look, absent).await);
    };
    look.tenant = Some(account.tenant);
    look::allowed(&shared, &context, look).await?;
    let etag = etag::of(account.changed_position);
    Ok(Tagged(etag, Found(opened(&shared, account).await?)))
}
