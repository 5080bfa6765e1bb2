//! What developers sign tokens with, because they have no identity provider at hand.
//!
//! The services know nothing of this: to them a set of keys made here is one like any other.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use schema::{AccountId, TenantId, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;

use crate::identity::crypto;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The machine gives no randomness.
    #[error("making a key")]
    Random,
    /// The file is not one that `dev keys` wrote.
    #[error("the file holds no Ed25519 key in PEM")]
    NoKey,
    /// It could not sign.
    #[error("signing")]
    Signing(#[source] jsonwebtoken::errors::Error),
}

/// A key to sign tokens with (Ed25519).
pub struct SigningKey {
    pkcs8: Vec<u8>,
    public: Vec<u8>,
}

/// What a token is to say.
#[derive(Debug, Clone)]
pub struct TokenWish {
    /// Who made it (`iss`).
    pub issuer: String,
    /// Whom it is meant for (`aud`).
    pub audience: String,
    /// Whom it is about (`sub`).
    pub subject: String,
    /// The tenant they belong to.
    pub tenant: TenantId,
    /// The account they act for.
    pub account: Option<AccountId>,
    /// Their roles, such as `account.viewer`; none is allowed.
    pub roles: Vec<String>,
    /// How long it is good, counted from its making.
    pub ttl: Duration,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    tenant_id: TenantId,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<AccountId>,
    roles: &'a [String],
    iat: u64,
    nbf: u64,
    exp: u64,
}

impl SigningKey {
    /// Makes a new one.
    ///
    /// # Errors
    /// The machine gives no randomness.
    pub fn generate() -> Result<Self, SigningError> {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
        Self::of(pkcs8.map_err(|_| SigningError::Random)?.as_ref())
    }

    /// Reads one that [`SigningKey::to_pem`] wrote.
    ///
    /// # Errors
    /// The text is something else.
    pub fn from_pem(pem: &str) -> Result<Self, SigningError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes());
        Self::of(der.map_err(|_| SigningError::NoKey)?.secret_pkcs8_der())
    }

    fn of(pkcs8: &[u8]) -> Result<Self, SigningError> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| SigningError::NoKey)?;
        Ok(Self {
            pkcs8: pkcs8.to_vec(),
            public: pair.public_key().as_ref().to_vec(),
        })
    }

    /// The key as PEM. A secret.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let body = STANDARD.encode(&self.pkcs8);
        let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
        for line in body.as_bytes().chunks(64) {
            pem.extend(line.iter().copied().map(char::from));
            pem.push('\n');
        }
        pem + "-----END PRIVATE KEY-----\n"
    }

    /// The name of the key: it follows from the key.
    #[must_use]
    pub fn kid(&self) -> String {
        URL_SAFE_NO_PAD.encode(&digest(&SHA256, &self.public).as_ref()[..12])
    }

    /// The set of keys that verifies what this one signs.
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({ "keys": [{
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": self.kid(),
            "x": URL_SAFE_NO_PAD.encode(&self.public),
        }] })
    }

    /// A token that says `wish` and is good from `now` on.
    ///
    /// # Errors
    /// It could not be signed.
    pub fn sign(&self, wish: &TokenWish, now: Timestamp) -> Result<String, SigningError> {
        let now = u64::try_from(now.micros() / 1_000_000).unwrap_or_default();
        self.sign_claims(&Claims {
            iss: &wish.issuer,
            aud: &wish.audience,
            sub: &wish.subject,
            tenant_id: wish.tenant,
            account_id: wish.account,
            roles: &wish.roles,
            iat: now,
            nbf: now,
            exp: now.saturating_add(wish.ttl.as_secs()),
        })
    }

    /// A token that says `claims`, whatever they are.
    ///
    /// # Errors
    /// It could not be signed.
    pub fn sign_claims(&self, claims: &impl Serialize) -> Result<String, SigningError> {
        crypto::install();
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.kid());
        let key = EncodingKey::from_ed_der(&self.pkcs8);
        encode(&header, claims, &key).map_err(SigningError::Signing)
    }
}
