//! What cannot be a price or a cost, and what is told about it.

use hyper::Method;
use serde_json::{Value, json};
use tests::world::rest::{Answer, RestClient};

use crate::{
    fixture::run,
    rest::fixture::{
        BEGIN, Customer, MARK, cost_body, desk, done, list_price_body, opened, price_body, problem,
    },
};

const PRICES: &str = "/v1/admin/pricing";
const COSTS: &str = "/v1/admin/operator-costs";

/// The body with one field another; null takes it away.
fn but(body: &Value, field: &str, value: &Value) -> Value {
    let mut body = body.clone();
    let all = body.as_object_mut().expect("an object");
    if value.is_null() {
        assert!(all.remove(field).is_some(), "{field} was there");
    } else {
        all.insert(field.to_owned(), value.clone());
    }
    body
}

async fn refused(caller: &RestClient, path: &str, body: &Value) -> Answer {
    let answer = caller.call(Method::POST, path, Some(body)).await;
    answer.expect("an answer")
}

/// Amounts that no unit price can be.
fn amounts() -> Vec<Value> {
    vec![
        json!("-0.01"),
        json!("-0"),
        json!("0.0000001"),
        json!("100000"),
        json!("99999999999999999999999999999999999"),
        json!("1e3"),
        json!("0,045"),
        json!("0x10"),
        json!(".5"),
        json!("5."),
        json!(" 1"),
        json!("NaN"),
        json!("Infinity"),
        json!(""),
        json!("٣"),
        json!("1; drop table billing.pricing_tables --"),
        json!(0.045),
        json!(1),
        json!(true),
        json!(["0.045"]),
        json!({ "$gt": "" }),
    ]
}

#[test]
fn a_price_that_cannot_be_is_refused_by_its_field() {
    run(async {
        let desk = desk().await;
        let admin = desk.rest.as_billing_admin();
        let customer = Customer::nobody();
        let good = price_body(customer);
        let mut wrong: Vec<(&str, Value)> = amounts()
            .into_iter()
            .map(|amount| ("unitPrice", amount))
            .collect();
        wrong.extend([
            ("currency", json!("XXQ")),
            ("currency", json!("XXX")),
            ("currency", json!("XTS")),
            ("currency", json!("XAU")),
            ("currency", json!("HRK")),
            ("currency", json!("eur")),
            ("currency", json!("EURO")),
            ("currency", json!(978)),
            ("accountTier", json!(MARK)),
            ("accountTier", json!("growth")),
            ("direction", json!("UP")),
            ("pricingModel", json!("PER_HOUR")),
            ("operatorId", json!("*")),
            ("operatorId", json!("' or '1'='1")),
            ("tenantId", json!(MARK)),
            ("effectiveFrom", json!("2026-01-01")),
            ("effectiveFrom", json!("2026-01-01T00:00:00")),
            ("effectiveFrom", json!("yesterday")),
            ("effectiveFrom", json!("2026-13-01T00:00:00Z")),
            ("effectiveFrom", json!("99999-01-01T00:00:00Z")),
            ("effectiveTo", json!(1_767_225_600)),
            ("billableStatuses", json!([])),
            ("billableStatuses", json!(["UNKNOWN"])),
            ("billableStatuses", json!(["FAILED", "FAILED"])),
            ("billableStatuses", json!("DELIVERED")),
        ]);
        for (field, value) in wrong {
            let answer = refused(&admin, PRICES, &but(&good, field, &value)).await;
            let (status, code, place) = problem(&answer);
            assert_eq!((status, code), (400, "invalid_field"), "{field}={value}");
            // An element of a list is named by its place in it.
            assert!(place.starts_with(&format!("/{field}")), "{value}: {place}");
        }
        for field in [
            "accountTier",
            "operatorId",
            "pricingModel",
            "unitPrice",
            "currency",
        ] {
            let answer = refused(&admin, PRICES, &but(&good, field, &Value::Null)).await;
            let place = format!("/{field}");
            assert_eq!(problem(&answer), (400, "missing_field", place.as_str()));
        }
        let more = but(&good, &format!("unitPrice{MARK}"), &json!("1"));
        let answer = refused(&admin, PRICES, &more).await;
        assert_eq!(problem(&answer).1, "unknown_field");
        // All of it left nothing, and what was right all the time still can be opened.
        opened(&desk.rest, PRICES, &good).await;
        let list = format!("{PRICES}?tenantId={}&activeOnly=false", customer.tenant);
        let all = done(&desk.rest, Method::GET, &list, None).await;
        assert_eq!(all["data"].as_array().map(Vec::len), Some(1));
        desk.is_calm();
    });
}

