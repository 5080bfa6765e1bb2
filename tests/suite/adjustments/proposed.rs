//! Proposed by one person, approved by another or rejected, and shown to whom it concerns.

use serde_json::{Value, json};
use tests::world::rest::RestClient;

use super::fixture::{
    ADJUSTMENTS, approve, approver, credit, id, propose, proposed, proposer, reject, shown,
};
use crate::{
    fixture::{run, unique},
    rest::fixture::{DAYS, MARK, desk, problem},
};

#[test]
fn one_person_proposes_and_another_approves_and_both_are_shown() {
    run(async {
        let desk = desk().await;
        let customer = desk.customer().await;
        let answer = propose(&proposer(&desk.rest, "anna"), &credit(customer.account)).await;
        let place = answer.header("location").map(str::to_owned);
        let etag = answer.header("etag").map(str::to_owned);
        let row = answer.made().expect("proposed");
        let id = id(&row);
        assert_eq!(place, Some(format!("{ADJUSTMENTS}/{id}")));
        assert_eq!(row["status"], "PROPOSED");
        assert_eq!(row["amount"], "-12.500000");
        assert_eq!(row["tenantId"], json!(customer.tenant));
        assert!(row["reason"].as_str().expect("why").contains(MARK));
        let by = row["proposedBy"].as_str().expect("who");
        assert!(by.ends_with(" anna"), "{by}");
        assert_eq!(shown(&desk.rest, id).await, row);

        // Who saw something else approves nothing.
        let bert = approver(&desk.rest, "bert");
        let stale = bert.clone().saying("if-match", "\"1\"");
        let refused = approve(&stale, id).await;
        assert_eq!(problem(&refused), (412, "precondition_failed", "If-Match"));
        let insisting = bert.clone().saying("if-match", &etag.expect("an etag"));
        // Twice, as if the first answer was lost.
        for _ in 0..2 {
            let answer = approve(&insisting, id).await;
            assert_ne!(answer.header("etag"), None);
            let approved = answer.made().expect("approved");
            assert_eq!(approved["status"], "APPROVED");
            let by = approved["decidedBy"].as_str().expect("who");
            assert!(by.ends_with(" bert"), "{by}");
            assert_eq!(shown(&desk.rest, id).await, approved);
        }
        let cora = approver(&desk.rest, "cora");
        for refused in [
            approve(&cora, id).await,
            reject(&cora, id).await,
            reject(&bert, id).await,
        ] {
            assert_eq!(problem(&refused), (409, "already_decided", ""));
        }
        let sql = "select count(*) from eventlog.event where stream_id = $1";
        let row = desk.database.query_one(sql, &[&id]).await.expect("reads");
        assert_eq!(row.get::<_, i64>(0), 2, "proposed once and approved once");
        desk.is_calm();
    });
}

#[test]
fn what_is_rejected_says_why_and_stays_rejected() {
    run(async {
        let desk = desk().await;
        let customer = desk.customer().await;
        let id = proposed(&desk.rest, &credit(customer.account)).await;
        let bert = approver(&desk.rest, "bert");
        let row = reject(&bert, id).await.made().expect("rejected");
        assert_eq!(row["status"], "REJECTED");
        let why = row["rejectionReason"].as_str().expect("why");
        assert_eq!(why, format!("{MARK} says no"));
        assert_eq!(reject(&bert, id).await.made().expect("a repeat"), row);
        let refused = approve(&bert, id).await;
        assert_eq!(problem(&refused), (409, "already_decided", ""));
        let unknown = approve(&bert, unique()).await;
        assert_eq!(problem(&unknown), (404, "not_found", ""));
        desk.is_calm();
    });
}

#[test]
fn the_same_key_proposes_once_and_another_body_under_it_is_refused() {
    run(async {
        let desk = desk().await;
        let customer = desk.customer().await;
        let key = unique().to_string();
        let anna = proposer(&desk.rest, "anna").saying("idempotency-key", &key);
        let body = credit(customer.account);
        let first = propose(&anna, &body).await.made().expect("proposed");
        assert_eq!(propose(&anna, &body).await.made().expect("again"), first);
        let mut other = body.clone();
        other["reason"] = json!("something else");
        for changed in [other, json_with(&body, "amount", json!("12.50"))] {
            let refused = propose(&anna, &changed).await;
            let due = (422, "idempotency_key_reused", "Idempotency-Key");
            assert_eq!(problem(&refused), due);
        }
        // The key is theirs alone.
        let bert = proposer(&desk.rest, "bert").saying("idempotency-key", &key);
        let theirs = propose(&bert, &body).await.made().expect("proposed");
        assert_ne!(theirs["adjustmentId"], first["adjustmentId"]);
        desk.is_calm();
    });
}

