//! `PUT /v1/admin/accounts/{accountId}`: registers an account or changes it. The same again changes
//! nothing.

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
    rest::{context::RequestContext, etag, fault, fields::CurrencyCode, state::AppState, visible},
};
use std::borrow::Cow;

use actors::{
    accounts::commands::AccountDetails,
    accounts::decide::{Condition, Refusal},
};
use axum::{extract::State, http::Method};
use projections::{Table as _, accounts::accounts::Accounts};
use schema::{AccountTier, Personal, TenantId, event::AccountFacts};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{AccountPath, AccountRow, PATH, find, opened};

/// What an account is to be.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AccountBody {
    /// Whose it is.
    tenant_id: TenantId,
    /// What it has subscribed to.
    account_tier: AccountTier,
    /// What it pays in.
    currency: CurrencyCode,
    /// The name on its invoices.
    billing_name: PersonalText<200>,
    /// The address on its invoices; it may have several lines.
    billing_address: PersonalText<1000>,
}

/// A text that may be a person's, of at most `MAX` characters. It has no `Debug`.
struct PersonalText<const MAX: usize>(Personal);

impl<'de, const MAX: usize> Deserialize<'de> for PersonalText<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Personal::new(String::deserialize(deserializer)?);
        if is_printable(text.expose(), MAX) {
            Ok(Self(text))
        } else {
            Err(D::Error::custom("not a printable text of that length"))
        }
    }
}

/// Whether something of it can be seen, and nothing of it moves anything but the line.
fn is_printable(text: &str, max: usize) -> bool {
    let seen = text.chars().any(|c| !c.is_whitespace());
    let still = text.chars().all(|c| c == '\n' || !c.is_control());
    seen && still && text.chars().count() <= max
}

impl<const MAX: usize> JsonSchema for PersonalText<MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("PersonalText{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": MAX,
            "allOf": [
                { "pattern": r"\S" },
                { "pattern": r"^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*$" },
            ],
        })
    }
}

pub(in crate::rest) fn endpoint() -> Endpoint<AppState> {
    Endpoint::new(Method::PUT, PATH, put)
        .named("putAccount", "An account as it is to be")
        .needs(Right::BillingAdmin)
        .may_refuse(&[Code::AccountOfAnotherTenant])
        .may_refuse(visible::CODES)
}

async fn put(
    State(shared): State<AppState>,
    context: RequestContext,
    PathParams(path): PathParams<AccountPath>,
    condition: IfMatch,
    Body(body): Body<AccountBody>,
) -> Result<Tagged<Put<AccountRow>>, Problem> {
    let details = AccountDetails {
        tenant: body.tenant_id,
        account: AccountFacts {
            account_id: path.account_id,
            account_tier: body.account_tier,
            currency: body.currency.0,
        },
        billing_name: Some(body.billing_name.0),
        billing_address: Some(body.billing_address.0),
    };
    let condition = match condition {
        IfMatch::Any => Condition::Any,
        IfMatch::Exists => Condition::Registered,
        IfMatch::Is(tag) => Condition::ChangedAt(etag::position(tag)),
    };
    let origin = context.origin(&shared, context.fresh).await?;
    let written = shared
        .commands
        .accounts
        .put(origin, details, condition)
        .await;
    let written = written.map_err(|error| fault::undone(error, refused))?;
    visible::shown(&shared, Accounts::NAME, written.position).await?;
    let account = find(&shared.reader, path.account_id).await?;
    // It is not there only while the table is built anew.
    let account = account.ok_or(Problem::new(Code::NotYetVisible))?;
    let etag = etag::of(account.changed_position);
    let registered_now = written.new && account.position == written.position;
    let row = opened(&shared, account).await?;
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_printable_and_short() {
        let long = "é".repeat(10);
        for good in ["A", "Example GmbH", "line\nline", &long] {
            assert!(is_printable(good, 12), "{good:?}");
        }
        let long = "é".repeat(13);
        for wrong in ["", " \n ", "a\tb", "a\u{7f}", "a\u{85}b", &long] {
            assert!(!is_printable(wrong, 12), "{wrong:?}");
        }
    }

    #[test]
    fn what_the_schema_of_an_account_accepts_is_taken_and_nothing_else() {
        crate::http::body::keeps_to_its_schema(|_: AccountBody| true);
    }
}
