//! Keys come and go while we run.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, routing::get};
use serde_json::json;
use tokio::net::TcpListener;

use super::*;

#[tokio::test]
async fn a_new_key_is_found_and_a_withdrawn_one_forgotten() {
    let issuer = Issuer::new();
    let identity = issuer.identity();
    let old = issuer.token(json!({}));
    let next = SigningKey::generate().expect("a key");
    let new = next.sign_claims(&claims(json!({}))).expect("signed");
    assert_eq!(fault(&identity, &new).await, Some(TokenFault::UnknownKey));
    issuer.publish(&[issuer.key.jwks(), next.jwks()]);
    assert_eq!(fault(&identity, &new).await, None);
    assert_eq!(fault(&identity, &old).await, None);
    issuer.publish(&[next.jwks()]);
    // Somebody with an unknown key makes us read again.
    let stranger = SigningKey::generate().expect("a key");
    let strange = stranger.sign_claims(&claims(json!({}))).expect("signed");
    assert_eq!(
        fault(&identity, &strange).await,
        Some(TokenFault::UnknownKey)
    );
    assert_eq!(fault(&identity, &old).await, Some(TokenFault::UnknownKey));
    assert_eq!(fault(&identity, &new).await, None);
}

#[tokio::test]
async fn a_set_that_cannot_be_read_changes_nothing() {
    let issuer = Issuer::new();
    let identity = issuer.identity();
    let stranger = SigningKey::generate().expect("a key");
    let strange = stranger.sign_claims(&claims(json!({}))).expect("signed");
    for broken in [
        "",
        "{",
        "[]",
        "{\"keys\":{}}",
        "{\"keys\":null}",
        "{\"key\":[]}",
    ] {
        std::fs::write(issuer.file(), broken).expect("writes");
        assert_eq!(
            fault(&identity, &strange).await,
            Some(TokenFault::UnknownKey)
        );
        assert_eq!(
            fault(&identity, &issuer.token(json!({}))).await,
            None,
            "{broken}"
        );
    }
    let source = JwksSource::File(issuer.file());
    let error = Keys::new(source, Duration::ZERO, Duration::MAX);
    let error = error.expect_err("nothing at the start");
    assert!(error.to_string().starts_with("JWT_JWKS_FILE: "), "{error}");
}

#[tokio::test]
async fn a_set_without_a_key_for_us_withdraws_those_we_have() {
    for empty in [
        "{\"keys\":[]}",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\",\"kid\":\"a\"}]}",
    ] {
        let issuer = Issuer::new();
        let identity = issuer.identity();
        let token = issuer.token(json!({}));
        assert_eq!(fault(&identity, &token).await, None);
        std::fs::write(issuer.file(), empty).expect("writes");
        assert!(identity.keys.find("another").await.is_none());
        let found = fault(&identity, &token).await;
        assert_eq!(found, Some(TokenFault::UnknownKey), "{empty}");
        assert_eq!(identity.keys.count(), 0);
        // Who starts with such a set waits for another.
        let again = issuer.identity();
        issuer.publish(&[issuer.key.jwks()]);
        assert_eq!(fault(&again, &token).await, None);
    }
}

#[tokio::test]
async fn keys_that_cannot_be_read_again_end() {
    let issuer = Issuer::new();
    let source = JwksSource::File(issuer.file());
    // No time at all: what was read is too old at once.
    let keys = Keys::new(source, Duration::from_hours(1), Duration::ZERO).expect("keys");
    std::fs::remove_file(issuer.file()).expect("removed");
    assert!(keys.find(&issuer.key.kid()).await.is_none());
    assert_eq!(keys.count(), 0);
}

#[tokio::test]
async fn keys_for_something_else_are_left_out() {
    let issuer = Issuer::new();
    let mut set = issuer.key.jwks();
    for (field, value) in [("use", "enc"), ("alg", "RS256"), ("crv", "Ed448")] {
        let mut key = set["keys"][0].clone();
        key[field] = json!(value);
        key["kid"] = json!(field);
        set["keys"].as_array_mut().expect("keys").push(key);
    }
    issuer.publish(&[set]);
    let identity = issuer.identity();
    for kid in ["use", "alg", "crv"] {
        assert!(identity.keys.find(kid).await.is_none(), "{kid}");
    }
    assert!(identity.keys.find(&issuer.key.kid()).await.is_some());
}

#[tokio::test]
async fn an_issuer_is_asked_when_a_key_is_unknown_and_not_for_each_call() {
    let issuer = Issuer::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, set) = (Arc::clone(&asked), issuer.key.jwks().to_string());
    let answer = move || {
        count.fetch_add(1, Ordering::Relaxed);
        std::future::ready(set.clone())
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/keys", listener.local_addr().expect("an address"));
    let router = Router::new().route("/keys", get(answer));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let source = JwksSource::Url {
        url: url.parse().expect("an address"),
        ca: None,
    };
    let identity = identity_from(source, Duration::from_mins(1));
    let good = issuer.token(json!({}));
    let stranger = SigningKey::generate().expect("a key");
    let strange = stranger.sign_claims(&claims(json!({}))).expect("signed");
    for _ in 0..20 {
        let calls = [&good, &strange].map(|token| fault(&identity, token));
        let found = futures::future::join_all(calls).await;
        assert_eq!(found, [None, Some(TokenFault::UnknownKey)]);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    server.abort();
    assert_eq!(fault(&identity, &good).await, None, "the keys stay");
}
