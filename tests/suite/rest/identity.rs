//! Which tokens the service believes.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    fixture::{DAYS, desk, problem},
    tokens::{Elliptic, claims, seconds, sign, symmetric},
};
use crate::fixture::{eventually, run, unique};

/// The claims of somebody who may read, with some of them different; null takes one away.
fn but(different: &Value) -> Value {
    let mut claims = claims("anna", "account.viewer", Uuid::from_u128(7));
    claims["account_id"] = json!(Uuid::from_u128(8));
    let all = claims.as_object_mut().expect("an object");
    for (name, value) in different.as_object().expect("an object") {
        if value.is_null() {
            assert!(all.remove(name).is_some(), "{name} was there");
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    claims
}

/// How `token` is answered.
async fn answered(token: &str) -> (u16, Option<String>) {
    let rest = &desk().await.rest;
    let answer = rest.with_token(token).get(&usage()).await;
    let answer = answer.expect("an answer");
    if answer.status != 200 {
        problem(&answer);
        assert!(answer.header("www-authenticate").is_some());
    }
    (answer.status, answer.code().map(str::to_owned))
}

fn usage() -> String {
    format!("/v1/billing/usage?{DAYS}")
}

const REFUSED: &str = "invalid_token";

#[test]
fn a_token_is_believed_by_its_signature_time_issuer_and_audience() {
    run(async {
        let issuer = &desk().await.issuer;
        let now = seconds();
        for good in [
            json!({}),
            json!({ "aud": ["other", "tollbook-billing"] }),
            json!({ "nbf": null, "iat": null }),
            // Clocks may be half a minute apart.
            json!({ "exp": now - 5 }),
            json!({ "nbf": now + 5 }),
        ] {
            let token = issuer.token(&but(&good));
            assert_eq!(answered(&token).await, (200, None), "{good}");
        }
        for wrong in [
            json!({ "exp": now - 60 }),
            json!({ "nbf": now + 120 }),
            json!({ "iss": "https://identity.tollbook.test.evil.example" }),
            json!({ "iss": null }),
            json!({ "aud": "tollbook" }),
            json!({ "aud": [] }),
            json!({ "aud": null }),
            json!({ "exp": null }),
            json!({ "exp": "tomorrow" }),
            json!({ "sub": null }),
            json!({ "sub": "" }),
            json!({ "sub": "a\nb" }),
            json!({ "sub": "x".repeat(257) }),
            json!({ "tenant_id": null }),
            json!({ "tenant_id": "mine" }),
            json!({ "tenant_id": [Uuid::from_u128(7)] }),
            json!({ "account_id": "mine" }),
            json!({ "roles": "account.viewer" }),
        ] {
            let token = issuer.token(&but(&wrong));
            let told = answered(&token).await;
            assert_eq!(told, (401, Some(REFUSED.to_owned())), "{wrong}");
        }
        // Nothing is missing of these; they only give no right.
        for roles in [json!([]), json!(["admin", "*", "platform.*"])] {
            let token = issuer.token(&but(&json!({ "roles": roles })));
            assert_eq!(answered_forbidden(&token).await, "right_missing");
        }
        desk().await.is_calm();
    });
}

async fn answered_forbidden(token: &str) -> String {
    let answer = desk().await.rest.with_token(token).get(&usage()).await;
    let answer = answer.expect("an answer");
    let (status, code, _) = problem(&answer);
    assert_eq!(status, 403);
    code.to_owned()
}

#[test]
fn a_forged_token_is_refused_however_it_is_made() {
    run(async {
        let issuer = &desk().await.issuer;
        let (good, header) = (but(&json!({})), issuer.header());
        let with = |name: &str, value: Value| {
            let mut header = issuer.header();
            header[name] = value;
            header
        };
        let unsigned = |_: &[u8]| Vec::new();
        let right = issuer.token(&good);
        let [head, body, signature] = right.split('.').collect::<Vec<_>>()[..] else {
            panic!("three parts")
        };
        let other = issuer.token(&but(&json!({ "roles": ["platform.admin"] })));
        let their_body = other.split('.').nth(1).expect("claims");
        let spare = issuer.token(&but(&json!({ "sub": "berta" })));
        let their_signature = spare.split('.').nth(2).expect("a signature");
        let secrets: [&[u8]; 3] = [issuer.public(), issuer.jwks.as_bytes(), b""];
        let mut tokens = vec![
            sign(&with("alg", json!("none")), &good, unsigned),
            sign(&with("alg", json!("None")), &good, unsigned),
            sign(&with("alg", json!("")), &good, unsigned),
            sign(&header, &good, unsigned),
            sign(&header, &good, |_| vec![0; 64]),
            issuer.impostor().token(&good),
            issuer.signed(&with("alg", json!("RS256")), &good),
            issuer.signed(&with("alg", json!("ES256")), &good),
            issuer.signed(&with("kid", json!("../../etc/passwd")), &good),
            issuer.signed(&with("kid", json!("' or 1=1 --")), &good),
            issuer.signed(&with("kid", Value::Null), &good),
            issuer.signed(&with("crit", json!(["exp"])), &good),
            format!("{head}.{their_body}.{signature}"),
            format!("{head}.{body}.{their_signature}"),
            format!("{head}.{body}"),
            format!("{right}.{signature}"),
            format!("{head}..{signature}"),
            right[..right.len() - 2].to_owned(),
            "..".to_owned(),
            "x".repeat(9_000),
        ];
        // A verifier that lets the token choose the algorithm takes the public key for a secret.
        for secret in secrets {
            for alg in ["HS256", "HS384", "HS512"] {
                tokens.push(sign(&with("alg", json!(alg)), &good, symmetric(secret)));
            }
        }
        for token in tokens {
            let told = answered(&token).await;
            assert_eq!(told, (401, Some(REFUSED.to_owned())), "{token}");
        }
        assert_eq!(answered(&right).await, (200, None), "and this one is good");
        desk().await.is_calm();
    });
}

#[test]
fn a_token_is_shown_in_one_way() {
    run(async {
        let desk = desk().await;
        let token = desk.issuer.token(&but(&json!({})));
        let ask = async |headers: &[&str], path: &str| {
            let mut caller = desk.rest.as_nobody();
            for header in headers {
                caller = caller.saying("authorization", header);
            }
            let answer = caller.get(path).await.expect("an answer");
            (answer.status, answer.code().map(str::to_owned))
        };
        let bearer = format!("Bearer {token}");
        let (path, nobody) = (usage(), Some("no_credentials".to_owned()));
        assert_eq!(ask(&[&bearer], &path).await, (200, None));
        let two = [bearer.as_str(), bearer.as_str()];
        assert_eq!(ask(&two, &path).await, (401, Some(REFUSED.to_owned())));
        for odd in [&format!("Basic {token}"), &token, "Bearer"] {
            assert_eq!(ask(&[odd], &path).await, (401, nobody.clone()));
        }
        // Addresses end up in logs, so tokens have no place there.
        let in_query = format!("{path}&access_token={token}");
        assert_eq!(ask(&[], &in_query).await, (401, nobody));
        assert!(!desk.billing.log().contains(&token));
    });
}

#[test]
fn new_keys_are_believed_and_withdrawn_ones_are_not_without_a_restart() {
    run(async {
        let desk = desk().await;
        let path = desk.world.path(&format!("jwks-{}.json", unique().simple()));
        std::fs::write(&path, &desk.issuer.jwks).expect("written");
        let file = path.display().to_string();
        let (node, rest) = desk.node(&[("JWT_JWKS_FILE", &file)]).await;
        let pid = node.pid();
        let claims = but(&json!({}));
        let (old, next) = (desk.issuer.token(&claims), Elliptic::new());
        let new = next.token(&claims);
        let status = async |token: &str| {
            let answer = rest.with_token(token).get(&usage()).await;
            answer.expect("an answer").status
        };
        assert_eq!((status(&old).await, status(&new).await), (200, 401));
        // A set that cannot be read is waited out with the keys there are.
        std::fs::write(&path, "{\"keys\": [").expect("written");
        eventually("the broken file is told", async || {
            let told = node.log().contains("identity.keys_unreadable");
            told.then_some(())
        })
        .await;
        assert_eq!(status(&old).await, 200);
        std::fs::write(&path, next.jwks()).expect("written");
        eventually("the new key is believed", async || {
            (status(&new).await == 200).then_some(())
        })
        .await;
        assert_eq!(status(&old).await, 401, "the old one is withdrawn");
        assert_eq!(node.pid(), pid);
        super::fixture::calm(&node);
        assert!(node.terminate().await.expect("it stops"));
    });
}