fn json_with(body: &Value, field: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[field] = value;
    body
}

#[test]
fn an_adjustment_is_of_a_registered_account_in_what_it_pays_in_and_of_its_own_charges() {
    run(async {
        let desk = desk().await;
        let (customer, other) = (desk.customer().await, desk.customer().await);
        let body = credit(customer.account);
        let admin = desk.rest.as_billing_admin();
        for (field, value, code) in [
            ("accountId", json!(unique()), "account_not_registered"),
            ("currency", json!("CHF"), "currency_not_of_account"),
            ("messageId", json!(unique()), "message_not_of_account"),
        ] {
            let refused = propose(&admin, &json_with(&body, field, value)).await;
            let pointer = format!("/{field}");
            assert_eq!(problem(&refused), (422, code, pointer.as_str()));
        }
        let price = crate::rest::fixture::price_body(customer);
        crate::rest::fixture::opened(&desk.rest, "/v1/admin/pricing", &price).await;
        let message = desk.settle(customer).await;
        desk.charge(message).await;
        let about = json_with(&body, "messageId", json!(message));
        let row = propose(&admin, &about).await.made().expect("proposed");
        assert_eq!(row["messageId"], json!(message));
        // Its charge is in euros, whatever else the account may pay in.
        let refused = propose(&admin, &json_with(&about, "currency", json!("USD"))).await;
        let code = (422, "currency_not_of_account", "/currency");
        assert_eq!(problem(&refused), code);
        let theirs = json_with(&about, "accountId", json!(other.account));
        let refused = propose(&admin, &theirs).await;
        let code = (422, "message_not_of_account", "/messageId");
        assert_eq!(problem(&refused), code);
        desk.is_calm();
    });
}

#[test]
fn lists_are_filtered_and_go_on_where_a_page_ended() {
    run(async {
        let desk = desk().await;
        let (customer, other) = (desk.customer().await, desk.customer().await);
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(proposed(&desk.rest, &credit(customer.account)).await);
        }
        proposed(&desk.rest, &credit(other.account)).await;
        let bert = approver(&desk.rest, "bert");
        approve(&bert, ids[1]).await.made().expect("approved");
        let list = async |query: &str| {
            let path = format!("{ADJUSTMENTS}?accountId={}{query}", customer.account);
            let page = bert.get(&path).await.expect("an answer").made();
            page.expect("a page")
        };
        let of = |page: &Value| {
            let rows = page["data"].as_array().expect("rows").iter();
            rows.map(id).collect::<Vec<_>>()
        };
        assert_eq!(of(&list("").await), ids);
        assert_eq!(of(&list("&status=APPROVED").await), [ids[1]]);
        assert_eq!(of(&list("&status=PROPOSED").await), [ids[0], ids[2]]);
        let tenant = format!("&tenantId={}", other.tenant);
        assert!(of(&list(&tenant).await).is_empty());
        let at = list("").await["data"][1]["proposedAt"].clone();
        let at = at.as_str().expect("a time");
        assert_eq!(of(&list(&format!("&from={at}")).await), ids[1..]);
        assert_eq!(of(&list(&format!("&to={at}")).await), ids[..1]);
        let page = list("&limit=2").await;
        assert_eq!(of(&page), ids[..2]);
        let cursor = page["nextCursor"].as_str().expect("more");
        let next = list(&format!("&limit=2&cursor={cursor}")).await;
        assert_eq!(
            (of(&next), &next["nextCursor"]),
            (vec![ids[2]], &Value::Null)
        );
        desk.is_calm();
    });
}