#[test]
fn a_cost_that_cannot_be_is_refused_by_its_field() {
    run(async {
        let desk = desk().await;
        let admin = desk.rest.as_billing_admin();
        let good = cost_body(Customer::nobody().operator);
        let mut wrong: Vec<(&str, Value)> = amounts()
            .into_iter()
            .map(|amount| ("costPerSegment", amount))
            .collect();
        wrong.extend([
            ("currency", json!("XXQ")),
            ("direction", json!("")),
            ("operatorId", json!(7)),
            ("effectiveTo", json!("never")),
        ]);
        for (field, value) in wrong {
            let answer = refused(&admin, COSTS, &but(&good, field, &value)).await;
            let place = format!("/{field}");
            let expected = (400, "invalid_field", place.as_str());
            assert_eq!(problem(&answer), expected, "{value}");
        }
        opened(&desk.rest, COSTS, &good).await;
        desk.is_calm();
    });
}

#[test]
fn periods_that_overlap_or_are_reversed_are_refused() {
    run(async {
        let desk = desk().await;
        let admin = desk.rest.as_billing_admin();
        let operator = Customer::nobody().operator;
        let end = "2026-06-01T00:00:00Z";
        let first = |body: Value| but(&body, "effectiveTo", &json!(end));
        for (path, good) in [
            (PRICES, first(list_price_body(operator))),
            (COSTS, first(cost_body(operator))),
        ] {
            opened(&desk.rest, path, &good).await;
            let from_to = |from: &str, to: Value| {
                let body = but(&good, "effectiveFrom", &json!(from));
                but(&body, "effectiveTo", &to)
            };
            let overlap = (409, "period_overlaps");
            let reversed = (400, "period_reversed");
            for (from, to, expected) in [
                (BEGIN, json!(end), overlap),
                ("2026-05-31T23:59:59.999999Z", Value::Null, overlap),
                (
                    "2025-01-01T00:00:00Z",
                    json!("2026-01-01T00:00:00.000001Z"),
                    overlap,
                ),
                ("2025-01-01T00:00:00Z", Value::Null, overlap),
                (
                    "2026-02-01T00:00:00+14:00",
                    json!("2026-02-02T00:00:00Z"),
                    overlap,
                ),
                (
                    "2027-01-01T00:00:00Z",
                    json!("2026-12-31T00:00:00Z"),
                    reversed,
                ),
                (
                    "2027-01-01T00:00:00Z",
                    json!("2027-01-01T00:00:00Z"),
                    reversed,
                ),
            ] {
                let answer = refused(&admin, path, &from_to(from, to.clone())).await;
                let (status, code, _) = problem(&answer);
                assert_eq!((status, code), expected, "{path}: {from} to {to}");
            }
            // What only touches does not overlap.
            opened(&desk.rest, path, &from_to(end, Value::Null)).await;
            opened(
                &desk.rest,
                path,
                &from_to("2025-01-01T00:00:00Z", json!(BEGIN)),
            )
            .await;
        }
        desk.is_calm();
    });
}

#[test]
fn a_price_that_would_reprice_what_was_charged_is_refused() {
    run(async {
        let desk = desk().await;
        let customer = desk.customer().await;
        let admin = desk.rest.as_billing_admin();
        let list = opened(&desk.rest, PRICES, &list_price_body(customer.operator)).await;
        let message = desk.settle(customer).await;
        let (price, _, version) = desk.charge(message).await;
        assert_eq!((price.as_str(), version), ("0.090000", list));

        let own = but(&price_body(customer), "unitPrice", &json!("0.01"));
        let answer = refused(&admin, PRICES, &own).await;
        let expected = (409, "would_reprice", "/effectiveFrom");
        assert_eq!(problem(&answer), expected);
        // Before anything was charged, and for anybody else, it is no history.
        let before = but(&own, "effectiveTo", &json!("2026-02-01T00:00:00Z"));
        opened(&desk.rest, PRICES, &before).await;
        let other = price_body(Customer {
            operator: customer.operator,
            ..Customer::nobody()
        });
        opened(&desk.rest, PRICES, &other).await;
        // From now on it is no history either, and the charge is as it was.
        let now = but(&own, "effectiveFrom", &Value::Null);
        let own = opened(&desk.rest, PRICES, &now).await;
        assert_eq!(desk.charge(message).await.2, list);
        let message = desk.settle(customer).await;
        let (price, _, version) = desk.charge(message).await;
        assert_eq!((price.as_str(), version), ("0.020000", own));
        desk.is_calm();
    });
}
