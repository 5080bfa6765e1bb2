//! Versions of prices and costs: what may still be changed, by whom who knows what, and once.

use futures::future::join_all;
use hyper::Method;
use serde_json::{Value, json};
use tests::world::rest::{Answer, PLATFORM, RestClient};
use uuid::Uuid;

use crate::{
    fixture::run,
    rest::fixture::{
        Customer, Desk, cost_body, desk, done, list_price_body, opened, price_body, problem,
    },
};

const PRICES: &str = "/v1/admin/pricing";
const COSTS: &str = "/v1/admin/operator-costs";
/// Long ago.
const PAST: &str = "2026-02-01T00:00:00Z";
/// Not yet.
const FUTURE: &str = "2100-01-01T00:00:00Z";

/// One version of a price and one of a cost, and a change to each.
async fn versions(desk: &Desk) -> [(String, Value); 2] {
    let operator = Customer::nobody().operator;
    let price = opened(&desk.rest, PRICES, &list_price_body(operator)).await;
    let cost = opened(&desk.rest, COSTS, &cost_body(operator)).await;
    [
        (format!("{PRICES}/{price}"), json!({ "unitPrice": "0.05" })),
        (
            format!("{COSTS}/{cost}"),
            json!({ "costPerSegment": "0.03" }),
        ),
    ]
}

async fn call(caller: &RestClient, method: Method, path: &str, body: Option<&Value>) -> Answer {
    let answer = caller.call(method, path, body).await;
    answer.expect("an answer")
}

fn etag(answer: &Answer) -> String {
    answer.header("etag").expect("an ETag").to_owned()
}

#[test]
fn the_past_is_not_changed() {
    run(async {
        let desk = desk().await;
        let admin = desk.rest.as_billing_admin();
        for (path, change) in versions(desk).await {
            // Costs may be corrected.
            if path.starts_with(PRICES) {
                let in_past = (409, "period_in_past");
                let mut backdated = change.clone();
                backdated["effectiveFrom"] = json!(PAST);
                let answer = call(&admin, Method::PATCH, &path, Some(&backdated)).await;
                let (status, code, field) = problem(&answer);
                assert_eq!((status, code), in_past, "{path}");
                assert_eq!(field, "/effectiveFrom");
                let closing = format!("{path}?effectiveTo={PAST}");
                let answer = call(&admin, Method::DELETE, &closing, None).await;
                let (status, code, field) = problem(&answer);
                assert_eq!((status, code), in_past, "{path}");
                assert_eq!(field, "effectiveTo");
            }
            // Neither left anything; now it may be closed, and then it is history.
            let shown = call(&admin, Method::GET, &path, None).await;
            assert_eq!(shown.body["effectiveTo"], Value::Null);
            let closed = call(&admin, Method::DELETE, &path, None).await;
            assert_eq!(closed.status, 200, "{}", closed.text);
            for (method, body) in [(Method::DELETE, None), (Method::PATCH, Some(&change))] {
                let answer = call(&admin, method, &path, body).await;
                let (status, code, _) = problem(&answer);
                assert_eq!((status, code), (409, "already_closed"), "{path}");
            }
        }
        desk.is_calm();
    });
}

#[test]
fn a_version_that_has_not_begun_can_be_withdrawn() {
    run(async {
        let desk = desk().await;
        let operator = Customer::nobody().operator;
        for (path, mut body) in [
            (PRICES, list_price_body(operator)),
            (COSTS, cost_body(operator)),
        ] {
            body["effectiveFrom"] = json!(FUTURE);
            let id = opened(&desk.rest, path, &body).await;
            let one = format!("{path}/{id}");
            let closed = done(&desk.rest, Method::DELETE, &one, None).await;
            assert_eq!(closed["effectiveTo"], closed["effectiveFrom"]);
            let active = format!("{path}?operatorId={operator}");
            let none = done(&desk.rest, Method::GET, &active, None).await;
            assert_eq!(none["data"], json!([]));
            let history = format!("{active}&activeOnly=false");
            let all = done(&desk.rest, Method::GET, &history, None).await;
            assert_eq!(all["data"].as_array().map(Vec::len), Some(1));
            // Its place is free again.
            opened(&desk.rest, path, &body).await;
        }
    });
}

#[test]
fn who_has_not_seen_the_last_change_changes_nothing() {
    run(async {
        let desk = desk().await;
        let admin = desk.rest.as_billing_admin();
        for (path, change) in versions(desk).await {
            let seen = etag(&call(&admin, Method::GET, &path, None).await);
            let later = format!("{path}?effectiveTo={FUTURE}");
            let knowing = admin.clone().saying("if-match", &seen);
            let closed = call(&knowing, Method::DELETE, &later, None).await;
            assert_eq!(closed.status, 200, "{}", closed.text);
            assert_ne!(etag(&closed), seen);
            for (method, body) in [(Method::DELETE, None), (Method::PATCH, Some(&change))] {
                let answer = call(&knowing, method, &path, body).await;
                let expected = (412, "precondition_failed", "If-Match");
                assert_eq!(problem(&answer), expected);
            }
            for odd in ["7", "W/\"7\"", "\"-1\"", "\"7\", \"8\"", "\"Xaverine\""] {
                let odd = admin.clone().saying("if-match", odd);
                let answer = call(&odd, Method::PATCH, &path, Some(&change)).await;
                assert_eq!(problem(&answer), (400, "invalid_header", "If-Match"));
            }
            let knowing = admin.clone().saying("if-match", &etag(&closed));
            let replaced = call(&knowing, Method::PATCH, &path, Some(&change)).await;
            assert_eq!(replaced.status, 200, "{}", replaced.text);
        }
        desk.is_calm();
    });
}

