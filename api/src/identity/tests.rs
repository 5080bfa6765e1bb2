//! Who is believed and who is not.

mod headers;
mod jwks;

use std::{path::PathBuf, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{jwks::JwksSource, *};
use crate::dev::SigningKey;

/// The id that names nobody.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";
const TENANT_ID: &str = "00000000-0000-4000-8000-000000000001";
const ACCOUNT_ID: &str = "00000000-0000-4000-8000-000000000002";

/// Somebody who makes tokens, and those who verify them.
struct Issuer {
    key: SigningKey,
    folder: TempDir,
}

impl Issuer {
    fn new() -> Self {
        let issuer = Self {
            key: SigningKey::generate().expect("a key"),
            folder: tempfile::tempdir().expect("a folder"),
        };
        issuer.publish(&[issuer.key.jwks()]);
        issuer
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("jwks.json")
    }

    /// Lets these sets be the one that is published.
    fn publish(&self, sets: &[Value]) {
        let keys = sets
            .iter()
            .flat_map(|set| set["keys"].as_array().expect("keys").clone());
        let set = json!({ "keys": keys.collect::<Vec<_>>() });
        std::fs::write(self.file(), set.to_string()).expect("writes");
    }

    fn identity(&self) -> Identity {
        identity_from(JwksSource::File(self.file()), Duration::ZERO)
    }

    /// A good token but for `changes`; null takes a claim away.
    fn token(&self, changes: Value) -> String {
        self.key.sign_claims(&claims(changes)).expect("signed")
    }
}

fn identity_from(source: JwksSource, pause: Duration) -> Identity {
    Identity {
        keys: Arc::new(Keys::new(source, pause, Duration::from_hours(1)).expect("keys")),
        expected: Expected {
            issuer: "issuer".into(),
            audience: "tollbook".to_owned(),
        },
        gateway: Some("kong".into()),
        platform: BTreeSet::from([TENANT_ID.parse().map(TenantId).expect("a tenant")]),
        subjects: None,
    }
}

fn now() -> i64 {
    eventstore::clock::now().micros() / 1_000_000
}

fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": "issuer", "aud": "tollbook", "sub": "somebody", "tenant_id": TENANT_ID,
        "account_id": ACCOUNT_ID, "roles": ["account.viewer"], "scope": "openid billing:read",
        "exp": now() + 60,
    });
    let all = claims.as_object_mut().expect("an object");
    let Value::Object(changes) = changes else {
        panic!("changes are an object")
    };
    for (name, value) in changes {
        if value.is_null() {
            all.remove(&name);
        } else {
            all.insert(name, value);
        }
    }
    claims
}

/// `header.claims` as they are signed.
fn message(header: &Value, claims: &Value) -> String {
    let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", part(header), part(claims))
}

async fn fault(identity: &Identity, token: &str) -> Option<TokenFault> {
    identity.verified(token).await.err()
}

#[tokio::test]
async fn a_good_token_is_believed() {
    let issuer = Issuer::new();
    let token = issuer.token(json!({}));
    let verified = issuer.identity().verified(&token).await.expect("good");
    let claims = verified.claims();
    assert_eq!(claims.sub, "somebody");
    assert_eq!(claims.tenant_id.to_string(), TENANT_ID);
    assert_eq!(claims.roles, ["account.viewer"]);
}

#[tokio::test]
async fn time_issuer_audience_and_form_are_checked() {
    let issuer = Issuer::new();
    let identity = issuer.identity();
    let good = [
        json!({"exp": now() - 20}),
        json!({"nbf": now() + 20}),
        json!({"aud": ["other", "tollbook"]}),
        json!({"account_id": null, "roles": null}),
    ];
    for changes in good {
        assert_eq!(
            fault(&identity, &issuer.token(changes.clone())).await,
            None,
            "{changes}"
        );
    }
    let bad = [
        (json!({"exp": now() - 40}), TokenFault::Expired),
        (json!({"nbf": now() + 40}), TokenFault::NotYetValid),
        (json!({"iss": "other"}), TokenFault::WrongIssuer),
        (json!({"aud": "other"}), TokenFault::WrongAudience),
        (json!({"aud": []}), TokenFault::WrongAudience),
        (json!({"exp": null}), TokenFault::Claims),
        (json!({"iss": null}), TokenFault::Claims),
        (json!({"aud": null}), TokenFault::Claims),
        (json!({"sub": null}), TokenFault::Claims),
        (json!({"tenant_id": null}), TokenFault::Claims),
        (json!({"exp": "9999999999"}), TokenFault::Claims),
        (json!({"nbf": "0"}), TokenFault::Claims),
        (json!({"sub": ""}), TokenFault::Claims),
        (json!({"sub": "a\nb"}), TokenFault::Claims),
        (json!({"sub": "x".repeat(257)}), TokenFault::Claims),
        (json!({"tenant_id": "mine"}), TokenFault::Claims),
        (json!({"tenant_id": NOBODY}), TokenFault::Claims),
        (json!({"account_id": NOBODY}), TokenFault::Claims),
        (json!({"account_id": 7}), TokenFault::Claims),
        (json!({"roles": "platform.admin"}), TokenFault::Claims),
    ];
    for (changes, expected) in bad {
        let found = fault(&identity, &issuer.token(changes.clone())).await;
        assert_eq!(found, Some(expected), "{changes}");
    }
}

