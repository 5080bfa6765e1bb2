//! Accounts: what cannot be one, whose it is, and that name and address stay where they belong.

use hyper::Method;
use serde_json::{Value, json};
use tests::world::rest::{Answer, RestClient};

use crate::{
    fixture::run,
    rest::fixture::{Customer, MARK, account_body, desk, problem},
};

async fn put(caller: &RestClient, of: Customer, body: &Value) -> Answer {
    let path = format!("/v1/admin/accounts/{}", of.account);
    let answer = caller.call(Method::PUT, &path, Some(body)).await;
    answer.expect("an answer")
}

#[test]
fn an_account_that_cannot_be_is_refused_by_its_field() {
    run(async {
        let desk = desk().await;
        let admin = desk.rest.as_billing_admin();
        let of = Customer::nobody();
        let good = account_body(of.tenant);
        for (field, value) in [
            ("tenantId", json!(MARK)),
            ("tenantId", json!(null)),
            ("accountTier", json!("PLATINUM")),
            ("currency", json!("XXQ")),
            ("currency", json!("€")),
            ("legalName", json!("")),
            ("legalName", json!("   ")),
            ("legalName", json!(format!("{MARK}\u{0}"))),
            ("legalName", json!(format!("{MARK}\u{1b}[2J"))),
            ("legalName", json!(MARK.repeat(26))),
            ("legalName", json!([MARK])),
            ("contactName", json!(format!("{MARK}\n{MARK}"))),
            ("address", json!(MARK)),
            ("vatId", json!(MARK)),
            ("vatId", json!("de123456789")),
            ("purchaseOrder", json!(MARK.repeat(26))),
            ("paymentTermsDays", json!(366)),
            ("paymentTermsDays", json!(-1)),
            ("paymentTermsDays", json!("14")),
            ("invoiceLanguage", json!("tlh")),
            ("effectiveFrom", json!("2026-03-01")),
            ("tax", json!(MARK)),
        ] {
            let mut body = good.clone();
            body[field] = value.clone();
            let answer = put(&admin, of, &body).await;
            let place = format!("/{field}");
            let expected = (400, "invalid_field", place.as_str());
            assert_eq!(problem(&answer), expected, "{value}");
        }
        for id in ["x", "%00", "..%2f..", "1'%20or%20'1'='1", "%ff"] {
            let path = format!("/v1/admin/accounts/{id}");
            let answer = admin.call(Method::PUT, &path, Some(&good)).await;
            let answer = answer.expect("an answer");
            let (status, code, _) = problem(&answer);
            assert_eq!((status, code), (400, "invalid_parameter"), "{id}");
        }
        let path = format!("/v1/admin/accounts/{}", of.account);
        let answer = admin.get(&path).await.expect("an answer");
        assert_eq!(problem(&answer), (404, "not_found", ""));
        desk.is_calm();
    });
}

#[test]
fn an_address_or_a_tax_that_cannot_be_is_refused_by_its_field() {
    run(async {
        let desk = desk().await;
        let admin = desk.rest.as_billing_admin();
        let of = Customer::nobody();
        let good = account_body(of.tenant);
        for (object, field, value) in [
            ("address", "lines", json!([])),
            ("address", "lines", json!(["1", "2", "3", "4", "5"])),
            ("address", "lines/0", json!([[MARK]])),
            ("address", "city", json!("")),
            ("address", "postalCode", json!(MARK.repeat(26))),
            ("address", "region", json!("\u{7}")),
            ("address", "country", json!("XX")),
            ("tax", "category", json!("X")),
            ("tax", "country", json!("Germany")),
            ("tax", "rate", json!("19.005")),
            ("tax", "rate", json!("-19")),
            ("tax", "rate", json!("101")),
            ("tax", "rate", json!(19)),
            ("tax", "rate", json!("0")),
        ] {
            let mut body = good.clone();
            body[object][field.trim_end_matches("/0")] = value.clone();
            let place = format!("/{object}/{field}");
            let expected = (400, "invalid_field", place.as_str());
            assert_eq!(problem(&put(&admin, of, &body).await), expected, "{value}");
        }
        for category in ["Z", "E", "AE", "K", "G", "O"] {
            let mut body = good.clone();
            body["tax"]["category"] = json!(category);
            let expected = (400, "invalid_field", "/tax/rate");
            assert_eq!(problem(&put(&admin, of, &body).await), expected);
        }
        desk.is_calm();
    });
}

#[test]
fn an_account_stays_with_its_tenant_and_the_same_again_changes_nothing() {
    run(async {
        let desk = desk().await;
        let admin = desk.rest.as_billing_admin();
        let of = Customer::nobody();
        let body = account_body(of.tenant);
        let first = put(&admin, of, &body).await;
        assert_eq!(first.status, 201, "{}", first.text);
        let again = put(&admin, of, &body).await;
        assert_eq!((again.status, &again.body), (200, &first.body));
        assert_eq!(again.header("etag"), first.header("etag"));

        let thief = Customer::nobody();
        let answer = put(&admin, of, &account_body(thief.tenant)).await;
        let expected = (409, "account_of_another_tenant", "/tenantId");
        assert_eq!(problem(&answer), expected);
        let told = answer.text.contains(&of.tenant.to_string());
        assert!(!told, "it does not say whose it is");

        let mut other = body.clone();
        other["accountTier"] = json!("CUSTOM");
        other["legalName"] = json!("O'Neil \"; drop table accounts; -- 🏳️‍🌈 \\u0000");
        let changed = put(&admin, of, &other).await;
        assert_eq!(changed.status, 200);
        assert_ne!(changed.header("etag"), first.header("etag"));
        let path = format!("/v1/admin/accounts/{}", of.account);
        let shown = admin.get(&path).await.expect("an answer");
        assert_eq!(shown.body["legalName"], other["legalName"]);

        let stale = first.header("etag").expect("an ETag");
        let stale = put(&admin.clone().saying("if-match", stale), of, &body).await;
        assert_eq!(problem(&stale), (412, "precondition_failed", "If-Match"));
        let absent = put(
            &admin.saying("if-match", "*"),
            thief,
            &account_body(thief.tenant),
        )
        .await;
        assert_eq!(problem(&absent), (412, "precondition_failed", "If-Match"));
        desk.is_calm();
    });
}

#[test]
fn name_and_address_are_sealed_wherever_they_are_kept() {
    run(async {
        let desk = desk().await;
        let of = desk.customer().await;
        for sql in [
            include_str!("refused/account_row.sql"),
            include_str!("refused/account_events.sql"),
        ] {
            let rows = desk.database.query(sql, &[&of.account.0]).await;
            let rows = rows.expect("reads");
            assert_eq!(rows.len(), 1);
            let text: String = rows[0].get(0);
            assert!(!text.contains(MARK), "{text}");
            assert!(text.contains("GROWTH"), "the row is not read right: {text}");
        }
        // Who asks with the right sees it, and nobody else.
        let path = format!("/v1/admin/accounts/{}", of.account);
        let shown = desk.rest.as_billing_admin().get(&path).await;
        assert!(shown.expect("an answer").text.contains(MARK));
        let own = desk.rest.as_customer(of.tenant, of.account);
        let answer = own.get(&path).await.expect("an answer");
        assert_eq!(problem(&answer).1, "right_missing");
    });
}
