//! All endpoints together: what they say of themselves, and what they refuse before they look.

mod document;
mod fixture;

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use fixture::Stand;

const ADMIN: &str = "platform.billing_admin";
const ID: &str = "6f1d2b7e-0000-4000-8000-000000000001";

/// A changed API is a visible diff: `tollbook schema --write schema/json` makes it.
#[test]
fn the_committed_document_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/json/openapi.json");
    let committed = fs::read_to_string(path).unwrap_or_default();
    let committed: Value = serde_json::from_str(&committed).unwrap_or_default();
    assert!(
        committed == super::document(),
        "openapi.json: run `tollbook schema --write schema/json`"
    );
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document = super::document();
    let paths = document["paths"].as_object().expect("paths").values();
    let operations = paths.flat_map(|path| path.as_object().expect("methods").values());
    let names: Vec<_> = operations
        .map(|operation| operation["operationId"].as_str().expect("a name"))
        .collect();
    let distinct: BTreeSet<_> = names.iter().filter(|name| !name.is_empty()).collect();
    let all = super::endpoints().len();
    assert_eq!((names.len(), distinct.len()), (all, all));
}

fn account() -> Value {
    json!({
        "tenantId": ID, "accountTier": "GROWTH", "currency": "EUR",
        "legalName": "Ada Lovelace",
        "address": { "lines": ["12 St James's Square"], "city": "London", "country": "GB" },
        "tax": { "category": "S", "rate": "20", "country": "GB" },
    })
}

fn price() -> Value {
    json!({
        "tenantId": ID, "accountTier": "GROWTH", "operatorId": ID, "currency": "EUR",
        "pricingModel": "PER_SEGMENT", "unitPrice": "0.045",
        "effectiveFrom": "2026-01-01T00:00:00Z",
    })
}

fn cost() -> Value {
    json!({ "operatorId": ID, "costPerSegment": "0.02", "currency": "EUR" })
}

fn adjustment() -> Value {
    json!({
        "accountId": ID, "amount": "-12.50", "currency": "EUR",
        "reason": "Ada was charged twice",
    })
}

/// One good request of each endpoint for administrators.
fn wishes() -> Vec<(&'static str, String, Value)> {
    let at = |path: &str| format!("/v1/admin/{path}");
    let (one_price, one_cost) = (format!("pricing/{ID}"), format!("operator-costs/{ID}"));
    vec![
        ("GET", at(&format!("accounts/{ID}")), Value::Null),
        ("PUT", at(&format!("accounts/{ID}")), account()),
        ("GET", at(&format!("accounts/{ID}/versions")), Value::Null),
        ("GET", at("accounts?accountTier=GROWTH"), Value::Null),
        ("GET", at("pricing?activeOnly=false&limit=50"), Value::Null),
        ("POST", at("pricing"), price()),
        ("GET", at(&one_price), Value::Null),
        ("PATCH", at(&one_price), json!({"unitPrice": "0.05"})),
        ("DELETE", at(&one_price), Value::Null),
        ("GET", at("operator-costs"), Value::Null),
        ("POST", at("operator-costs"), cost()),
        ("GET", at(&one_cost), Value::Null),
        ("PATCH", at(&one_cost), json!({"costPerSegment": "0.03"})),
        ("DELETE", at(&one_cost), Value::Null),
        ("GET", at("held-charges"), Value::Null),
        ("POST", at("adjustments"), adjustment()),
    ]
}

#[tokio::test]
async fn only_administrators_set_prices_costs_and_accounts() {
    let stand = Stand::new();
    for (method, target, body) in wishes() {
        // Who is refused to see data of tenants is told so once that is recorded.
        let sees_tenants = method == "GET" && !target.contains("operator-costs");
        let due = if sees_tenants {
            (503, "unavailable", "")
        } else {
            (403, "right_missing", "")
        };
        for role in ["account.admin", "platform.admin", "platform.finance", ""] {
            let answer = stand.ask(role, method, &target, &body.to_string()).await;
            assert_eq!(answer.problem(), due, "{target}");
        }
    }
}