#[test]
fn the_customer_sees_what_is_approved_and_nobodys_name() {
    run(async {
        let desk = desk().await;
        let (customer, other) = (desk.customer().await, desk.customer().await);
        let mut ids = Vec::new();
        for _ in 0..4 {
            ids.push(proposed(&desk.rest, &credit(customer.account)).await);
        }
        let bert = approver(&desk.rest, "bert");
        // In another order than they were proposed in.
        for id in [ids[2], ids[0]] {
            approve(&bert, id).await.made().expect("approved");
        }
        reject(&bert, ids[1]).await.made().expect("rejected");
        let own = desk.rest.as_customer(customer.tenant, customer.account);
        let path = "/v1/billing/adjustments";
        let page = own.get(path).await.expect("an answer");
        for name in ["anna", "bert", "test-platform", "Bert"] {
            assert!(!page.text.contains(name), "{}", page.text);
        }
        let page = page.made().expect("their own");
        let rows = page["data"].as_array().expect("rows");
        let shown: Vec<_> = rows.iter().map(id).collect();
        assert_eq!(shown, [ids[2], ids[0]]);
        assert_eq!(rows[0]["amount"], "-12.500000");
        assert!(rows[0]["reason"].as_str().expect("why").contains(MARK));
        assert_ne!(rows[0]["approvedAt"], Value::Null);
        let first = own
            .get(&format!("{path}?limit=1"))
            .await
            .expect("an answer");
        let first = first.made().expect("a page");
        let cursor = first["nextCursor"].as_str().expect("more");
        let next = format!("{path}?limit=1&cursor={cursor}");
        let next = own.get(&next).await.expect("an answer").made();
        assert_eq!(id(&next.expect("a page")["data"][0]), ids[0]);

        let theirs = desk.rest.as_customer(other.tenant, other.account);
        let page = theirs.get(path).await.expect("an answer").made();
        assert_eq!(page.expect("their own")["data"], json!([]));
        let asked = format!("{path}?accountId={}", customer.account);
        let refused = theirs.get(&asked).await.expect("an answer");
        assert_eq!(problem(&refused), (403, "account_mismatch", "accountId"));
        let tenant = desk.rest.as_role("account.admin", other.tenant, None);
        let refused = tenant.get(&asked).await.expect("an answer");
        assert_eq!(problem(&refused), (404, "not_found", "accountId"));
        // A look of the platform's is an event.
        let look = desk.rest.as_platform_admin().get(&asked).await;
        let look = look.expect("an answer");
        let request = look.header("x-request-id").expect("an id").to_owned();
        assert_eq!(look.made().expect("allowed")["data"], json!(rows));
        assert_eq!(desk.looks(&request).await.len(), 1);
        desk.is_calm();
    });
}

/// The figures of the account in euros: each bucket, and the totals.
async fn usage(caller: &RestClient, query: &str) -> (Vec<Value>, Value) {
    let path = format!("/v1/billing/usage?{DAYS}{query}");
    let usage = caller.get(&path).await.expect("an answer").made();
    let usage = usage.expect("their own");
    let one = usage["byCurrency"].get(0).unwrap_or(&usage).clone();
    let buckets = one["buckets"].as_array().expect("buckets").clone();
    (buckets, one["totals"].clone())
}

#[test]
fn usage_shows_what_is_approved_in_each_bucket_and_in_all() {
    run(async {
        let desk = desk().await;
        let customer = desk.customer().await;
        let own = desk.rest.as_customer(customer.tenant, customer.account);
        let bert = approver(&desk.rest, "bert");
        let mut ids = Vec::new();
        for amount in ["-12.50", "0.000001", "3"] {
            let body = json_with(&credit(customer.account), "amount", json!(amount));
            ids.push(proposed(&desk.rest, &body).await);
        }
        // What waits and what is rejected is not in it.
        reject(&bert, ids[2]).await.made().expect("rejected");
        assert_eq!(usage(&own, "").await.1["adjustmentCount"], 0);
        for id in &ids[..2] {
            approve(&bert, *id).await.made().expect("approved");
        }
        // Nothing was charged, and it is shown all the same.
        for granularity in ["hour", "day", "month"] {
            let (buckets, totals) = usage(&own, &format!("&granularity={granularity}")).await;
            assert_eq!(totals["messageCount"], 0);
            assert_eq!(totals["adjustmentCount"], 2);
            assert_eq!(totals["adjustmentAmount"], "-12.499999");
            let counts = buckets.iter().map(|one| one["adjustmentCount"].as_i64());
            assert_eq!(counts.sum::<Option<i64>>(), Some(2), "{buckets:?}");
        }
        // No adjustment is a carrier's.
        let of_carrier = format!("&operatorId={}", customer.operator);
        assert_eq!(usage(&own, &of_carrier).await.1["adjustmentCount"], 0);
        desk.is_calm();
    });
}
