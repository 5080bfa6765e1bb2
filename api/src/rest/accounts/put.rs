//! `PUT /v1/admin/accounts/{accountId}`: registers an account, or says what it is from a time on.
//! The same again changes nothing.

use actors::accounts::decide::{Condition, Refusal};
use axum::{extract::State, http::Method};
use projections::{
    Table as _,
    accounts::{account_versions, accounts::Accounts},
};

use super::{
    AccountPath, PATH,
    body::AccountBody,
    row::{AccountRow, opened},
};
use crate::{
    http::{
        answer::{Put, Tagged},
        body::Body,
        endpoint::Endpoint,
        headers::IfMatch,
        params::PathParams,
        problem::{Code, Problem},
    },
    identity::Right,
    rest::{context::RequestContext, etag, fault, state::AppState, visible},
};

pub(in crate::rest) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::PUT, PATH, put)
        .named("putAccount", "An account as it is to be from a time on")
        .needs(Right::BillingAdmin)
        .may_refuse(&[Code::AccountOfAnotherTenant, Code::WouldReprice])
        .may_refuse(visible::CODES)
}

async fn put(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<AccountPath>,
    condition: IfMatch,
    Body(body): Body<AccountBody>,
) -> Result<Tagged<Put<AccountRow>>, Problem> {
    let details = body.details(path.account_id)?;
    let condition = match condition {
        IfMatch::Any => Condition::Any,
        IfMatch::Exists => Condition::Registered,
        IfMatch::Is(tag) => Condition::ChangedAt(etag::position(tag)),
    };
    let origin = context.origin(&shared, context.fresh).await?;
    let at = details.effective_from.unwrap_or(origin.time);
    let written = shared
        .commands
        .accounts
        .put(origin, details, condition)
        .await;
    let written = written.map_err(|error| fault::undone(error, refused))?;
    visible::shown(&shared, Accounts::NAME, written.position).await?;
    let told = if written.new {
        account_versions::told_at(&shared.reader, written.position).await
    } else {
        account_versions::in_effect(&shared.reader, path.account_id, at).await
    };
    // It is not there only while the table is built anew.
    let version = told.map_err(fault::unread)?;
    let version = version.ok_or(Problem::new(Code::NotYetVisible))?;
    let etag = etag::of(version.changed_position);
    let registered_now = written.new && version.registered_position == written.position;
    let row = opened(&shared, version).await?;
    let answer = if registered_now {
        Put::Created(row)
    } else {
        Put::Changed(row)
    };
    Ok(Tagged(etag, answer))
}

/// What a refusal is called. It does not say whose the account is.
fn refused(refusal: Refusal) -> Problem {
    match refusal {
        // A tenant that is erased and comes back is registered by the command itself.
        Refusal::OfAnotherTenant | Refusal::OfErasedTenant => {
            Problem::new(Code::AccountOfAnotherTenant).at("/tenantId")
        }
        Refusal::Changed { .. } => Problem::new(Code::PreconditionFailed).at("If-Match"),
        // The command itself looks, and asks again.
        Refusal::Unseen(_) => Problem::new(Code::Contended),
        Refusal::WouldReprice => Problem::new(Code::WouldReprice)
            .at("/effectiveFrom")
            .because(
                "messages of that time were charged by another tier or in another currency: begin \
                 later, and give the customer an adjustment for what was charged",
            ),
    }
}