#[tokio::test]
async fn without_its_database_an_endpoint_is_unavailable() {
    let stand = Stand::new();
    for (method, target, body) in wishes() {
        let answer = stand.ask(ADMIN, method, &target, &body.to_string()).await;
        assert_eq!(answer.problem(), (503, "unavailable", ""), "{target}");
    }
    let (usage, charges) = (
        "/v1/billing/usage?from=2026-03-01&to=2026-03-31",
        "/v1/billing/charges",
    );
    let charge = format!("{charges}/{ID}");
    for question in [usage, charges, &charge] {
        let answer = stand.ask("account.viewer", "GET", question, "").await;
        assert_eq!(answer.problem(), (503, "unavailable", ""), "{question}");
    }
}

const SHEET: &str = "accountTier,operatorId,currency,pricingModel,unitPrice\n\
    GROWTH,6f1d2b7e-0000-4000-8000-000000000001,EUR,PER_SEGMENT,0.045\n";

#[tokio::test]
async fn a_sheet_is_for_administrators_and_a_table_of_lines() {
    let stand = Stand::new();
    let target = "/v1/admin/price-sheets/s-1";
    for role in ["account.admin", "platform.admin", "platform.finance", ""] {
        let answer = stand.ask_with_table(role, target, SHEET).await;
        assert_eq!(answer.problem(), (403, "right_missing", ""));
    }
    let answer = stand.ask(ADMIN, "PUT", target, SHEET).await;
    let other = (415, "unsupported_media_type", "Content-Type");
    assert_eq!(answer.problem(), other);
    for (target, table, due) in [
        ("s-1", "", (400, "malformed_csv", "")),
        (
            "s-1",
            "accountTier\nGROWTH\n",
            (400, "malformed_csv", "operatorId"),
        ),
        ("s%20", SHEET, (400, "invalid_parameter", "sheetId")),
        ("s-1?dryRun=1", SHEET, (400, "invalid_parameter", "dryRun")),
        ("s-1?dryrun=true", SHEET, (400, "unknown_parameter", "")),
        ("s-1?dryRun=true", SHEET, (503, "unavailable", "")),
        ("s-1", SHEET, (503, "unavailable", "")),
    ] {
        let target = format!("/v1/admin/price-sheets/{target}");
        let answer = stand.ask_with_table(ADMIN, &target, table).await;
        assert_eq!(answer.problem(), due, "{target}");
    }
    let long = format!("{SHEET}{}", " ".repeat(4 * 1024 * 1024));
    let answer = stand.ask_with_table(ADMIN, target, &long).await;
    assert_eq!(answer.problem(), (413, "body_too_large", ""));
}

/// `good` with another value.
fn with(good: &Value, field: &str, value: &Value) -> String {
    let mut body = good.clone();
    let fields = body.as_object_mut().expect("an object");
    fields.insert(field.to_owned(), value.clone());
    body.to_string()
}

/// Sends `good` with each of these values instead, each of which must be refused by its name and
/// not be repeated.
async fn each_is_refused(method: &str, target: &str, good: &Value, wrong: &[(&str, Value)]) {
    let stand = Stand::new();
    for (field, value) in wrong {
        let body = with(good, field, value);
        let answer = stand.ask(ADMIN, method, target, &body).await;
        let pointer = format!("/{field}");
        assert_eq!(answer.problem(), (400, "invalid_field", pointer.as_str()));
        let told = answer.text.split("requestId").next().expect("a text");
        assert!(!told.contains("777") && !told.contains("Ada"), "{told}");
    }
}

