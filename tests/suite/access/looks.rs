//! Usage: whose somebody may see, what of it, and that each look at another's is in the log once.

use schema::{AccountId, TenantId};
use serde_json::{Value, json};
use tests::world::rest::{Answer, PLATFORM, RestClient};

use crate::{
    fixture::{run, unique},
    rest::fixture::{
        Customer, DAYS, Desk, cost_body, desk, home, list_price_body, opened, problem,
    },
};

/// A customer with a charge at the platform's price.
async fn charged(desk: &Desk) -> Customer {
    let customer = desk.customer().await;
    let price = list_price_body(customer.operator);
    opened(&desk.rest, "/v1/admin/pricing", &price).await;
    let cost = cost_body(customer.operator);
    opened(&desk.rest, "/v1/admin/operator-costs", &cost).await;
    let message = desk.settle(customer).await;
    let (price, cost, _) = desk.charge(message).await;
    assert_eq!((price.as_str(), cost.as_str()), ("0.090000", "0.040000"));
    desk.counted(customer, 1).await;
    customer
}

/// Asks for usage in a request of its own; says the answer and what the log has of the look.
async fn look(
    desk: &Desk,
    caller: RestClient,
    more: &str,
) -> (Answer, Vec<(String, String, Option<String>)>) {
    let path = format!("/v1/billing/usage?{DAYS}{more}");
    let answer = caller.get(&path).await.expect("an answer");
    let request = answer.header("x-request-id").expect("an id of ours");
    let looks = desk.looks(request).await;
    (answer, looks)
}

/// How many messages usage counts in all, in its one currency.
fn messages(usage: &Answer) -> &Value {
    &usage.body["byCurrency"][0]["totals"]["messageCount"]
}

/// Every name in a document, at any depth.
fn names(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| [vec![name.as_str()], names(value)].concat())
            .collect(),
        Value::Array(items) => items.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn customers_see_what_they_pay_and_neither_cost_nor_margin() {
    run(async {
        let desk = desk().await;
        let customer = charged(desk).await;
        let Customer {
            tenant, account, ..
        } = customer;
        let key = desk.gateway().await.kong.as_nobody();
        let key = key
            .saying("x-api-key-id", "k")
            .saying("x-scopes", "billing:read");
        let key = key.saying("x-tenant-id", &tenant.to_string());
        let key = key.saying("x-account-id", &account.to_string());
        let customers = [
            desk.rest.as_customer(tenant, account),
            desk.rest.as_role("account.admin", tenant, Some(account)),
            key,
        ];
        for caller in customers {
            for granularity in ["hour", "day", "month"] {
                let more = format!("&granularity={granularity}");
                let (answer, looks) = look(desk, caller.clone(), &more).await;
                assert_eq!((answer.status, looks.len()), (200, 0), "{}", answer.text);
                let euros = &answer.body["byCurrency"][0];
                let (bucket, totals) = (&euros["buckets"][0], &euros["totals"]);
                for figures in [bucket, totals] {
                    assert_eq!(figures["totalCustomerPrice"], "0.090000");
                    assert_eq!(figures["segmentCount"], 2);
                }
                let names = names(&answer.body);
                let secret = |name: &&str| name.contains("Cost") || name.contains("argin");
                assert_eq!(names.into_iter().find(secret), None);
            }
        }
        let ours = desk.rest.as_platform_admin();
        let (answer, _) = look(desk, ours, &format!("&accountId={account}")).await;
        let euros = &answer.body["byCurrency"][0];
        assert_eq!(euros["totals"]["totalOperatorCost"], "0.040000");
        assert_eq!(euros["buckets"][0]["margin"], "0.050000");
    });
}

