//! Bodies that are not what the API takes, for every endpoint that takes one.

use bytes::Bytes;
use hyper::Method;
use serde_json::json;

use super::fixture::{Customer, MARK, account_body, cost_body, desk, opened, price_body, problem};
use crate::fixture::run;

/// Every call with a body, each a good one.
async fn calls() -> Vec<(Method, String, String)> {
    let desk = desk().await;
    let of = Customer::nobody();
    let (prices, costs) = ("/v1/admin/pricing", "/v1/admin/operator-costs");
    let price = opened(&desk.rest, prices, &price_body(of)).await;
    let cost = opened(&desk.rest, costs, &cost_body(of.operator)).await;
    let fresh = Customer::nobody();
    [
        (
            Method::PUT,
            format!("/v1/admin/accounts/{}", of.account),
            account_body(of.tenant),
        ),
        (Method::POST, prices.to_owned(), price_body(fresh)),
        (Method::POST, costs.to_owned(), cost_body(fresh.operator)),
        (
            Method::PATCH,
            format!("{prices}/{price}"),
            json!({ "unitPrice": "0.05" }),
        ),
        (
            Method::PATCH,
            format!("{costs}/{cost}"),
            json!({ "costPerSegment": "0.05" }),
        ),
    ]
    .map(|(method, path, body)| (method, path, body.to_string()))
    .into()
}

#[test]
fn a_body_that_cannot_be_read_is_refused() {
    run(async {
        let desk = desk().await;
        let admin = desk.rest.as_billing_admin();
        for (method, path, good) in calls().await {
            let (head, tail) = good.split_at(1);
            let twice = format!("{head}\"currency\":\"EUR\",\"currency\":\"USD\",{tail}");
            let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
            let deep_field = format!("{head}\"x\":{deep},{tail}");
            let malformed: Vec<Vec<u8>> = vec![
                Vec::new(),
                good[..good.len() - 1].into(),
                format!("{good}{good}").into(),
                format!("\u{feff}{good}").into(),
                good.replace('"', "'").into(),
                twice.into(),
                deep.into(),
                deep_field.into(),
                good.replacen(":\"", ":\"\\ud800", 1).into(),
                [good.as_bytes(), b"\xff"].concat(),
                good.bytes().flat_map(|byte| [byte, 0]).collect(),
                format!("{head}\"{MARK}\":NaN,{tail}").into(),
            ];
            for body in malformed {
                let shown = String::from_utf8_lossy(&body)
                    .chars()
                    .take(60)
                    .collect::<String>();
                let body = Some(("application/json", Bytes::from(body)));
                let answer = admin.send(method.clone(), &path, body).await;
                let answer = answer.expect("an answer");
                let (status, code, _) = problem(&answer);
                assert_eq!((status, code), (400, "malformed_json"), "{path}: {shown}");
            }
            for odd in ["null", "[]", "7", "\"Xaverine\""] {
                let body = Some(("application/json", Bytes::from(odd)));
                let answer = admin.send(method.clone(), &path, body).await;
                let answer = answer.expect("an answer");
                assert_eq!(
                    problem(&answer),
                    (400, "invalid_field", ""),
                    "{path}: {odd}"
                );
            }
            let unknown = format!("{head}\"{MARK}\":1,\"__proto__\":{{}},{tail}");
            let body = Some(("application/json", Bytes::from(unknown)));
            let answer = admin.send(method, &path, body).await.expect("an answer");
            assert_eq!(problem(&answer).1, "unknown_field", "{path}");
        }
        desk.is_calm();
    });
}

#[test]
fn a_body_of_another_kind_or_size_is_refused() {
    run(async {
        let desk = desk().await;
        let admin = desk.rest.as_billing_admin();
        for (method, path, good) in calls().await {
            let long = Bytes::from(format!("{good}{}", " ".repeat(70_000)));
            let body = Some(("application/json", long));
            let answer = admin.send(method.clone(), &path, body).await;
            let answer = answer.expect("an answer");
            assert_eq!(problem(&answer), (413, "body_too_large", ""), "{path}");
            let other = (415, "unsupported_media_type", "Content-Type");
            for kind in [
                "text/plain",
                "application/jsonp",
                "application/json; charset=utf-16",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=Xaverine",
                "application/merge-patch+json",
            ] {
                let body = Some((kind, Bytes::from(good.clone())));
                let answer = admin.send(method.clone(), &path, body).await;
                assert_eq!(
                    problem(&answer.expect("an answer")),
                    other,
                    "{path}: {kind}"
                );
            }
            let answer = admin.send(method.clone(), &path, None).await;
            assert_eq!(problem(&answer.expect("an answer")), other, "{path}");
            let zipped = admin.clone().saying("content-encoding", "gzip");
            let body = Some(("application/json", Bytes::from(good.clone())));
            let answer = zipped.send(method.clone(), &path, body).await;
            let expected = (415, "unsupported_media_type", "Content-Encoding");
            assert_eq!(problem(&answer.expect("an answer")), expected, "{path}");
            // Nothing but the kind was wrong with it.
            let body = Some(("Application/JSON; charset=\"UTF-8\"", Bytes::from(good)));
            let answer = admin.send(method, &path, body).await.expect("an answer");
            assert!((200..300).contains(&answer.status), "{}", answer.text);
        }
        desk.is_calm();
    });
}
