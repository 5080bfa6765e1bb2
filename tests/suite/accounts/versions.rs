//! Versions of an account over REST: what is in effect when, what was ever told, and what may not
//! be told of a time gone by.

use hyper::Method;
use serde_json::{Value, json};
use tests::world::rest::{Answer, RestClient};

use crate::{
    fixture::run,
    rest::fixture::{Customer, account_body, desk, problem},
};

fn path(of: Customer) -> String {
    format!("/v1/admin/accounts/{}", of.account)
}

async fn put(admin: &RestClient, of: Customer, from: Option<&str>, tier: &str) -> Answer {
    let mut body = account_body(of.tenant);
    body["effectiveFrom"] = json!(from);
    body["accountTier"] = json!(tier);
    let answer = admin.call(Method::PUT, &path(of), Some(&body)).await;
    answer.expect("an answer")
}

async fn get(admin: &RestClient, path: &str) -> Answer {
    admin.get(path).await.expect("an answer")
}

#[test]
fn a_version_is_in_effect_until_the_next_one_begins_and_history_keeps_all() {
    run(async {
        let desk = desk().await;
        let admin = desk.rest.as_billing_admin();
        let of = Customer::nobody();
        let first = put(&admin, of, Some("2026-01-01T00:00:00Z"), "STARTER").await;
        assert_eq!(
            (first.status, &first.body["effectiveTo"]),
            (201, &Value::Null)
        );
        let third = put(&admin, of, Some("2026-09-01T00:00:00Z"), "CUSTOM").await;
        assert_eq!(third.status, 200);
        // Between both, and then in its place.
        put(&admin, of, Some("2026-05-01T00:00:00Z"), "GROWTH").await;
        let second = put(&admin, of, Some("2026-05-01T00:00:00Z"), "ENTERPRISE").await;
        let ends = "2026-09-01T00:00:00.000000Z";
        assert_eq!(second.body["effectiveTo"], ends);
        let later = put(&admin, of, Some("2999-01-01T00:00:00Z"), "STARTER").await;
        let now = get(&admin, &path(of)).await;
        assert_eq!(now.body["accountTier"], "CUSTOM");
        assert_eq!(
            now.header("etag"),
            later.header("etag"),
            "of the account as a whole"
        );
        for (at, tier) in [
            ("2026-01-01T00:00:00Z", "STARTER"),
            ("2026-04-30T23:59:59.999999Z", "STARTER"),
            ("2026-05-01T00:00:00Z", "ENTERPRISE"),
            ("2026-09-01T02:00:00%2B02:00", "CUSTOM"),
            ("2999-01-02T00:00:00Z", "STARTER"),
        ] {
            let shown = get(&admin, &format!("{}?at={at}", path(of))).await;
            assert_eq!(shown.body["accountTier"], tier, "{at}: {}", shown.text);
        }
        let before = get(&admin, &format!("{}?at=2025-12-31T23:59:59Z", path(of))).await;
        assert_eq!(problem(&before), (404, "not_found", ""));

        let mut told = Vec::new();
        let mut page = format!("{}/versions?limit=2", path(of));
        loop {
            let answer = get(&admin, &page).await;
            for version in answer.body["data"].as_array().expect("a list") {
                let tier = version["accountTier"].as_str().expect("a tier").to_owned();
                told.push((tier, version["replaced"].as_bool().expect("a truth")));
            }
            let Some(cursor) = answer.body["nextCursor"].as_str() else {
                break;
            };
            page = format!("{}/versions?limit=2&cursor={cursor}", path(of));
        }
        let told: Vec<_> = told.iter().map(|(tier, gone)| (&**tier, *gone)).collect();
        let due = [
            ("STARTER", false),
            ("CUSTOM", false),
            ("GROWTH", true),
            ("ENTERPRISE", false),
            ("STARTER", false),
        ];
        assert_eq!(told, due);
        desk.is_calm();
    });
}

