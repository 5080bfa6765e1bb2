//! `POST /v1/admin/adjustments`: proposes that an account pays more or less.

use axum::{extract::State, http::Method};
use schema::{
    AccountId, AdjustmentAmount, AdjustmentId, MessageId, event::AdjustmentFacts, id::derive,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{ALL, AdjustmentRow, opened, person, reason::Reason, refused, written};
use crate::{
    http::{
        answer::{Created, Located, Tagged},
        body::Body,
        endpoint::Endpoint,
        headers::IdempotencyKey,
        problem::{Code, Problem},
    },
    identity::Right,
    rest::{context::RequestContext, etag, fault, fields::CurrencyCode, state::AppState, visible},
};

/// What the name of an adjustment, and the request that proposes it, are derived with.
const OPERATION: &str = "proposeAdjustment";

/// An adjustment that somebody wants.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewAdjustment {
    /// The account; it must be registered.
    account_id: AccountId,
    /// What it pays more; less, if it is negative.
    amount: AmountText,
    /// In this currency, which the account is registered with or has paid in; about a message, the
    /// currency of its charge.
    currency: CurrencyCode,
    /// Why. Once it is approved, the customer reads it too.
    reason: Reason,
    /// The message that it is about, which must be charged on this account.
    message_id: Option<MessageId>,
}

/// The amount of an adjustment as somebody wrote it.
#[derive(Deserialize)]
#[serde(transparent)]
struct AmountText(String);

impl AmountText {
    fn amount(&self) -> Result<AdjustmentAmount, Problem> {
        self.0.parse::<AdjustmentAmount>().map_err(|error| {
            Problem::new(Code::InvalidField)
                .at("/amount")
                .because(error.to_string())
        })
    }
}

impl JsonSchema for AmountText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        AdjustmentAmount::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        AdjustmentAmount::json_schema(generator)
    }
}

pub(super) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::POST, ALL, propose)
        .named(
            OPERATION,
            "Proposes that an account pays more or less, which another person approves",
        )
        .needs(Right::BillingAdmin)
        .may_refuse(&[
            Code::AccountNotRegistered,
            Code::CurrencyNotOfAccount,
            Code::MessageNotOfAccount,
        ])
        .may_refuse(visible::CODES)
}

async fn propose(
    State(shared): State<AppState>,
    context: RequestContext,
    idempotency: IdempotencyKey,
    Body(new): Body<NewAdjustment>,
) -> Result<Located<Tagged<Created<AdjustmentRow>>>, Problem> {
    let request = context.request(OPERATION, &idempotency);
    // The same request names the same adjustment, and its stream compares what it says.
    let id = AdjustmentId(derive("adjustment", &[request.as_bytes()]));
    let facts = AdjustmentFacts {
        adjustment_id: id,
        account_id: new.account_id,
        amount: new.amount.amount()?,
        currency: new.currency.0,
        message_id: new.message_id,
    };
    let origin = context.origin(&shared, request).await?;
    let adjustments = &shared.commands.adjustments;
    let proposed = adjustments
        .propose(origin, person(&context), facts, new.reason.0)
        .await;
    let proposed = proposed.map_err(|error| fault::undone(error, refused))?;
    let row = written(&shared, id, proposed.position).await?;
    let etag = etag::of(row.changed_position);
    let row = opened(&shared, row).await?;
    Ok(Located(format!("{ALL}/{id}"), Tagged(etag, Created(row))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_schema_of_an_adjustment_accepts_is_taken_and_nothing_else() {
        crate::http::body::keeps_to_its_schema(|new: NewAdjustment| new.amount.amount().is_ok());
    }

    #[test]
    fn an_amount_says_what_is_wrong_with_it_and_not_what_it_is() {
        for wrong in ["0.00", "0.00000077", "7777777777", "77,7", "+77"] {
            let problem = AmountText(wrong.to_owned()).amount().expect_err("refused");
            assert_eq!(problem.code(), Code::InvalidField);
            let told = String::from_utf8(problem.document(uuid::Uuid::nil())).expect("UTF-8");
            assert!(told.contains("/amount") && !told.contains("77"), "{told}");
        }
    }
}