#[test]
fn an_allowed_look_at_another_account_is_one_fact() {
    run(async {
        let desk = desk().await;
        let Customer {
            tenant, account, ..
        } = charged(desk).await;
        let read = ("CrossAccountRead".to_owned(), account.to_string(), None);
        let asked = format!("&accountId={account}");
        let own = desk.customer().await;
        let admins = [
            desk.rest.as_platform_admin(),
            desk.rest
                .as_role("platform.admin", PLATFORM, Some(own.account)),
        ];
        for caller in admins {
            let (answer, looks) = look(desk, caller, &asked).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(messages(&answer), 1);
            assert_eq!(looks, std::slice::from_ref(&read));
        }
        // Who looks at their own leaves nothing, however they say it.
        let customer = desk.rest.as_customer(tenant, account);
        let whole = desk.rest.as_role("account.admin", tenant, None);
        for (caller, more) in [(customer.clone(), ""), (customer, &asked), (whole, &asked)] {
            let (answer, looks) = look(desk, caller, more).await;
            assert_eq!(messages(&answer), 1, "{}", answer.text);
            assert_eq!(looks, []);
        }
    });
}

#[test]
fn a_refused_look_at_another_account_is_one_fact_and_tells_nothing() {
    run(async {
        let desk = desk().await;
        let (theirs, own) = (charged(desk).await, desk.customer().await);
        let nowhere = AccountId(unique());
        // Each somebody else: what one repeats is counted.
        let as_role = |role: &str, account| {
            let name = format!("looker-{}", unique().simple());
            desk.rest
                .named(&name, role, home(role, own.tenant), account)
        };
        let mismatch = (403, "account_mismatch", "accountId");
        let right = (403, "right_missing", "");
        let absent = (404, "not_found", "accountId");
        for (caller, account, expected) in [
            (
                as_role("account.viewer", Some(own.account)),
                theirs.account,
                mismatch,
            ),
            (
                as_role("account.viewer", Some(own.account)),
                nowhere,
                mismatch,
            ),
            (
                as_role("account.admin", Some(own.account)),
                theirs.account,
                mismatch,
            ),
            (as_role("account.admin", None), theirs.account, absent),
            (as_role("account.admin", None), nowhere, absent),
            (
                as_role("platform.billing_admin", None),
                theirs.account,
                right,
            ),
            (as_role("platform.nothing", None), theirs.account, right),
            (as_role("platform.auditor", None), theirs.account, right),
            (as_role("platform.admin", None), nowhere, absent),
        ] {
            let (answer, looks) = look(desk, caller, &format!("&accountId={account}")).await;
            assert_eq!(problem(&answer), expected);
            let code = Some(expected.1.to_owned());
            let refused = ("AccessRefused".to_owned(), account.to_string(), code);
            assert_eq!(looks, [refused]);
        }
        desk.is_calm();
    });
}

#[test]
fn a_tenants_name_on_anothers_account_shows_nothing_of_it() {
    run(async {
        let desk = desk().await;
        let (theirs, own) = (charged(desk).await, desk.customer().await);
        let empty = |answer: &Answer| {
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(answer.body["byCurrency"], json!([]));
        };
        // An issuer or a gateway that mixes up tenants and accounts.
        let mixed = desk.rest.as_customer(own.tenant, theirs.account);
        empty(&look(desk, mixed, "").await.0);
        let key = desk.gateway().await.kong.as_nobody();
        let key = key
            .saying("x-api-key-id", "k")
            .saying("x-scopes", "billing:read");
        let key = key.saying("x-tenant-id", &own.tenant.to_string());
        let key = key.saying("x-account-id", &theirs.account.to_string());
        empty(&look(desk, key, "").await.0);
        // A filter does not lead out of one's own account either.
        let viewer = desk.rest.as_customer(own.tenant, own.account);
        let more = format!("&operatorId={}", theirs.operator);
        let (answer, looks) = look(desk, viewer, &more).await;
        let euros = &answer.body["byCurrency"][0];
        assert_eq!(euros["buckets"], json!([]));
        assert_eq!((&euros["currency"], looks.len()), (&json!("EUR"), 0));
    });
}

