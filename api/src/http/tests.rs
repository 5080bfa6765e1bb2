//! A whole server on this machine, spoken to byte by byte.

mod document;
mod fixture;
mod hostile;
mod log;
mod metrics;
mod tls;

use std::time::Duration;

use axum::{extract::State, http::Method};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use uuid::Uuid;

use super::{
    answer::{Created, Found, Tagged},
    body::Body,
    endpoint::Endpoint,
    headers::{ETag, IdempotencyKey, IfMatch},
    params::{Params, PathParams},
    problem::{Code, Problem},
};
use crate::{http::caller::CallerRef, identity::Right};
use fixture::{Stand, exchange};

/// What the endpoints of these tests work with.
#[derive(Clone)]
struct Shelf {
    colour: &'static str,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ThingPath {
    /// Which thing.
    thing_id: Uuid,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ThingQuery {
    /// How many.
    count: u8,
    /// In which colour.
    colour: Option<Colour>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Colour {
    Red,
    Green,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewThing {
    /// What it is called.
    name: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Thing {
    name: String,
    owner: String,
}

async fn show(
    State(shelf): State<Shelf>,
    caller: CallerRef,
    PathParams(path): PathParams<ThingPath>,
    Params(query): Params<ThingQuery>,
) -> Result<Tagged<Found<Thing>>, Problem> {
    if path.thing_id.is_nil() {
        return Err(Problem::new(Code::NotFound));
    }
    let colour = match query.colour {
        Some(Colour::Red) => "red",
        Some(Colour::Green) => "green",
        None => shelf.colour,
    };
    let name = format!("{} {colour}", query.count);
    let owner = caller.tenant().to_string();
    Ok(Tagged(ETag(7), Found(Thing { name, owner })))
}

async fn make(
    caller: CallerRef,
    condition: IfMatch,
    IdempotencyKey(_): IdempotencyKey,
    Body(thing): Body<NewThing>,
) -> Result<Created<Thing>, Problem> {
    condition.check(ETag(7))?;
    Ok(Created(Thing {
        name: thing.name,
        owner: caller.principal.subject.clone(),
    }))
}

async fn sleep() -> Found<()> {
    tokio::time::sleep(Duration::from_secs(30)).await;
    Found(())
}

async fn fall() -> Found<()> {
    panic!("the number is +4915112345")
}

fn endpoints() -> Vec<Endpoint<Shelf>> {
    vec![
        Endpoint::new(Method::GET, "/v1/things/{thingId}", show)
            .named("showThing", "One thing")
            .needs(Right::BillingRead)
            .may_refuse(&[Code::NotFound]),
        Endpoint::new(Method::POST, "/v1/things", make)
            .named("makeThing", "A new thing")
            .needs(Right::BillingAdmin),
        Endpoint::new(Method::GET, "/v1/sleep", sleep).named("sleep", "Takes long"),
        Endpoint::new(Method::GET, "/v1/fall", fall).named("fall", "Breaks"),
    ]
}

const THING: &str = "/v1/things/00000000-0000-4000-8000-000000000009";

#[tokio::test]
async fn a_good_request_gets_its_answer() {
    let stand = Stand::new().await;
    let answer = stand.get(&format!("{THING}?count=3")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({"name": "3 blue", "owner": fixture::TENANT})
    );
    assert_eq!(answer.header("etag"), Some("\"7\""));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("x-request-id").is_some());
    let json = "Content-Type: application/json; charset=\"UTF-8\"\r\nIf-Match: \"7\"\r\n";
    let answer = stand.post(json, "{\"name\":\"box\"}").await;
    assert_eq!((answer.status, &answer.body["name"]), (201, &json!("box")));
}

#[tokio::test]
async fn the_callers_request_id_comes_back() {
    let stand = Stand::new().await;
    let bearer = stand.bearer("account.viewer");
    let head = format!("GET {THING}?count=3 HTTP/1.1\r\n{bearer}X-Request-Id: mine_7\r\n");
    assert_eq!(
        stand.send(&head, "").await.header("x-request-id"),
        Some("mine_7")
    );
    let answer = stand
        .send("GET /nowhere HTTP/1.1\r\nX-Request-Id: a b\r\n", "")
        .await;
    assert_eq!(answer.problem(), (404, "no_such_route", ""));
}

#[tokio::test]
async fn who_is_not_known_or_may_not_is_told() {
    let stand = Stand::new().await;
    let answer = stand.send(&format!("GET {THING} HTTP/1.1\r\n"), "").await;
    assert_eq!(answer.problem(), (401, "no_credentials", ""));
    assert_eq!(answer.header("www-authenticate"), Some("bearer"));
    let forged = format!("GET {THING} HTTP/1.1\r\nAuthorization: Bearer a.b.c\r\n");
    let answer = stand.send(&forged, "").await;
    assert_eq!(answer.problem(), (401, "invalid_token", ""));
    assert_eq!(
        answer.header("www-authenticate"),
        Some("bearer error=\"invalid_token\"")
    );
    let bearer = stand.bearer("account.viewer");
    let answer = stand
        .send(&format!("POST /v1/things HTTP/1.1\r\n{bearer}"), "")
        .await;
    assert_eq!(answer.problem(), (403, "right_missing", ""));
    let kong = "X-Api-Key-Id: k\r\nX-Tenant-Id: 00000000-0000-4000-8000-000000000001\r\n";
    let answer = stand
        .send(&format!("GET {THING} HTTP/1.1\r\n{kong}"), "")
        .await;
    assert_eq!(answer.problem(), (401, "no_credentials", ""));
    let other = format!(
        "GET {THING} HTTP/1.1\r\n{bearer}X-Tenant-Id: {}\r\n",
        Uuid::max()
    );
    assert_eq!(
        stand.send(&other, "").await.problem(),
        (403, "tenant_mismatch", "X-Tenant-Id")
    );
}

#[tokio::test]
async fn methods_that_are_not_there_are_refused_with_those_that_are() {
    let stand = Stand::new().await;
    for method in ["DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        let answer = stand
            .send(&format!("{method} /v1/things HTTP/1.1\r\n"), "")
            .await;
        assert_eq!(
            answer.problem(),
            (405, "method_not_allowed", ""),
            "{method}"
        );
        assert_eq!(answer.header("allow"), Some("post"));
    }
}

#[tokio::test]
async fn a_handler_that_takes_too_long_or_falls_is_answered_for() {
    let stand = Stand::new().await;
    assert_eq!(
        stand.get("/v1/sleep").await.problem(),
        (503, "timed_out", "")
    );
    let answer = stand.get("/v1/fall").await;
    assert_eq!(answer.problem(), (500, "internal", ""));
    assert!(!answer.body.to_string().contains("4915112345"));
    assert_eq!(
        stand.get(&format!("{THING}?count=1")).await.status,
        200,
        "the server lives"
    );
}

#[tokio::test]
async fn a_caller_that_calls_too_often_waits() {
    let stand = Stand::with(|_| {}, 3).await;
    for _ in 0..3 {
        assert_eq!(stand.get(&format!("{THING}?count=1")).await.status, 200);
    }
    let answer = stand.get(&format!("{THING}?count=1")).await;
    assert_eq!(answer.problem(), (429, "too_many_requests", ""));
    assert_eq!(answer.header("retry-after"), Some("1"));
    for _ in 0..3 {
        let answer = stand.send(&format!("GET {THING} HTTP/1.1\r\n"), "").await;
        assert_eq!(answer.status, 401, "strangers have their own allowance");
    }
    let answer = stand.send(&format!("GET {THING} HTTP/1.1\r\n"), "").await;
    assert_eq!(answer.status, 429);
}

#[tokio::test]
async fn what_was_begun_is_finished_and_nothing_new_taken() {
    let stand = Stand::new().await;
    let idle = stand.connect().await;
    let bearer = stand.bearer("account.viewer");
    let slow = tokio::spawn(exchange(
        stand.connect().await,
        &*format!("GET /v1/sleep HTTP/1.1\r\n{bearer}").leak(),
        "",
    ));
    tokio::time::sleep(Duration::from_millis(100)).await;
    stand.shutdown.request();
    let answer = slow.await.expect("an answer");
    assert_eq!(answer.status, 503, "the answer it would have got anyway");
    stand.task.await.expect("ends by itself");
    assert!(TcpStream::connect(stand.address).await.is_err());
    drop(idle);
}
