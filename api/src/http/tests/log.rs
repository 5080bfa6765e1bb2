//! What one request leaves in the log.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use super::*;

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .expect("not poisoned")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_request_is_told_by_its_route_and_caller_and_nothing_it_sent() {
    let paper = Paper::default();
    let writer = paper.clone();
    let lines = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_writer(move || writer.clone())
        .finish();
    // While there is but one subscriber, whichever thread comes first to a line decides for all
    // whether it is told, and other tests have no subscriber.
    let _other = tracing::Dispatch::new(tracing_subscriber::registry());
    let _told = tracing::subscriber::set_default(lines);
    let stand = Stand::new().await;
    let bearer = stand.bearer("account.viewer");
    let secret = format!("X-Secret: hunter2\r\nX-Request-Id: r-1\r\n{bearer}");
    let head = format!("GET {THING}?count=1&hunter2=hunter2 HTTP/1.1\r\n{secret}");
    assert_eq!(stand.send(&head, "").await.status, 400);
    stand.send("HUNTER2 /hunter2 HTTP/1.1\r\n", "").await;

    let text = String::from_utf8(paper.0.lock().expect("not poisoned").clone());
    let text = text.expect("UTF-8");
    assert!(!text.to_lowercase().contains("hunter2"), "{text}");
    let lines = text.lines().map(serde_json::from_str::<Value>);
    let lines: Vec<_> = lines.map(|line| line.expect("a JSON object")).collect();
    let requests = lines.iter().filter(|line| line["event"] == "http.request");
    let [known, stranger] = requests.collect::<Vec<_>>()[..] else {
        panic!("two requests in {text}")
    };
    for (name, value) in [
        ("method", json!("GET")),
        ("route", json!("/v1/things/{thingId}")),
        ("status", json!(400)),
        ("problem", json!("unknown_parameter")),
        ("subject", json!("somebody")),
        ("caller", json!("token")),
    ] {
        assert_eq!(known[name], value, "{name}");
    }
    // A line stays when a tenant is erased, so it must not name it.
    let tenant = super::fixture::TENANT.to_string();
    assert!(!text.contains(&tenant), "{text}");
    let id = known["request_id"].as_str().expect("an id");
    assert!(uuid::Uuid::parse_str(id).is_ok(), "it is ours: {id}");
    assert!(!text.contains("r-1"), "{text}");
    assert!(known["duration_ms"].is_u64() && known["account_id"].is_null());
    assert_eq!(
        (&stranger["method"], &stranger["route"]),
        (&json!("OTHER"), &json!("none"))
    );
}
