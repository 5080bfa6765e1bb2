//! Callers who want to be taken for others, or to spend what is others'.

use hyper::Method;
use schema::{AccountId, TenantId};
use serde_json::{Value, json};
use tests::world::{
    Rest,
    rest::{PLATFORM, RestClient},
};

use crate::{
    fixture::{run, unique},
    rest::{
        fixture::{Customer, DAYS, Desk, calm, desk, list_price_body, price_body, problem},
        tokens::claims,
    },
};

const PRICES: &str = "/v1/admin/pricing";

fn usage(of: AccountId) -> String {
    format!("/v1/billing/usage?{DAYS}&accountId={of}")
}

/// Somebody of that name who reads the customer's own account.
fn viewer(rest: &Rest, subject: &str, of: Customer) -> RestClient {
    rest.named(subject, "account.viewer", of.tenant, Some(of.account))
}

/// Calls until it is too much; says whether it ever was.
async fn flood(caller: &RestClient, path: &str) -> bool {
    for _ in 0..40 {
        let answer = caller.get(path).await.expect("an answer");
        if answer.status == 429 {
            return true;
        }
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    false
}

#[test]
fn a_flood_of_one_tenant_takes_nothing_from_another_tenants_caller_of_that_name() {
    run(async {
        let desk = desk().await;
        let (node, rest) = desk.node(&[("HTTP_RATE", "1"), ("HTTP_BURST", "5")]).await;
        let (theirs, own) = (desk.customer().await, desk.customer().await);
        let flooding = viewer(&rest, "anna", theirs);
        assert!(
            flood(&flooding, &usage(theirs.account)).await,
            "it is limited"
        );
        let answer = viewer(&rest, "anna", own).get(&usage(own.account)).await;
        assert_eq!(answer.expect("an answer").status, 200);
        calm(&node);
        assert!(node.terminate().await.expect("it stops"));
    });
}

#[test]
fn a_tenant_with_many_callers_has_no_more_than_its_own_share() {
    run(async {
        let desk = desk().await;
        let limits = [("HTTP_TENANT_RATE", "1"), ("HTTP_TENANT_BURST", "6")];
        let (node, rest) = desk.node(&limits).await;
        let (theirs, own) = (desk.customer().await, desk.customer().await);
        let mut statuses = Vec::new();
        for number in 0..40 {
            let caller = viewer(&rest, &format!("user-{number}"), theirs);
            let answer = caller.get(&usage(theirs.account)).await;
            statuses.push(answer.expect("an answer").status);
        }
        assert!(
            statuses.contains(&200) && statuses.contains(&429),
            "{statuses:?}"
        );
        let answer = viewer(&rest, "user-1", own).get(&usage(own.account)).await;
        assert_eq!(answer.expect("an answer").status, 200);
        calm(&node);
        assert!(node.terminate().await.expect("it stops"));
    });
}

/// Who the log says wanted to look at this account, and of which tenant they were.
async fn traces(desk: &Desk, account: AccountId) -> Vec<(String, String)> {
    let sql = include_str!("callers/looked.sql");
    let rows = desk.database.query(sql, &[&account.to_string()]).await;
    let rows = rows.expect("reads");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

async fn pseudonym(desk: &Desk, tenant: TenantId) -> String {
    let sql = include_str!("callers/pseudonym.sql");
    let row = desk.database.query_one(sql, &[&tenant.0]).await;
    row.expect("it has one").get(0)
}

#[test]
fn nobody_leaves_the_trace_of_somebody_else() {
    run(async {
        let (desk, gateway) = (desk().await, desk().await.gateway().await);
        let (one, other) = (desk.customer().await, desk.customer().await);
        let name = format!("key-{}", unique().simple());
        let key = gateway.kong.as_nobody().saying("x-api-key-id", &name);
        let key = key.saying("x-scopes", "billing:read");
        let key = key.saying("x-tenant-id", &one.tenant.to_string());
        let key = key.saying("x-account-id", &one.account.to_string());
        let callers = [
            (key, one),
            (viewer(&desk.rest, &name, one), one),
            (viewer(&desk.rest, &format!("api-key:{name}"), one), one),
            (viewer(&desk.rest, &name, other), other),
        ];
        let mut principals = Vec::new();
        for (caller, of) in callers {
            let wanted = AccountId(unique());
            let answer = caller.get(&usage(wanted)).await.expect("an answer");
            assert_eq!(problem(&answer), (403, "account_mismatch", "accountId"));
            let mut traces = traces(desk, wanted).await;
            let (principal, tenant) = traces.pop().expect("the look is recorded");
            assert_eq!(traces, [], "once");
            assert_eq!(tenant, pseudonym(desk, of.tenant).await);
            assert!(principal.ends_with(&name), "{principal}");
            assert!(!principals.contains(&principal), "{principal}");
            principals.push(principal);
        }
        desk.is_calm();
    });
}

#[test]
fn an_idempotency_key_of_one_tenants_admin_is_not_anothers_of_that_name() {
    run(async {
        let desk = desk().await;
        let second = TenantId(unique());
        let both = format!("{PLATFORM},{second}");
        let (node, rest) = desk.node(&[("JWT_PLATFORM_TENANTS", &both)]).await;
        let key = format!("key {}", unique());
        for tenant in [PLATFORM, second] {
            let admin = rest.named("anna", "platform.billing_admin", tenant, None);
            let admin = admin.saying("idempotency-key", &key);
            let body = list_price_body(Customer::nobody().operator);
            let answer = admin.call(Method::POST, PRICES, Some(&body)).await;
            let answer = answer.expect("an answer");
            assert_eq!(answer.status, 201, "{}", answer.text);
        }
        calm(&node);
        assert!(node.terminate().await.expect("it stops"));
    });
}

#[test]
fn a_role_of_the_platform_gives_a_customer_nothing() {
    run(async {
        let desk = desk().await;
        let (own, theirs) = (desk.customer().await, desk.customer().await);
        let as_role = |role| desk.rest.as_role(role, own.tenant, Some(own.account));
        for role in ["platform.billing_admin", "platform.admin"] {
            let caller = as_role(role);
            let body = price_body(own);
            let answer = caller.call(Method::POST, PRICES, Some(&body)).await;
            let answer = answer.expect("an answer");
            assert_eq!(problem(&answer), (403, "right_missing", ""), "{role}");
            for account in [own.account, theirs.account] {
                let answer = caller.get(&usage(account)).await.expect("an answer");
                assert_eq!(problem(&answer), (403, "right_missing", ""), "{role}");
            }
        }
        // And where it stands beside one that counts, margins stay ours.
        let issuer = &desk.issuer;
        let mut said = claims("anna", "account.viewer", own.tenant.0);
        said["account_id"] = json!(own.account);
        said["roles"] = json!(["account.viewer", "platform.admin"]);
        let both = desk.rest.with_token(&issuer.token(&said));
        let answer = both.get(&usage(own.account)).await.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text);
        let totals = &answer.body["byCurrency"][0]["totals"];
        assert!(totals["messageCount"].is_u64(), "{}", answer.text);
        assert_eq!(totals["totalOperatorCost"], Value::Null);
        assert!(totals.get("margin").is_none(), "{totals}");
        desk.is_calm();
    });
}
