//! Who calls, and what they may.
//!
//! A caller is believed for one of two reasons: a token that one of our keys verifies
//! ([`token`], [`jwks`]), or the gateway's word for an API key ([`gateway`]), which counts only on
//! a connection whose client certificate is the gateway's, and only where the call shows nothing of
//! its own. Headers that name a tenant or an account beside a token can only contradict it, never
//! widen it.

mod caller;
pub mod crypto;
pub mod gateway;
pub mod jwks;
pub mod metrics;
pub mod peer;
pub mod principal;
pub mod subject;
pub mod token;

use std::{collections::BTreeSet, convert::Infallible, sync::Arc};

use axum::http::{HeaderMap, HeaderName, header::AUTHORIZATION};
use schema::TenantId;
use uuid::Uuid;

pub use caller::{Caller, ROLES, Right};

use jwks::Keys;
use peer::Peer;
use principal::{Kind, Principal};
use subject::SubjectKey;
use token::{Claims, Expected, TokenFault, UnverifiedToken, VerifiedToken};

/// The tenant that a caller acts for.
const TENANT: HeaderName = HeaderName::from_static("x-tenant-id");
/// The account that a caller acts for.
const ACCOUNT: HeaderName = HeaderName::from_static("x-account-id");

/// Tells who calls.
#[derive(Debug)]
pub struct Identity {
    /// The keys that tokens are verified with.
    pub keys: Arc<Keys>,
    /// What a token must say of itself.
    pub expected: Expected,
    /// A name in the gateway's certificate; without one no API keys are accepted.
    pub gateway: Option<Arc<str>>,
    /// The platform's own tenants: only their people have roles of the platform.
    pub platform: BTreeSet<TenantId>,
    /// What names the subjects of tokens; without it they keep the name they have there.
    pub subjects: Option<SubjectKey>,
}

impl Identity {
    /// Who made a call with these headers from `peer`.
    ///
    /// # Errors
    /// That is not known, or the headers contradict the token.
    pub async fn of(&self, peer: &Peer, headers: &HeaderMap) -> Result<Caller, Stranger> {
        let gateway = self.gateway.as_ref().filter(|name| peer.is(name));
        match (Shown::by(headers), gateway) {
            (Shown::Token(text), _) => match self.verified(text).await {
                Ok(token) => {
                    let caller = self.caller(token.claims());
                    agree(&caller, headers)?;
                    Ok(caller)
                }
                Err(fault) => Err(fault.into()),
            },
            (Shown::Nothing, Some(gateway)) => gateway::caller(gateway, headers),
            (Shown::Unreadable, _) => Err(TokenFault::Malformed.into()),
            (Shown::Nothing, None) | (Shown::OtherScheme, _) => Err(Stranger::NoCredentials),
        }
    }

    /// Keeps the keys fresh, for ever.
    pub async fn look_after(&self) -> Infallible {
        self.keys.look_after().await
    }

    /// The caller of whom a verified token says `claims`.
    fn caller(&self, claims: &Claims) -> Caller {
        let named = self.subjects.as_ref().map(|key| key.name(&claims.sub));
        let principal = Principal {
            kind: Kind::Token,
            issuer: Arc::clone(&self.expected.issuer),
            tenant: claims.tenant_id,
            subject: named.unwrap_or_else(|| claims.sub.clone()),
        };
        let ours = self.platform.contains(&claims.tenant_id);
        Caller::of_token(principal, claims, ours)
    }

    async fn verified(&self, text: &str) -> Result<VerifiedToken, TokenFault> {
        let token = UnverifiedToken::parse(text)?;
        let key = self.keys.find(token.kid()).await;
        let key = key.ok_or(TokenFault::UnknownKey)?;
        token.verify(&key, &self.expected)
    }
}

/// Why we do not know who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stranger {
    /// They show nothing that says who they are.
    #[error("no credentials")]
    NoCredentials,
    /// The token they show is not accepted.
    #[error("the token is not accepted: {}", .0.as_str())]
    Token(TokenFault),
    /// They name another tenant than their token.
    #[error("another tenant than the token's")]
    OtherTenant,
    /// They name another account than their token.
    #[error("another account than the token's")]
    OtherAccount,
}

impl Stranger {
    /// The caller hears only that the token is not accepted; the log says why. Not before they are
    /// counted: what strangers make us write is bounded.
    pub fn tell(self) {
        if let Self::Token(fault) = self {
            tracing::info!(event = "identity.token_refused", reason = fault.as_str());
        }
    }
}

impl From<TokenFault> for Stranger {
    fn from(fault: TokenFault) -> Self {
        Self::Token(fault)
    }
}

/// What a caller shows of itself in `Authorization`.
enum Shown<'a> {
    /// The header is not there.
    Nothing,
    /// One bearer token, not verified.
    Token(&'a str),
    /// Several headers, or none that is text.
    Unreadable,
    /// Something else than a bearer token. It proves nothing, and whoever shows it is nobody,
    /// whatever the gateway says beside it.
    OtherScheme,
}

impl<'a> Shown<'a> {
    fn by(headers: &'a HeaderMap) -> Self {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (None, _) => Self::Nothing,
            (Some(value), None) => value.to_str().map_or(Self::Unreadable, Self::of),
            (Some(_), Some(_)) => Self::Unreadable,
        }
    }

    fn of(text: &'a str) -> Self {
        match text.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                Self::Token(token.trim_matches(' '))
            }
            Some(_) | None => Self::OtherScheme,
        }
    }
}

/// Headers that name tenant or account must name the token's.
fn agree(caller: &Caller, headers: &HeaderMap) -> Result<(), Stranger> {
    if !all_are(headers, &TENANT, caller.tenant().0) {
        return Err(Stranger::OtherTenant);
    }
    match caller.account {
        Some(account) if !all_are(headers, &ACCOUNT, account.0) => Err(Stranger::OtherAccount),
        Some(_) | None => Ok(()),
    }
}

fn all_are(headers: &HeaderMap, name: &HeaderName, id: Uuid) -> bool {
    headers
        .get_all(name)
        .iter()
        .all(|value| Uuid::try_parse_ascii(value.as_bytes()) == Ok(id))
}

#[cfg(test)]
mod tests;