#[tokio::test]
async fn a_wrong_price_is_refused_by_the_name_of_its_field() {
    let wrong = [
        ("unitPrice", json!("-7.77")),
        ("unitPrice", json!("0.0000777")),
        ("unitPrice", json!("777777")),
        ("unitPrice", json!(0.777)),
        ("currency", json!("777")),
        ("accountTier", json!("GOLD777")),
        ("tenantId", json!("' or 777=777 --")),
        ("operatorId", json!({"$ne": 777})),
        ("effectiveFrom", json!("0777-01-01")),
        ("billableStatuses", json!(["UNKNOWN"])),
        ("billableStatuses", json!([])),
    ];
    each_is_refused("POST", "/v1/admin/pricing", &price(), &wrong).await;
    let wrong = [
        ("costPerSegment", json!("7.7.7")),
        ("direction", json!("777")),
    ];
    each_is_refused("POST", "/v1/admin/operator-costs", &cost(), &wrong).await;
}

#[tokio::test]
async fn a_wrong_account_is_refused_without_a_word_of_it() {
    let wrong = [
        ("tenantId", json!(777)),
        ("legalName", json!("7\t77")),
        ("legalName", json!("7".repeat(201))),
        ("vatId", json!("Ada 777")),
        ("address", Value::Null),
    ];
    let target = format!("/v1/admin/accounts/{ID}");
    each_is_refused("PUT", &target, &account(), &wrong).await;
}

#[tokio::test]
async fn a_period_needs_an_instant_and_a_cursor_its_list() {
    let stand = Stand::new();
    let reversed = with(&cost(), "effectiveTo", &json!("2026-01-01T00:00:00Z"));
    // With a key it would first be looked whether the request was made before.
    let answer = stand.ask_without_key(ADMIN, "POST", "/v1/admin/operator-costs", &reversed);
    assert_eq!(
        answer.await.problem(),
        (400, "period_reversed", "/effectiveTo")
    );
    for list in ["accounts", "pricing", "operator-costs", "held-charges"] {
        let target = format!("/v1/admin/{list}?cursor=AAAAAAAAAAE");
        let answer = stand.ask(ADMIN, "GET", &target, "").await;
        assert_eq!(answer.problem(), (400, "invalid_cursor", "cursor"));
    }
}

#[tokio::test]
async fn charges_are_asked_for_a_time_with_filters_that_there_are() {
    let stand = Stand::new();
    let noon = "2026-03-01T12:00:00Z";
    for (query, expected) in [
        (format!("from={noon}&to={noon}"), ("period_reversed", "to")),
        ("from=2026-03-01".to_owned(), ("invalid_parameter", "from")),
        (
            "status=delivered".to_owned(),
            ("invalid_parameter", "status"),
        ),
        ("billed=yes".to_owned(), ("invalid_parameter", "billed")),
        ("limit=51".to_owned(), ("invalid_parameter", "limit")),
        (
            "cursor=AAAAAAAAAAE".to_owned(),
            ("invalid_cursor", "cursor"),
        ),
        ("statuses=DELIVERED".to_owned(), ("unknown_parameter", "")),
    ] {
        let target = format!("/v1/billing/charges?{query}");
        let answer = stand.ask("account.viewer", "GET", &target, "").await;
        let (status, code, field) = answer.problem();
        assert_eq!((status, (code, field)), (400, expected), "{query}");
    }
}

#[tokio::test]
async fn usage_is_asked_for_days_in_order() {
    let stand = Stand::new();
    for (query, expected) in [
        ("from=2026-03-02&to=2026-03-01", ("period_reversed", "to")),
        ("from=2025-01-01&to=2026-03-01", ("span_too_long", "to")),
        (
            "from=2026-02-30&to=2026-03-01",
            ("invalid_parameter", "from"),
        ),
        ("from=2026-03-01", ("missing_parameter", "to")),
        (
            "from=2026-03-01&to=2026-03-01&granularity=year",
            ("invalid_parameter", "granularity"),
        ),
    ] {
        let target = format!("/v1/billing/usage?{query}");
        let answer = stand.ask("account.viewer", "GET", &target, "").await;
        let (status, code, field) = answer.problem();
        assert_eq!((status, (code, field)), (400, expected), "{query}");
    }
}