#[test]
fn headers_that_name_another_tenant_or_account_contradict_the_token() {
    run(async {
        let desk = desk().await;
        let (theirs, own) = (charged(desk).await, desk.customer().await);
        let viewer = || desk.rest.as_customer(own.tenant, own.account);
        let tenant = |tenant: TenantId| viewer().saying("x-tenant-id", &tenant.to_string());
        let account = |it: AccountId| tenant(own.tenant).saying("x-account-id", &it.to_string());
        assert_eq!(look(desk, account(own.account), "").await.0.status, 200);
        let (answer, _) = look(desk, tenant(theirs.tenant), "").await;
        assert_eq!(problem(&answer), (403, "tenant_mismatch", "X-Tenant-Id"));
        let (answer, _) = look(desk, account(theirs.account), "").await;
        assert_eq!(problem(&answer), (403, "account_mismatch", "X-Account-Id"));
        let (answer, _) = look(desk, viewer().saying("x-tenant-id", ""), "").await;
        assert_eq!(problem(&answer), (403, "tenant_mismatch", "X-Tenant-Id"));
    });
}

/// Queries that are not to be answered, and what is told.
const QUERIES: [(&str, (u16, &str, &str)); 17] = [
    ("", (400, "missing_parameter", "from")),
    ("from=2026-01-01", (400, "missing_parameter", "to")),
    (
        "from=2026-01-02&to=2026-01-01",
        (400, "period_reversed", "to"),
    ),
    (
        "from=2026-01-01&to=2027-02-05",
        (400, "span_too_long", "to"),
    ),
    (
        "from=0000-01-01&to=9999-12-31",
        (400, "span_too_long", "to"),
    ),
    (
        "from=2026-02-30&to=2026-03-01",
        (400, "invalid_parameter", "from"),
    ),
    (
        "from=2026-01-01T00:00:00Z&to=2026-03-01",
        (400, "invalid_parameter", "from"),
    ),
    (
        "from=2026-01-01&to=now()--Xaverine",
        (400, "invalid_parameter", "to"),
    ),
    (
        "from=2026-01-01&to=2026-01-01&granularity=year",
        (400, "invalid_parameter", "granularity"),
    ),
    (
        "from=2026-01-01&to=2026-01-01&granularity=day&granularity=day",
        (400, "repeated_parameter", ""),
    ),
    (
        "from=2026-01-01&to=2026-01-01&Xaverine=1",
        (400, "unknown_parameter", ""),
    ),
    (
        "from=2026-01-01&to=2026-01-01&operatorId=Xaverine",
        (400, "invalid_parameter", "operatorId"),
    ),
    (
        "from=2026-01-01&to=2026-01-01&operatorId=%27%20or%201=1--",
        (400, "invalid_parameter", "operatorId"),
    ),
    (
        "from=2026-01-01&to=2026-01-01&accountId=*",
        (400, "invalid_parameter", "accountId"),
    ),
    ("from=2026-01-01&to=%ff", (400, "malformed_query", "")),
    ("from=2026-01-01&to=%0", (400, "malformed_query", "")),
    (
        "from=2026-01-01&to=2026-01-01%00",
        (400, "invalid_parameter", "to"),
    ),
];

#[test]
fn usage_is_asked_for_in_one_way() {
    run(async {
        let desk = desk().await;
        let customer = desk.customer().await;
        let caller = desk.rest.as_customer(customer.tenant, customer.account);
        for (query, expected) in QUERIES {
            let answer = caller.get(&format!("/v1/billing/usage?{query}")).await;
            assert_eq!(problem(&answer.expect("an answer")), expected, "{query}");
        }
        let whole = desk.rest.as_role("account.admin", customer.tenant, None);
        let (answer, looks) = look(desk, whole, "").await;
        assert_eq!(problem(&answer), (400, "account_required", "accountId"));
        assert_eq!(looks, []);
        desk.is_calm();
    });
}
