//! Two processes: what one has written, the other shows in the next answer.

use hyper::Method;
use serde_json::{Value, json};
use tests::world::Rest;

use super::fixture::{Customer, account_body, calm, cost_body, desk, done, opened, price_body};
use crate::fixture::run;

/// How often each write is tried: a gap would be short.
const ROUNDS: usize = 15;

async fn read(rest: &Rest, path: &str) -> Value {
    let answer = rest.as_billing_admin().get(path).await;
    answer.expect("an answer").made().expect("it is visible")
}

#[test]
fn what_one_process_has_written_the_other_shows_at_once() {
    run(async {
        let desk = desk().await;
        let (node, other) = desk.node(&[]).await;
        for round in 0..ROUNDS {
            let (writer, reader) = if round % 2 == 0 {
                (&desk.rest, &other)
            } else {
                (&other, &desk.rest)
            };
            let of = Customer::nobody();
            let account = format!("/v1/admin/accounts/{}", of.account);
            let mut body = account_body(of.tenant);
            done(writer, Method::PUT, &account, Some(&body)).await;
            assert_eq!(read(reader, &account).await["accountTier"], "GROWTH");
            body["accountTier"] = json!("STARTER");
            done(reader, Method::PUT, &account, Some(&body)).await;
            assert_eq!(read(writer, &account).await["accountTier"], "STARTER");

            for (list, body, change) in [
                (
                    "/v1/admin/pricing",
                    price_body(of),
                    json!({ "unitPrice": "1" }),
                ),
                (
                    "/v1/admin/operator-costs",
                    cost_body(of.operator),
                    json!({ "costPerSegment": "1" }),
                ),
            ] {
                let one = format!("{list}/{}", opened(writer, list, &body).await);
                assert_eq!(read(reader, &one).await["effectiveTo"], Value::Null);
                let rows = read(reader, &format!("{list}?operatorId={}", of.operator)).await;
                assert_eq!(rows["data"].as_array().map(Vec::len), Some(1));
                // The other one changes what it has not written.
                let new = done(reader, Method::PATCH, &one, Some(&change)).await;
                let old = read(writer, &one).await;
                assert_eq!(old["effectiveTo"], new["effectiveFrom"]);
                let id = new.get("pricingTableId").or(new.get("operatorCostId"));
                let id = id.and_then(Value::as_str).expect("an id");
                let next = format!("{list}/{id}");
                let closed = done(writer, Method::DELETE, &next, None).await;
                let shown = read(reader, &next).await;
                assert_eq!(shown["effectiveTo"], closed["effectiveTo"]);
            }
        }
        desk.is_calm();
        calm(&node);
        assert!(node.terminate().await.expect("it stops"));
    });
}
