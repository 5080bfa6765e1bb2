//! Tokens of every kind, good ones and those that an attacker or a broken issuer would make.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use tests::world::World;
use uuid::Uuid;

/// Whoever signs tokens.
pub(crate) struct Issuer {
    pair: Ed25519KeyPair,
    pub(crate) kid: String,
    /// The set of keys, as it is published.
    pub(crate) jwks: String,
}

impl Issuer {
    /// The one that the world's services believe.
    pub(crate) fn of(world: &World) -> Self {
        let read = |name| std::fs::read_to_string(world.path(name)).expect("the world has keys");
        let jwks = read("keys/jwks.json");
        let set: Value = serde_json::from_str(&jwks).expect("JSON");
        let pem = read("keys/signing-key.pem");
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let pkcs8 = STANDARD.decode(body).expect("PEM");
        Self {
            pair: Ed25519KeyPair::from_pkcs8(&pkcs8).expect("a key"),
            kid: set["keys"][0]["kid"].as_str().expect("a name").to_owned(),
            jwks,
        }
    }

    /// Somebody else, who gives their key the same name.
    pub(crate) fn impostor(&self) -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("chance");
        Self {
            pair: Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key"),
            kid: self.kid.clone(),
            jwks: String::new(),
        }
    }

    /// The public key, which everybody has.
    pub(crate) fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// A header that is right.
    pub(crate) fn header(&self) -> Value {
        json!({ "alg": "EdDSA", "typ": "JWT", "kid": self.kid })
    }

    /// A token with a right header.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.signed(&self.header(), claims)
    }

    /// A token whose signature is right, whatever it says.
    pub(crate) fn signed(&self, header: &Value, claims: &Value) -> String {
        sign(header, claims, |text| {
            self.pair.sign(text).as_ref().to_vec()
        })
    }
}

/// A token with such a signature.
pub(crate) fn sign(header: &Value, claims: &Value, by: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(by(text.as_bytes()));
    format!("{text}.{signature}")
}

/// Signs with a secret that both sides know (HS256).
pub(crate) fn symmetric(secret: &[u8]) -> impl Fn(&[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    move |text| hmac::sign(&key, text).as_ref().to_vec()
}

/// What a good token says, for five minutes.
pub(crate) fn claims(subject: &str, role: &str, tenant: Uuid) -> Value {
    let now = seconds();
    json!({
        "iss": "https://identity.tollbook.test", "aud": "tollbook-billing", "sub": subject,
        "tenant_id": tenant, "roles": [role], "iat": now, "nbf": now, "exp": now + 300,
    })
}

/// Now, as tokens say it.
pub(crate) fn seconds() -> i64 {
    eventstore::clock::now().micros() / 1_000_000
}

/// A key of another kind (ES256), as a new one might be.
pub(crate) struct Elliptic(EcdsaKeyPair);

impl Elliptic {
    pub(crate) fn new() -> Self {
        let (kind, chance) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &chance).expect("chance");
        Self(EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &chance).expect("a key"))
    }

    /// The set with this key in it.
    pub(crate) fn jwks(&self) -> String {
        // 4, then both coordinates.
        let point = self.0.public_key().as_ref();
        let [x, y] = [&point[1..33], &point[33..]].map(|part| URL_SAFE_NO_PAD.encode(part));
        json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "next",
            "x": x, "y": y,
        }] })
        .to_string()
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": "next" });
        sign(&header, claims, |text| {
            let signed = self.0.sign(&SystemRandom::new(), text);
            signed.expect("signed").as_ref().to_vec()
        })
    }
}
