//! What is counted of calls.

use std::collections::BTreeSet;

use prometheus_client::{encoding::text::encode, registry::Registry};

use super::*;

/// Everything that is counted on `stand`, a line each.
fn told(stand: &Stand) -> BTreeSet<String> {
    let (mut registry, mut text) = (Registry::default(), String::new());
    stand.edge.metrics.register(&mut registry);
    encode(&mut text, &registry).expect("encodes");
    text.lines().map(ToOwned::to_owned).collect()
}

fn of_requests(route: &str, method: &str, class: &str, count: u32) -> String {
    let labels = format!("route=\"{route}\",method=\"{method}\",status_class=\"{class}\"");
    format!("billing_http_requests_total{{{labels}}} {count}")
}

#[tokio::test]
async fn calls_are_counted_by_declared_route_method_and_class_and_never_by_path() {
    let stand = Stand::new().await;
    for _ in 0..2 {
        assert_eq!(stand.get(&format!("{THING}?count=1")).await.status, 200);
    }
    assert_eq!(stand.get(&format!("{THING}?count=x")).await.status, 400);
    for path in ["/hunter2", "/v1/hunter2", "/v1/things/hunter2/more"] {
        assert_eq!(stand.get(path).await.status, 404);
    }
    let brewed = stand.send("HUNTER2 /v1/things HTTP/1.1\r\n", "").await;
    assert_eq!(brewed.status, 405);
    stand.get("/v1/fall").await;
    let told = told(&stand);
    let thing = "/v1/things/{thingId}";
    for line in [
        of_requests(thing, "GET", "2xx", 2),
        of_requests(thing, "GET", "4xx", 1),
        of_requests("none", "GET", "4xx", 3),
        of_requests("/v1/things", "OTHER", "4xx", 1),
        of_requests("/v1/fall", "GET", "5xx", 1),
        "billing_http_refusals_total{code=\"invalid_parameter\"} 1".to_owned(),
        "billing_http_refusals_total{code=\"no_such_route\"} 3".to_owned(),
        "billing_http_refusals_total{code=\"internal\"} 1".to_owned(),
        format!(
            "billing_http_request_duration_seconds_count{{route=\"{thing}\",method=\"GET\"}} 3"
        ),
    ] {
        assert!(told.contains(&line), "{line} of {told:#?}");
    }
    assert!(!format!("{told:?}").to_lowercase().contains("hunter2"));
}

#[tokio::test]
async fn a_call_beyond_the_limit_is_counted_too() {
    let stand = Stand::with(|_| {}, 1).await;
    stand.get(&format!("{THING}?count=1")).await;
    let answer = stand.get(&format!("{THING}?count=1")).await;
    assert_eq!(answer.status, 429);
    let told = told(&stand);
    assert!(told.contains(&of_requests("/v1/things/{thingId}", "GET", "4xx", 1)));
    assert!(told.contains("billing_http_refusals_total{code=\"too_many_requests\"} 1"));
}

#[tokio::test]
async fn calls_under_way_are_counted_until_they_are_answered_or_their_caller_goes_away() {
    let in_flight = |stand: &Stand, count: u32| {
        told(stand).contains(&format!("billing_http_requests_in_flight {count}"))
    };
    let stand = Stand::new().await;
    let bearer = stand.bearer("account.viewer");
    let mut caller = stand.connect().await;
    let head = format!("GET /v1/sleep HTTP/1.1\r\n{bearer}Host: x\r\n\r\n");
    caller.write_all(head.as_bytes()).await.expect("writes");
    let mut begun = false;
    while !begun {
        tokio::task::yield_now().await;
        begun = in_flight(&stand, 1);
    }
    drop(caller);
    while !in_flight(&stand, 0) {
        tokio::task::yield_now().await;
    }
    stand.get("/v1/sleep").await;
    assert!(in_flight(&stand, 0));
}