#[test]
fn without_a_beginning_a_version_begins_now() {
    run(async {
        let desk = desk().await;
        let admin = desk.rest.as_billing_admin();
        let of = Customer::nobody();
        put(&admin, of, None, "STARTER").await;
        let second = put(&admin, of, None, "GROWTH").await;
        let again = put(&admin, of, None, "GROWTH").await;
        assert_eq!(again.body, second.body, "to say it again tells nothing new");
        let history = get(&admin, &format!("{}/versions", path(of))).await;
        let history = history.body["data"].as_array().expect("a list").clone();
        assert_eq!(history.len(), 2);
        let shown = get(&admin, &path(of)).await;
        assert_eq!(shown.body, second.body);
        desk.is_calm();
    });
}

#[test]
fn accounts_are_listed_by_tenant_and_by_the_tier_of_a_time() {
    run(async {
        let desk = desk().await;
        let admin = desk.rest.as_billing_admin();
        let one = Customer::nobody();
        let other = Customer {
            account: Customer::nobody().account,
            ..one
        };
        for of in [one, other] {
            put(&admin, of, Some("2026-01-01T00:00:00Z"), "STARTER").await;
        }
        put(&admin, one, Some("2026-05-01T00:00:00Z"), "GROWTH").await;
        put(
            &admin,
            Customer::nobody(),
            Some("2026-01-01T00:00:00Z"),
            "STARTER",
        )
        .await;
        let listed = async |query: &str| {
            let path = format!("/v1/admin/accounts?tenantId={}{query}", one.tenant);
            let answer = get(&admin, &path).await;
            let data = answer.body["data"].as_array().expect("a list").clone();
            let ids = data
                .iter()
                .map(|it| it["accountId"].as_str().expect("an id").to_owned());
            (ids.collect::<Vec<_>>(), answer.body["nextCursor"].clone())
        };
        let (one, other) = (one.account.to_string(), other.account.to_string());
        let all = vec![one, other];
        assert_eq!(listed("").await, (all.clone(), Value::Null));
        assert_eq!(listed("&accountTier=GROWTH").await.0, all[..1]);
        assert_eq!(listed("&accountTier=STARTER").await.0, all[1..]);
        let in_april = "&accountTier=STARTER&at=2026-04-01T00:00:00Z";
        assert_eq!(listed(in_april).await.0, all);
        assert_eq!(listed("&at=2025-01-01T00:00:00Z").await.0, [""; 0]);
        let (first, cursor) = listed("&limit=1").await;
        let cursor = cursor.as_str().expect("there are more");
        let (second, end) = listed(&format!("&limit=1&cursor={cursor}")).await;
        assert_eq!(([first, second].concat(), end), (all, Value::Null));
        desk.is_calm();
    });
}

#[test]
fn a_change_of_what_somebody_else_changed_meanwhile_is_refused_whenever_it_begins() {
    run(async {
        let desk = desk().await;
        let admin = desk.rest.as_billing_admin();
        let of = Customer::nobody();
        let first = put(&admin, of, Some("2026-01-01T00:00:00Z"), "STARTER").await;
        let seen = first.header("etag").expect("an ETag").to_owned();
        put(&admin, of, Some("2999-01-01T00:00:00Z"), "GROWTH").await;
        let stale = admin.clone().saying("if-match", &seen);
        for from in [
            None,
            Some("2026-02-01T00:00:00Z"),
            Some("2999-06-01T00:00:00Z"),
        ] {
            let refused = put(&stale, of, from, "CUSTOM").await;
            assert_eq!(problem(&refused), (412, "precondition_failed", "If-Match"));
        }
        // Another tenant takes no version of it, not even of a time before the first.
        let thief = Customer {
            account: of.account,
            ..Customer::nobody()
        };
        for from in [
            None,
            Some("2020-01-01T00:00:00Z"),
            Some("2999-06-01T00:00:00Z"),
        ] {
            let refused = put(&admin, thief, from, "CUSTOM").await;
            let expected = (409, "account_of_another_tenant", "/tenantId");
            assert_eq!(problem(&refused), expected);
        }
        desk.is_calm();
    });
}
