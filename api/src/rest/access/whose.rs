//! Whose usage, charges and adjustments somebody may see.
//!
//! Everybody sees their own account; whoever acts for a whole tenant, each account of it; the
//! platform's administrators and its finance, each account there is. A look at an account that is not
//! the caller's own is recorded before it is answered, whether it is allowed or not.

use projections::{
    Scope,
    accounts::accounts,
    charges::usage_summaries::{self, Granularity, UsageOf},
};
use schema::{AccountId, TenantId};
use time::{Date, macros::date};

use crate::{
    http::problem::{Code, Problem},
    identity::{Caller, Right},
    rest::{access::look, context::RequestContext, fault, state::AppState},
};

/// All the days there are.
const EVER: (Date, Date) = (date!(0000 - 01 - 01), date!(9999 - 12 - 31));

/// What access may be refused with.
pub(in crate::rest) const CODES: &[Code] = &[
    Code::RightMissing,
    Code::AccountRequired,
    Code::AccountMismatch,
    Code::NotFound,
];

/// An account that may be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rest) struct Whose {
    /// The tenant that the account is of.
    pub(in crate::rest) tenant: TenantId,
    /// The account that is looked at.
    pub(in crate::rest) account: AccountId,
}

/// What somebody wants to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Their own account.
    Own(AccountId),
    /// An account of the tenant that they act for, if it is one.
    OfTenant(AccountId),
    /// An account of anybody.
    OfAnybody(AccountId),
    /// One that they may not see.
    Forbidden(AccountId, Code),
    /// Nothing that could be shown.
    Nothing(Code),
}

impl Look {
    fn of(caller: &Caller, asked: Option<AccountId>) -> Self {
        let reads = caller.may(Right::BillingRead);
        match (asked.or(caller.account), caller.account) {
            (None, _) if reads => Self::Nothing(Code::AccountRequired),
            (None, _) => Self::Nothing(Code::RightMissing),
            (Some(asked), Some(own)) if asked == own && reads => Self::Own(own),
            (Some(asked), Some(own)) if asked == own => Self::Nothing(Code::RightMissing),
            (Some(asked), _) if caller.may(Right::ReadAnyAccount) => Self::OfAnybody(asked),
            (Some(asked), _) if !reads => Self::Forbidden(asked, Code::RightMissing),
            (Some(asked), Some(_)) => Self::Forbidden(asked, Code::AccountMismatch),
            (Some(asked), None) => Self::OfTenant(asked),
        }
    }
}

/// The account that is looked at: the one `asked` for, or the caller's own. `endpoint` is what the
/// log is told of it.
///
/// # Errors
/// It may not be looked at, is not there, or the look could not be recorded.
pub(in crate::rest) async fn whose(
    shared: &AppState,
    context: &RequestContext,
    asked: Option<AccountId>,
    endpoint: &'static str,
) -> Result<Whose, Problem> {
    let look = |tenant, account| look::Look {
        endpoint,
        tenant,
        account: Some(account),
    };
    let tenant = context.caller.tenant();
    match Look::of(&context.caller, asked) {
        Look::Own(account) => Ok(Whose { tenant, account }),
        Look::OfTenant(account) => {
            let whose = Whose { tenant, account };
            if is_known(shared, whose).await? {
                return Ok(whose);
            }
            refuse(shared, context, look(None, account), Code::NotFound).await
        }
        Look::OfAnybody(account) => {
            let tenant = accounts::tenant_of(&shared.questions, account).await;
            match tenant.map_err(fault::unread)? {
                Some(tenant) => {
                    let look = look(Some(tenant), account);
                    look::allowed(shared, context, look).await?;
                    Ok(Whose { tenant, account })
                }
                None => refuse(shared, context, look(None, account), Code::NotFound).await,
            }
        }
        Look::Forbidden(account, code) => refuse(shared, context, look(None, account), code).await,
        Look::Nothing(code) => Err(problem(code)),
    }
}

/// Whether the account is registered under the tenant, or was ever used under it.
async fn is_known(shared: &AppState, whose: Whose) -> Result<bool, Problem> {
    let owner = accounts::owner(&shared.questions, whose.account).await;
    if owner.map_err(fault::unread)? == Some(whose.tenant) {
        return Ok(true);
    }
    let ever = UsageOf {
        tenant: whose.tenant,
        account: whose.account,
        from: EVER.0,
        to: EVER.1,
        granularity: Granularity::Month,
        operator: None,
    };
    let used = usage_summaries::usage(&shared.questions, Scope::Tenant(whose.tenant), ever).await;
    Ok(!used.map_err(fault::unread)?.is_empty())
}

/// Always an error: the refusal once it is recorded, or why it could not be.
async fn refuse(
    shared: &AppState,
    context: &RequestContext,
    look: look::Look,
    code: Code,
) -> Result<Whose, Problem> {
    Err(look::refused(shared, context, look, problem(code)).await)
}

fn problem(code: Code) -> Problem {
    match code {
        Code::RightMissing => Problem::new(code).because(format!("needs {}", Right::BillingRead)),
        _ => Problem::new(code).at("accountId"),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::identity::{
        principal::{Kind, Principal},
        token::Claims,
    };

    const OWN: AccountId = AccountId(Uuid::from_u128(1));
    const OTHER: AccountId = AccountId(Uuid::from_u128(2));

    fn look(role: &str, account: Option<AccountId>, asked: Option<AccountId>) -> Look {
        let tenant = TenantId(Uuid::from_u128(9));
        let claims = Claims {
            sub: "anna".to_owned(),
            tenant_id: tenant,
            account_id: account,
            roles: vec![role.to_owned()],
            scope: None,
        };
        let principal = Principal {
            kind: Kind::Token,
            issuer: "issuer".into(),
            tenant,
            subject: claims.sub.clone(),
        };
        Look::of(&Caller::of_token(principal, &claims, true), asked)
    }

    #[test]
    fn everybody_sees_their_own_account() {
        for role in [
            "account.admin",
            "account.viewer",
            "platform.admin",
            "platform.finance",
        ] {
            assert_eq!(look(role, Some(OWN), None), Look::Own(OWN));
            assert_eq!(look(role, Some(OWN), Some(OWN)), Look::Own(OWN));
        }
        let missing = Look::Nothing(Code::RightMissing);
        assert_eq!(look("platform.auditor", Some(OWN), None), missing);
        assert_eq!(look("platform.auditor", Some(OWN), Some(OWN)), missing);
    }

    #[test]
    fn who_acts_for_a_tenant_says_which_account() {
        let required = Look::Nothing(Code::AccountRequired);
        assert_eq!(look("account.admin", None, None), required);
        assert_eq!(look("platform.admin", None, None), required);
        assert_eq!(
            look("account.admin", None, Some(OTHER)),
            Look::OfTenant(OTHER)
        );
    }

    #[test]
    fn only_administrators_and_finance_of_the_platform_see_any_account() {
        for account in [None, Some(OWN)] {
            for role in ["platform.admin", "platform.finance"] {
                assert_eq!(look(role, account, Some(OTHER)), Look::OfAnybody(OTHER));
            }
            assert_eq!(
                look("platform.billing_admin", account, Some(OTHER)),
                Look::Forbidden(OTHER, Code::RightMissing)
            );
        }
        assert_eq!(
            look("account.admin", Some(OWN), Some(OTHER)),
            Look::Forbidden(OTHER, Code::AccountMismatch)
        );
    }
}
