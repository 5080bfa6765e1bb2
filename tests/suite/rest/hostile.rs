//! Requests that no client library would send: whatever comes, what goes back is no mistake of
//! ours and no echo, and the next caller is served.

use tests::world::rest::RestClient;

use super::{
    fixture::{DAYS, MARK, desk, problem},
    raw::exchange,
};
use crate::fixture::run;

const USAGE: &str = "/v1/billing/usage";

#[test]
fn what_is_not_http_gets_no_answer_of_ours() {
    run(async {
        let desk = desk().await;
        let long_line = format!("GET /{} HTTP/1.1\r\n\r\n", MARK.repeat(20_000));
        let many_headers = format!(
            "GET / HTTP/1.1\r\nHost: x\r\n{}\r\n",
            format!("X-{MARK}: 1\r\n").repeat(5_000)
        );
        let smuggled = format!(
            "POST /v1/admin/pricing HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\
             Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\nGET /{MARK} HTTP/1.1\r\n\r\n"
        );
        let junk: Vec<Vec<u8>> = vec![
            vec![0; 4_096],
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
            b"GET / HTTP/9.9\r\n\r\n".to_vec(),
            b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n".to_vec(),
            b"GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n".to_vec(),
            b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
            b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(),
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".to_vec(),
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n"
                .to_vec(),
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec(),
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            long_line.into(),
            many_headers.into(),
            smuggled.into(),
        ];
        for bytes in junk {
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
            exchange(&desk.billing, &bytes).await.harmless(&shown);
        }
        let alive = desk.rest.as_nobody().get("/openapi.json").await;
        assert_eq!(alive.expect("an answer").status, 200);
        desk.is_calm();
    });
}

/// Addresses, and how each is answered; the first ones to a customer, the others to an admin.
const QUERIES: [(&str, u16, &str); 9] = [
    ("a=%", 400, "malformed_query"),
    ("a=%zz", 400, "malformed_query"),
    ("%ff=1", 400, "malformed_query"),
    ("operatorId=%c3%28", 400, "malformed_query"),
    ("operatorId=%00", 400, "invalid_parameter"),
    ("operatorId=%27%20or%201=1--", 400, "invalid_parameter"),
    ("accountId=..%2f..%2fetc%2fpasswd", 400, "invalid_parameter"),
    ("Xaverine=1", 400, "unknown_parameter"),
    ("access_token=Xaverine", 400, "unknown_parameter"),
];
const ROUTES: [&str; 5] = [
    "/v1/billing/usage/",
    "//v1/billing/usage",
    "/v1/./billing/usage",
    "/v1/billing%2fusage",
    "/V1/billing/usage",
];
const PRICES: [(&str, u16, &str); 13] = [
    ("/%ff", 400, "invalid_parameter"),
    ("/%00", 400, "invalid_parameter"),
    ("/..%2f..%2fetc%2fpasswd", 400, "invalid_parameter"),
    ("/%27%20or%201=1", 400, "invalid_parameter"),
    ("/Xaverine", 400, "invalid_parameter"),
    ("?limit=0", 400, "invalid_parameter"),
    ("?limit=51", 400, "invalid_parameter"),
    ("?limit=+5", 400, "invalid_parameter"),
    ("?limit=18446744073709551616", 400, "invalid_parameter"),
    ("?activeOnly=1", 400, "invalid_parameter"),
    ("?accountTier=Xaverine", 400, "invalid_parameter"),
    ("?cursor=Xaverine", 400, "invalid_cursor"),
    ("?cursor=", 400, "invalid_cursor"),
];

#[test]
fn addresses_are_read_strictly() {
    run(async {
        let desk = desk().await;
        let of = desk.customer().await;
        let ask = async |caller: &RestClient, target: &str| {
            let token = caller.token().await.expect("made").expect("one");
            let head = format!("GET {target} HTTP/1.1\r\nAuthorization: Bearer {token}");
            let request = format!("{head}\r\nHost: x\r\nConnection: close\r\n\r\n");
            let answer = exchange(&desk.billing, request.as_bytes()).await;
            answer.harmless(target);
            (answer.status.expect("an answer"), answer.code())
        };
        let viewer = desk.rest.as_customer(of.tenant, of.account);
        for (query, status, code) in QUERIES {
            let told = ask(&viewer, &format!("{USAGE}?{DAYS}&{query}")).await;
            assert_eq!(told, (status, code.to_owned()), "{query}");
        }
        let many = format!("{USAGE}?{DAYS}&{}", "a=1&".repeat(100));
        let told = ask(&viewer, &many).await;
        assert_eq!(told, (400, "malformed_query".to_owned()));
        for route in ROUTES {
            let told = ask(&viewer, &format!("{route}?{DAYS}")).await;
            assert_eq!(told, (404, "no_such_route".to_owned()), "{route}");
        }
        let admin = desk.rest.as_billing_admin();
        let long = format!("/{}", "9".repeat(9_000));
        let long = [(long.as_str(), 400, "invalid_parameter")];
        for (rest, status, code) in PRICES.into_iter().chain(long) {
            let told = ask(&admin, &format!("/v1/admin/pricing{rest}")).await;
            assert_eq!(told, (status, code.to_owned()), "{rest}");
        }
        desk.is_calm();
    });
}

#[test]
fn a_cursor_leads_on_in_its_own_list_alone() {
    run(async {
        let desk = desk().await;
        let operator = super::fixture::Customer::nobody().operator;
        let admin = desk.rest.as_billing_admin();
        let prices = "/v1/admin/pricing";
        for tier in ["STARTER", "GROWTH", "CUSTOM"] {
            let mut body = super::fixture::list_price_body(operator);
            body["accountTier"] = serde_json::json!(tier);
            super::fixture::opened(&desk.rest, prices, &body).await;
        }
        let list = format!("{prices}?operatorId={operator}&limit=2");
        let first = admin.get(&list).await.expect("an answer").body;
        let cursor = first["nextCursor"].as_str().expect("there is more");
        let second = admin.get(&format!("{list}&cursor={cursor}")).await;
        let second = second.expect("an answer").body;
        let rows = |page: &serde_json::Value| page["data"].as_array().map(Vec::len);
        assert_eq!((rows(&first), rows(&second)), (Some(2), Some(1)));
        assert!(second["nextCursor"].is_null());
        let shorter = &cursor[1..];
        for elsewhere in [
            format!("{prices}?limit=2&cursor={cursor}"),
            format!("{list}&activeOnly=false&cursor={cursor}"),
            format!("/v1/admin/operator-costs?operatorId={operator}&cursor={cursor}"),
            format!("/v1/admin/held-charges?cursor={cursor}"),
            format!("{list}&cursor={shorter}"),
        ] {
            let answer = admin.get(&elsewhere).await.expect("an answer");
            let expected = (400, "invalid_cursor", "cursor");
            assert_eq!(problem(&answer), expected, "{elsewhere}");
        }
    });
}