#[tokio::test]
async fn a_token_cannot_choose_how_it_is_verified() {
    let issuer = Issuer::new();
    let identity = issuer.identity();
    let kid = issuer.key.kid();
    let public = issuer.key.jwks()["keys"][0]["x"]
        .as_str()
        .map(str::to_owned);
    let public = URL_SAFE_NO_PAD
        .decode(public.expect("a key"))
        .expect("base64");

    for name in ["none", "None", "NONE", ""] {
        let unsigned = message(&json!({"alg": name, "kid": kid}), &claims(json!({})));
        let found = fault(&identity, &format!("{unsigned}.")).await;
        assert_eq!(found, Some(TokenFault::Malformed), "{name}");
    }
    for secret in [public.clone(), URL_SAFE_NO_PAD.encode(&public).into_bytes()] {
        let message = message(&json!({"alg": "HS256", "kid": kid}), &claims(json!({})));
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let tag = URL_SAFE_NO_PAD.encode(hmac::sign(&key, message.as_bytes()));
        let found = fault(&identity, &format!("{message}.{tag}")).await;
        assert_eq!(found, Some(TokenFault::WrongAlgorithm));
    }
    let critical = json!({"alg": "EdDSA", "kid": kid, "crit": ["b64"], "b64": false});
    let critical = format!("{}.AAAA", message(&critical, &claims(json!({}))));
    assert_eq!(
        fault(&identity, &critical).await,
        Some(TokenFault::Critical)
    );
}

#[tokio::test]
async fn a_forged_token_is_not_believed() {
    let issuer = Issuer::new();
    let identity = issuer.identity();
    let token = issuer.token(json!({}));
    let parts: Vec<_> = token.split('.').collect();
    let admin = URL_SAFE_NO_PAD.encode(claims(json!({"roles": ["platform.admin"]})).to_string());
    let swapped = format!("{}.{admin}.{}", parts[0], parts[2]);
    assert_eq!(fault(&identity, &swapped).await, Some(TokenFault::Forged));
    let cut = &token[..token.len() - 10];
    assert_eq!(fault(&identity, cut).await, Some(TokenFault::Forged));

    let stranger = SigningKey::generate().expect("a key");
    let signed = stranger.sign_claims(&claims(json!({}))).expect("signed");
    assert_eq!(
        fault(&identity, &signed).await,
        Some(TokenFault::UnknownKey)
    );
    let header = json!({"alg": "EdDSA", "kid": issuer.key.kid()});
    let borrowed = message(&header, &claims(json!({})));
    let signature = signed.rsplit('.').next().expect("a signature");
    let borrowed = format!("{borrowed}.{signature}");
    assert_eq!(fault(&identity, &borrowed).await, Some(TokenFault::Forged));
}

#[tokio::test]
async fn the_name_of_a_key_is_only_looked_up() {
    let identity = Issuer::new().identity();
    for kid in [
        "",
        "../../etc/passwd",
        "/dev/null",
        "' or 1=1 --",
        "a\0b",
        "http://evil/",
    ] {
        let token = message(&json!({"alg": "EdDSA", "kid": kid}), &claims(json!({})));
        let found = fault(&identity, &format!("{token}.AAAA")).await;
        assert_eq!(found, Some(TokenFault::UnknownKey), "{kid:?}");
    }
    let nameless = message(&json!({"alg": "EdDSA"}), &claims(json!({})));
    let found = fault(&identity, &format!("{nameless}.AAAA")).await;
    assert_eq!(found, Some(TokenFault::NoKeyId));
}

#[tokio::test]
async fn what_is_no_token_is_told_apart() {
    let issuer = Issuer::new();
    let identity = issuer.identity();
    for text in [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "\u{1f600}",
        "e30.e30.e30",
    ] {
        assert_eq!(
            fault(&identity, text).await,
            Some(TokenFault::Malformed),
            "{text:?}"
        );
    }
    let long = issuer.token(json!({"scope": "x".repeat(8 * 1024)}));
    assert_eq!(fault(&identity, &long).await, Some(TokenFault::TooLong));
}

#[tokio::test]
async fn rsa_and_p256_keys_verify_what_they_signed() {
    let issuer = Issuer::new();
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).expect("a key");
    let point = pair.public_key().as_ref();
    let p256 = json!({
        "kty": "EC", "crv": "P-256", "kid": "p256",
        "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]),
    });
    let rsa: Value = serde_json::from_str(include_str!("tests/rs256.jwk.json")).expect("JSON");
    issuer.publish(&[json!({"keys": [p256, rsa]})]);
    let identity = issuer.identity();

    let message = message(&json!({"alg": "ES256", "kid": "p256"}), &claims(json!({})));
    let signature = pair.sign(&random, message.as_bytes()).expect("signed");
    let signature = URL_SAFE_NO_PAD.encode(signature);
    assert_eq!(
        fault(&identity, &format!("{message}.{signature}")).await,
        None
    );
    let rs256 = include_str!("tests/rs256.jwt").trim();
    assert_eq!(fault(&identity, rs256).await, None);
    let other = rs256.replacen("eyJhbGciOiJSUzI1NiI", "eyJhbGciOiJSUzM4NCI", 1);
    assert_eq!(
        fault(&identity, &other).await,
        Some(TokenFault::WrongAlgorithm)
    );
}
