//! A caller whom we believe, and the rights that roles and scopes give.

use std::{collections::BTreeSet, fmt};

use schema::{AccountId, TenantId};

use super::{principal::Principal, token::Claims};

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// See what an account used and what it costs.
    BillingRead,
    /// Set prices, costs and accounts.
    BillingAdmin,
    /// Void invoices.
    Finance,
    /// See what any account of any tenant used. Each such look is recorded.
    ReadAnyAccount,
    /// See the history.
    Audit,
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BillingRead => "billing:read",
            Self::BillingAdmin => "billing:admin",
            Self::Finance => "billing:finance",
            Self::ReadAnyAccount => "billing:read-any",
            Self::Audit => "billing:audit",
        })
    }
}

/// What each role of a token gives. Roles that are not here give nothing.
pub const ROLES: [(&str, &[Right]); 6] = [
    ("account.admin", &[Right::BillingRead]),
    ("account.viewer", &[Right::BillingRead]),
    (
        "platform.admin",
        &[Right::BillingRead, Right::ReadAnyAccount],
    ),
    ("platform.billing_admin", &[Right::BillingAdmin]),
    (
        "platform.finance",
        &[Right::BillingRead, Right::ReadAnyAccount, Right::Finance],
    ),
    ("platform.auditor", &[Right::Audit]),
];

impl Right {
    fn of_role(role: &str) -> &'static [Self] {
        let known = ROLES.iter().find(|known| known.0 == role);
        known.map_or(&[], |known| known.1)
    }

    /// The word of a token's scope that lets this right through.
    const fn scope(self) -> &'static str {
        match self {
            Self::BillingRead | Self::ReadAnyAccount => "billing:read",
            Self::BillingAdmin => "billing:admin",
            Self::Finance => "billing:finance",
            Self::Audit => "billing:audit",
        }
    }

    /// What a scope of an API key gives. Keys belong to customers, so none gives more.
    fn of_scope(scope: &str) -> &'static [Self] {
        match scope {
            "billing:read" => &[Self::BillingRead],
            _ => &[],
        }
    }
}

/// Somebody whom we believe who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who calls, as logs and the audit trail name them.
    pub principal: Principal,
    /// The account they act for; none means the whole tenant.
    pub account: Option<AccountId>,
    rights: BTreeSet<Right>,
    platform: bool,
}

impl Caller {
    /// The caller `principal`, of whom a verified token says `claims`. Whoever is not `ours`
    /// belongs to a customer, and has no role of the platform whatever their token says. A role
    /// that nobody defined, or that the token's scope leaves nothing of, is as if it were not there.
    pub(crate) fn of_token(principal: Principal, claims: &Claims, ours: bool) -> Self {
        let scoped = |right: &Right| {
            let scope = claims.scope.as_deref();
            scope.is_none_or(|scope| scope.split(' ').any(|word| word == right.scope()))
        };
        let (mut rights, mut platform) = (BTreeSet::new(), false);
        for role in &claims.roles {
            let of_platform = role.starts_with("platform.");
            if of_platform && !ours {
                continue;
            }
            let given: Vec<Right> = Right::of_role(role)
                .iter()
                .copied()
                .filter(scoped)
                .collect();
            platform |= of_platform && !given.is_empty();
            rights.extend(given);
        }
        Self {
            principal,
            account: claims.account_id,
            rights,
            platform,
        }
    }

    /// The caller `principal`, whom the gateway found behind an API key.
    pub(super) fn of_key<'a>(
        principal: Principal,
        account: AccountId,
        scopes: impl Iterator<Item = &'a str>,
    ) -> Self {
        Self {
            principal,
            account: Some(account),
            rights: scopes.flat_map(Right::of_scope).copied().collect(),
            platform: false,
        }
    }

    /// The tenant they belong to.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.principal.tenant
    }

    /// Whether they may.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        self.rights.contains(&right)
    }

    /// Whether they run the platform, and so may see cost and margin.
    #[must_use]
    pub const fn is_platform(&self) -> bool {
        self.platform
    }
}
