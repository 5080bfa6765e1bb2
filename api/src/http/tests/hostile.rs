//! Whatever is sent, the answer is a problem with its place and never a 5xx.

use super::*;

const JSON: &str = "Content-Type: application/json\r\n";

#[tokio::test]
async fn queries_and_paths_are_read_strictly() {
    let stand = Stand::new().await;
    let huge = "?count=99999999999999999999999999";
    for (query, expected) in [
        ("", (400, "missing_parameter", "count")),
        ("?count=1&hunter2=x", (400, "unknown_parameter", "")),
        ("?count=1&count=2", (400, "repeated_parameter", "")),
        ("?count=1&colour=", (400, "invalid_parameter", "colour")),
        (
            "?count=1&colour=red%00",
            (400, "invalid_parameter", "colour"),
        ),
        ("?count=-1", (400, "invalid_parameter", "count")),
        ("?count=256", (400, "invalid_parameter", "count")),
        ("?count=1e1", (400, "invalid_parameter", "count")),
        (huge, (400, "invalid_parameter", "count")),
        ("?count=1%", (400, "malformed_query", "")),
        ("?count=%ff", (400, "malformed_query", "")),
        ("?%00=1", (400, "unknown_parameter", "")),
    ] {
        let answer = stand.get(&format!("{THING}{query}")).await;
        assert_eq!(answer.problem(), expected, "{query}");
        assert!(!answer.body.to_string().contains("hunter2"));
    }
    for id in ["x", "%00", "%ff", "1", "..%2f..", "'%20or%201=1", "%zz"] {
        let answer = stand.get(&format!("/v1/things/{id}?count=1")).await;
        assert_eq!(answer.problem().1, "invalid_parameter", "{id}");
    }
    let nil = Uuid::nil();
    let answer = stand.get(&format!("/v1/things/{nil}?count=1")).await;
    assert_eq!(answer.problem(), (404, "not_found", ""));
}

#[tokio::test]
async fn bodies_are_read_strictly() {
    let stand = Stand::new().await;
    let deep = "[".repeat(900);
    for (body, expected) in [
        ("", (400, "malformed_json", "")),
        ("{", (400, "malformed_json", "")),
        ("{\"name\":\"a\"} x", (400, "malformed_json", "")),
        (
            "{\"name\":\"a\",\"name\":\"b\"}",
            (400, "malformed_json", ""),
        ),
        ("{\"name\":\"\\ud800\"}", (400, "malformed_json", "")),
        ("{\"name\":1e400}", (400, "invalid_field", "/name")),
        (&deep, (400, "malformed_json", "")),
        ("{}", (400, "missing_field", "/name")),
        ("[]", (400, "invalid_field", "")),
        ("null", (400, "invalid_field", "")),
        ("{\"name\":7}", (400, "invalid_field", "/name")),
        ("{\"name\":\"a\\u0000b\"}", (400, "invalid_field", "/name")),
        ("{\"name\":\"a\",\"hunter2\":1}", (400, "unknown_field", "")),
    ] {
        let answer = stand.post(JSON, body).await;
        assert_eq!(answer.problem(), expected, "{body}");
        assert!(!answer.body.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn only_plain_json_is_read() {
    let stand = Stand::new().await;
    let zipped = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
    for (headers, field) in [
        ("", "Content-Type"),
        ("Content-Type: text/plain\r\n", "Content-Type"),
        (
            "Content-Type: application/json; charset=latin1\r\n",
            "Content-Type",
        ),
        ("Content-Type: application/jsonx\r\n", "Content-Type"),
        (zipped, "Content-Encoding"),
    ] {
        let answer = stand.post(headers, "{\"name\":\"a\"}").await;
        assert_eq!(answer.problem(), (415, "unsupported_media_type", field));
    }
}

#[tokio::test]
async fn conditions_and_keys_of_another_form_are_refused() {
    let stand = Stand::new().await;
    for (header, expected) in [
        ("If-Match: 7", (400, "invalid_header", "If-Match")),
        ("If-Match: \"8\"", (412, "precondition_failed", "If-Match")),
        (
            "Idempotency-Key: \u{e9}",
            (400, "invalid_header", "Idempotency-Key"),
        ),
    ] {
        let answer = stand
            .post(&format!("{JSON}{header}\r\n"), "{\"name\":\"a\"}")
            .await;
        assert_eq!(answer.problem(), expected, "{header}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_or_too_slow_is_not_waited_for() {
    let stand = Stand::new().await;
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(2_000));
    let too_long = (413, "body_too_large", "");
    assert_eq!(stand.post(JSON, &long).await.problem(), too_long);
    let bearer = stand.bearer("platform.billing_admin");
    let head = format!("POST /v1/things HTTP/1.1\r\n{bearer}{JSON}");
    let chunks = format!("{:x}\r\n{long}\r\n0\r\n\r\n", long.len());
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n");
    assert_eq!(stand.send(&chunked, &chunks).await.problem(), too_long);
    let promised = format!("{head}Content-Length: 100\r\n");
    let answer = stand.send(&promised, "{\"na").await;
    assert_eq!(answer.problem(), (408, "body_too_slow", ""));
}

#[tokio::test]
async fn a_client_that_dribbles_its_headers_loses_its_connection() {
    let stand = Stand::with(|options| options.connections_max = 1, 1_000).await;
    let mut slow = stand.connect().await;
    let begun = b"GET / HTTP/1.1\r\nHost: x\r\n";
    slow.write_all(begun).await.expect("writes");
    // The only connection is taken, and given back when its time is over.
    let answer = stand.get(&format!("{THING}?count=1")).await;
    assert_eq!(answer.status, 200);
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP/1.1 2"));
}

#[tokio::test]
async fn what_is_not_http_is_not_answered_with_an_error_of_ours() {
    let stand = Stand::new().await;
    for junk in [
        "\0\0\0\0\r\n\r\n",
        "GET / HTTP/1.1\r\nA\0: b\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
    ] {
        let mut stream = stand.connect().await;
        stream.write_all(junk.as_bytes()).await.expect("writes");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1.1 5"), "{junk:?}");
    }
    let answer = stand.get(&format!("{THING}?count=1")).await;
    assert_eq!(answer.status, 200);
}
