//! Who somebody is, told apart from everybody else who may call.
//!
//! A name alone says little: two tenants may each have an `anna`, and a token may call its bearer
//! what an API key is called. So who vouched for the name, and for which tenant, is part of it,
//! wherever callers are counted, compared or recorded.

use std::{fmt, sync::Arc};

use schema::{Pseudonym, TenantId};

/// What somebody is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A token that one of our keys verified.
    Token,
    /// An API key that the gateway resolved.
    ApiKey,
}

impl Kind {
    /// As the log, and log lines, tell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::ApiKey => "api-key",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Somebody. Two that differ in any part are two.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    /// Whether a token or an API key says who they are.
    pub kind: Kind,
    /// Who vouches for them: the issuer of the token, or the gateway's name. It holds no space.
    pub issuer: Arc<str>,
    /// The tenant they belong to.
    pub tenant: TenantId,
    /// Their name there: the token's subject, or the id of the key.
    pub subject: String,
}

impl Principal {
    /// The name that stands in the log: `token <tenant> <issuer> <subject>`, the tenant by its
    /// pseudonym, as everywhere in the log. Only the last part may hold spaces, so no two
    /// principals have the same.
    #[must_use]
    pub fn recorded(&self, tenant: Pseudonym) -> String {
        format!("{} {tenant} {} {}", self.kind, self.issuer, self.subject)
    }

    /// The parts, for deriving ids.
    #[must_use]
    pub fn parts(&self) -> [&[u8]; 4] {
        [
            self.kind.as_str().as_bytes(),
            self.issuer.as_bytes(),
            self.tenant.0.as_bytes(),
            self.subject.as_bytes(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use uuid::Uuid;

    use super::*;

    #[test]
    fn whoever_differs_in_any_part_is_recorded_as_somebody_else() {
        let anna = Principal {
            kind: Kind::Token,
            issuer: "https://identity.example".into(),
            tenant: TenantId(Uuid::from_u128(1)),
            subject: "anna".to_owned(),
        };
        let all = [
            anna.clone(),
            Principal {
                kind: Kind::ApiKey,
                ..anna.clone()
            },
            Principal {
                issuer: "https://identity.example:anna".into(),
                ..anna.clone()
            },
            Principal {
                tenant: TenantId(Uuid::from_u128(2)),
                ..anna.clone()
            },
            Principal {
                subject: "api-key:anna".to_owned(),
                ..anna.clone()
            },
            Principal {
                subject: "https://identity.example anna".to_owned(),
                ..anna.clone()
            },
        ];
        let told = all.iter().map(|it| it.recorded(Pseudonym(it.tenant.0)));
        assert_eq!(told.collect::<HashSet<_>>().len(), all.len());
        assert_eq!(
            anna.recorded(Pseudonym(Uuid::nil())),
            "token 00000000-0000-0000-0000-000000000000 https://identity.example anna"
        );
    }
}
