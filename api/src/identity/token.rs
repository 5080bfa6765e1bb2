//! Tokens: what somebody shows us, and what it is once a key of ours has verified it.
//!
//! The two are different types, and only the second one has claims. How a signature is checked is
//! a property of the key; what the token says of its algorithm can only contradict it.

use std::sync::Arc;

use jsonwebtoken::{DecodingKey, Validation, decode, decode_header, errors::ErrorKind};
use schema::{AccountId, TenantId};
use serde::Deserialize;

/// The longest token that is looked at, in bytes.
const LENGTH_MAX: usize = 8 * 1024;
/// The longest subject, in bytes.
const SUBJECT_MAX: usize = 256;
/// How far clocks may be apart, in seconds.
const LEEWAY: u64 = 30;

/// What a token must say of itself.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Who must have made a token (`iss`).
    pub issuer: Arc<str>,
    /// Whom it is meant for (`aud`).
    pub audience: String,
}

/// A key that tokens are verified with, and the one algorithm it is for.
#[derive(Debug)]
pub struct Key {
    pub(super) algorithm: jsonwebtoken::Algorithm,
    pub(super) key: DecodingKey,
}

/// Why a token is not accepted. The caller is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    /// Longer than any token of ours.
    TooLong,
    /// Not a token.
    Malformed,
    /// It names no key.
    NoKeyId,
    /// It names a key that we do not have.
    UnknownKey,
    /// It asks for something that we do not know and must not ignore.
    Critical,
    /// It names another algorithm than its key is for.
    WrongAlgorithm,
    /// The signature is not of this key over this token.
    Forged,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// Somebody else made it.
    WrongIssuer,
    /// It is meant for somebody else.
    WrongAudience,
    /// A claim is missing or not of its form.
    Claims,
}

impl TokenFault {
    /// For log lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::NoKeyId => "no_key_id",
            Self::UnknownKey => "unknown_key",
            Self::Critical => "critical",
            Self::WrongAlgorithm => "wrong_algorithm",
            Self::Forged => "forged",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
            Self::Claims => "claims",
        }
    }
}

/// Something that looks like a token. Nothing in it is to be believed; it has no claims.
pub struct UnverifiedToken<'a> {
    text: &'a str,
    kid: String,
}

impl<'a> UnverifiedToken<'a> {
    /// Looks at the outside of a token.
    ///
    /// # Errors
    /// It has none, or its header is not one we can work with.
    pub fn parse(text: &'a str) -> Result<Self, TokenFault> {
        if text.len() > LENGTH_MAX {
            return Err(TokenFault::TooLong);
        }
        // An algorithm without a name of its own, such as `none`, fails here already.
        let header = decode_header(text).map_err(|_| TokenFault::Malformed)?;
        if header.crit.is_some() {
            return Err(TokenFault::Critical);
        }
        let kid = header.kid.ok_or(TokenFault::NoKeyId)?;
        Ok(Self { text, kid })
    }

    /// The name of the key it wants to be verified with. It is only ever looked up.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Verifies signature, time, issuer and audience.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(self, key: &Key, expected: &Expected) -> Result<VerifiedToken, TokenFault> {
        let mut validation = Validation::new(key.algorithm);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_issuer(&[&*expected.issuer]);
        validation.set_audience(&[&expected.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let token = decode::<Claims>(self.text, &key.key, &validation);
        let claims = token.map_err(|error| fault(error.kind()))?.claims;
        let good = |subject: &str| !subject.chars().any(char::is_control);
        if !(1..=SUBJECT_MAX).contains(&claims.sub.len()) || !good(&claims.sub) {
            return Err(TokenFault::Claims);
        }
        Ok(VerifiedToken { claims })
    }
}

const fn fault(kind: &ErrorKind) -> TokenFault {
    match kind {
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => TokenFault::WrongAlgorithm,
        ErrorKind::InvalidSignature => TokenFault::Forged,
        ErrorKind::ExpiredSignature => TokenFault::Expired,
        ErrorKind::ImmatureSignature => TokenFault::NotYetValid,
        ErrorKind::InvalidIssuer => TokenFault::WrongIssuer,
        ErrorKind::InvalidAudience => TokenFault::WrongAudience,
        ErrorKind::MissingRequiredClaim(_)
        | ErrorKind::InvalidClaimFormat(_)
        | ErrorKind::Json(_) => TokenFault::Claims,
        _ => TokenFault::Malformed,
    }
}

/// A token that one of our keys has verified.
#[derive(Debug)]
pub struct VerifiedToken {
    claims: Claims,
}

impl VerifiedToken {
    /// The claims, which are true: signature, times, issuer and audience were checked.
    #[must_use]
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }
}

/// What a token says of its bearer.
#[derive(Debug, Clone, Deserialize)]
pub struct Claims {
    /// Whom it is about, a name within its issuer.
    pub sub: String,
    /// The tenant they belong to.
    pub tenant_id: TenantId,
    /// The account they act for; none means the whole tenant.
    pub account_id: Option<AccountId>,
    /// Their roles, such as `account.viewer`; those we do not know give nothing.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Which of their rights the token carries, as words; without it all of them.
    pub scope: Option<String>,
}