#[test]
fn of_many_who_change_the_version_they_have_seen_at_once_one_does() {
    run(async {
        let desk = desk().await;
        let (node, other) = desk.node(&[]).await;
        for insist in [true, false] {
            for (path, change) in versions(desk).await {
                let admins = [desk.rest.as_billing_admin(), other.as_billing_admin()];
                let seen = etag(&call(&admins[0], Method::GET, &path, None).await);
                let calls = (0..12).map(|number| {
                    let mut caller = admins[number % 2].clone();
                    if insist {
                        caller = caller.saying("if-match", &seen);
                    }
                    let (path, change) = (path.clone(), change.clone());
                    async move { call(&caller, Method::PATCH, &path, Some(&change)).await }
                });
                let answers = join_all(calls).await;
                let good: Vec<_> = answers.iter().filter(|it| it.status == 200).collect();
                // Who insists on nothing may also end what another call in flight has just ended, a
                // moment earlier.
                let fair = if insist { 1..=1 } else { 1..=12 };
                assert!(fair.contains(&good.len()), "{answers:?}");
                for answer in answers.iter().filter(|it| it.status != 200) {
                    let (status, code, _) = problem(answer);
                    let expected = if insist {
                        (412, "precondition_failed")
                    } else {
                        (409, "already_closed")
                    };
                    assert_eq!((status, code), expected, "{}", answer.text);
                }
                // Whoever was refused left no version behind, and there is no gap between the others.
                let (list, _) = path.rsplit_once('/').expect("a path");
                let operator = &good[0].body["operatorId"];
                let operator: Uuid = serde_json::from_value(operator.clone()).expect("an id");
                let all = format!("{list}?operatorId={operator}&activeOnly=false");
                let all = done(&desk.rest, Method::GET, &all, None).await;
                let mut versions = all["data"].as_array().expect("a list").clone();
                assert_eq!(versions.len(), 1 + good.len(), "{all}");
                versions.sort_by_key(|version| version["effectiveFrom"].to_string());
                for pair in versions.windows(2) {
                    assert_eq!(pair[0]["effectiveTo"], pair[1]["effectiveFrom"], "{all}");
                }
                assert_eq!(versions[good.len()]["effectiveTo"], Value::Null);
            }
        }
        desk.is_calm();
        crate::rest::fixture::calm(&node);
        assert!(node.terminate().await.expect("it stops"));
    });
}

#[test]
fn the_same_key_with_the_same_body_is_done_once() {
    run(async {
        let desk = desk().await;
        let (node, other) = desk.node(&[]).await;
        let customer = Customer::nobody();
        for (path, body, field) in [
            (PRICES, price_body(customer), "unitPrice"),
            (COSTS, cost_body(customer.operator), "costPerSegment"),
        ] {
            let key = format!("key {}", customer.account);
            let keyed = |caller: RestClient| caller.saying("idempotency-key", &key);
            let admins = [&desk.rest, &other].map(|rest| keyed(rest.as_billing_admin()));
            let calls = (0..8).map(|number| {
                let (caller, body) = (admins[number % 2].clone(), body.clone());
                async move { call(&caller, Method::POST, path, Some(&body)).await }
            });
            let answers = join_all(calls).await;
            for answer in &answers {
                assert_eq!(answer.status, 201, "{}", answer.text);
                assert_eq!(answer.body, answers[0].body);
                assert_eq!(answer.header("location"), answers[0].header("location"));
                assert_eq!(etag(answer), etag(&answers[0]));
            }
            let list = format!("{path}?operatorId={}", customer.operator);
            let all = done(&desk.rest, Method::GET, &list, None).await;
            assert_eq!(all["data"].as_array().map(Vec::len), Some(1));
            let place = answers[0].header("location").expect("a place");
            let shown = done(&desk.rest, Method::GET, place, None).await;
            assert_eq!(shown, answers[0].body);

            let mut another = body.clone();
            another[field] = json!("0.07");
            let answer = call(&admins[0], Method::POST, path, Some(&another)).await;
            let expected = (422, "idempotency_key_reused", "Idempotency-Key");
            assert_eq!(problem(&answer), expected);
            // Without a key the same again is another wish, and its place is taken.
            let answer = call(
                &desk.rest.as_billing_admin(),
                Method::POST,
                path,
                Some(&body),
            )
            .await;
            assert_eq!(problem(&answer).1, "period_overlaps");
            for odd in ["", "é", &"x".repeat(129)] {
                let odd = desk.rest.as_billing_admin().saying("idempotency-key", odd);
                let answer = call(&odd, Method::POST, path, Some(&body)).await;
                assert_eq!(problem(&answer), (400, "invalid_header", "Idempotency-Key"));
            }
        }
        desk.is_calm();
        assert!(node.terminate().await.expect("it stops"));
    });
}

#[test]
fn a_key_is_its_callers_own() {
    run(async {
        let desk = desk().await;
        let (one, other) = (Customer::nobody(), Customer::nobody());
        let key = format!("key {}", one.account);
        let admin = |subject: &str| {
            let role = "platform.billing_admin";
            let caller = desk.rest.named(subject, role, PLATFORM, None);
            caller.saying("idempotency-key", &key)
        };
        let first = list_price_body(one.operator);
        let answer = call(&admin("anna"), Method::POST, PRICES, Some(&first)).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let second = list_price_body(other.operator);
        let answer = call(&admin("berta"), Method::POST, PRICES, Some(&second)).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
    });
}
