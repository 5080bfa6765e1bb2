//! `GET /v1/billing/charges/{messageId}`: what a message was charged.

use axum::{extract::State, http::Method};
use projections::charges::billing_events;
use schema::MessageId;
use schemars::JsonSchema;
use serde::Deserialize;

use super::charge::Charge;
use crate::{
    http::{
        answer::Found,
        endpoint::Endpoint,
        params::PathParams,
        problem::{Code, Problem},
    },
    identity::Right,
    rest::{
        access::look::{self, Look},
        context::RequestContext,
        fault,
        state::AppState,
    },
};

const PATH: &str = "/v1/billing/charges/{messageId}";
/// What the log is told of looks at others' charges.
const ENDPOINT: &str = "GET /v1/billing/charges/{messageId}";

/// Which message's.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChargePath {
    /// The message.
    pub(super) message_id: MessageId,
}

/// The right to read is looked at within, because a refusal is recorded.
pub(super) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::GET, PATH, show)
        .named(
            "showCharge",
            "What a message was charged; needs `billing:read`",
        )
        .may_refuse(&[Code::NotFound])
        .may_refuse(look::CODES)
}

/// Whoever sees every account is recorded, whether the message is there or not. Others are asked
/// about their own alone, and learn of no other whether it exists.
async fn show(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<ChargePath>,
) -> Result<Found<Charge>, Problem> {
    let mut look = Look {
        endpoint: ENDPOINT,
        tenant: None,
        account: None,
    };
    look::needs(&shared, &context, Right::BillingRead, look).await?;
    let (caller, message) = (&context.caller, path.message_id);
    let any = caller.may(Right::ReadAnyAccount);
    let (tenant, account) = if any {
        (None, None)
    } else {
        (Some(caller.tenant()), caller.account)
    };
    let found = billing_events::find(&shared.questions, message, tenant, account).await;
    let Some(charge) = found.map_err(fault::unread)? else {
        let absent = Problem::new(Code::NotFound);
        return Err(if any {
            look::refused(&shared, &context, look, absent).await
        } else {
            absent
        });
    };
    let own = charge.tenant == caller.tenant() && caller.account == Some(charge.account);
    if any && !own {
        (look.tenant, look.account) = (Some(charge.tenant), Some(charge.account));
        look::allowed(&shared, &context, look).await?;
    }
    Ok(Found(Charge::shown(&charge, caller.is_platform())))
}
