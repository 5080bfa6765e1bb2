//! Calls of strangers, with a mark in every place of a token and in headers that nobody believes.

use hyper::Method;
use serde_json::{Value, json};
use tests::world::{PLATFORM, rest::RestClient};

use super::{Private, USAGE, good, refused};
use crate::{
    privacy::{
        arrivals::Whose,
        stage::{Stage, Trace},
    },
    rest::{
        fixture::DAYS,
        tokens::{claims, seconds, sign},
    },
};

/// Tokens that are no good, each for another reason.
fn tokens(stage: &Stage, private: &Private) -> Vec<String> {
    let (claim, subject) = (private.claim.text(), private.subject.text());
    let sound = claims(&subject, "platform.admin", PLATFORM.0);
    let with = |field: &str, value: Value| {
        let mut claims = sound.clone();
        claims[field] = value;
        stage.issuer.token(&claims)
    };
    let header = |field: &str, value: &str| {
        let mut header = stage.issuer.header();
        header[field] = json!(value);
        stage.issuer.signed(&header, &sound)
    };
    let nothing = json!({ "alg": "none", "kid": claim });
    vec![
        claim.clone(),
        format!("{claim}.{claim}.{claim}"),
        with("iss", json!(claim)),
        with("aud", json!(claim)),
        with("exp", json!(seconds() - 3_600)),
        with("tenant_id", json!(subject)),
        with("account_id", json!({ "of": subject })),
        with("roles", json!(claim)),
        header("kid", &claim),
        header("alg", &claim),
        sign(&nothing, &sound, |_| Vec::new()),
        stage.issuer.impostor().token(&sound),
    ]
}

/// Strangers, each with a credential that is no good, and at last somebody known; says what that
/// call is traced by.
pub(crate) async fn be_strangers(stage: &Stage, private: &Private, of: Whose) -> Trace {
    let path = format!("{USAGE}?{DAYS}&accountId={}", of.account);
    let mut strangers: Vec<RestClient> = Vec::new();
    let tokens = tokens(stage, private);
    strangers.extend(tokens.iter().map(|token| stage.rest.with_token(token)));
    let nobody = stage.rest.as_nobody();
    let (number, word) = (private.number.text(), private.word.text());
    for (name, value) in [
        ("authorization", format!("Basic {word}")),
        ("x-api-key-id", number.clone()),
        ("x-tenant-id", word.clone()),
        ("x-scopes", word.clone()),
        ("user-agent", word.clone()),
        ("x-forwarded-for", number.clone()),
        ("cookie", format!("who={word}")),
        ("traceparent", word.clone()),
        ("baggage", format!("who={word}")),
    ] {
        strangers.push(nobody.clone().saying(name, &value));
    }
    for stranger in strangers {
        let body = Some((
            "application/json",
            private.account(of.tenant).to_string().into(),
        ));
        let answer = stage
            .call("a stranger", &stranger, (Method::GET, &path), body)
            .await;
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    let known = stage.rest.as_platform_admin();
    let liar = known.clone().saying("x-tenant-id", &number);
    refused(
        &stage
            .call("a liar", &liar, (Method::GET, &path), None)
            .await,
    );
    let trace = Trace::fresh();
    let known = known.saying("traceparent", &trace.parent());
    let known = known.saying("tracestate", &format!("who={word}"));
    let known = known.saying("baggage", &format!("who={word}"));
    good(
        &stage
            .call("a traced call", &known, (Method::GET, &path), None)
            .await,
    );
    trace
}
