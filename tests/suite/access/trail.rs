//! The trail that callers leave in the log. The attacker has a valid token, and at most the right to
//! ask; they would fill the log, slow it down, or have their own words kept for ever.

use futures::future::join_all;
use hyper::Method;
use serde_json::json;
use tests::world::{
    Rest,
    rest::{PLATFORM, RestClient},
};
use uuid::Uuid;

use crate::{
    fixture::{eventually, run, unique},
    rest::fixture::{Customer, DAYS, Desk, calm, desk, opened, price_body, problem},
};

/// How often a caller who may nothing calls each process.
const CALLS: usize = 100;

/// A fact about an access.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fact {
    stream: Uuid,
    kind: String,
    endpoint: String,
    tenant: Option<Uuid>,
    account: Option<String>,
    calls: i64,
}

/// What the log keeps of the accesses of the caller of this name.
async fn facts(desk: &Desk, subject: &str) -> Vec<Fact> {
    let sql = include_str!("trail/facts.sql");
    let rows = desk.database.query(sql, &[&subject]).await.expect("reads");
    let fact = |row: &tokio_postgres::Row| Fact {
        stream: row.get(0),
        kind: row.get(1),
        endpoint: row.get(2),
        tenant: row.get(3),
        account: row.get(4),
        calls: row.get(5),
    };
    rows.iter().map(fact).collect()
}

/// A name that nobody else has.
fn name() -> String {
    format!("somebody-{}", unique().simple())
}

/// Somebody of this name without any role.
fn nobody_of(rest: &Rest, name: &str) -> RestClient {
    let of = Customer::nobody();
    rest.named(name, "", of.tenant, Some(of.account))
}

fn usage_of_somebody() -> String {
    format!("/v1/billing/usage?{DAYS}&accountId={}", unique())
}

async fn refused(caller: &RestClient) {
    let answer = caller.get(&usage_of_somebody()).await.expect("an answer");
    assert_eq!(problem(&answer), (403, "right_missing", ""));
}

#[test]
fn what_it_costs_to_keep_an_access_does_not_grow_with_their_number() {
    run(async {
        let desk = desk().await;
        let admin = desk.rest.as_billing_admin();
        for _ in 0..30 {
            let callers: Vec<_> = (0..10).map(|_| nobody_of(&desk.rest, &name())).collect();
            join_all(callers.iter().map(refused)).await;
            let held = admin.get("/v1/admin/held-charges").await;
            assert_eq!(held.expect("an answer").status, 200);
        }
        let longest = include_str!("trail/longest.sql");
        let row = desk.database.query_one(longest, &[]).await.expect("reads");
        let (length, streams): (i64, i64) = (row.get(0), row.get(1));
        assert!(length <= 2, "a stream of accesses has {length} events");
        assert!(streams >= 330, "the log is not read right");
        desk.is_calm();
    });
}

#[test]
fn a_caller_who_is_refused_without_end_leaves_a_few_facts_that_add_up() {
    run(async {
        let desk = desk().await;
        let (name, of) = (name(), Customer::nobody());
        let (first, one) = desk.node(&[]).await;
        let (second, other) = desk.node(&[]).await;
        for rest in [&one, &other] {
            let caller = rest.named(&name, "", of.tenant, Some(of.account));
            for _ in 0..CALLS {
                refused(&caller).await;
            }
        }
        let before = facts(desk, &name).await;
        assert!(before.iter().any(|fact| fact.calls == 1), "the first one");
        // A process that stops in order keeps its counts.
        for node in [first, second] {
            calm(&node);
            assert!(node.terminate().await.expect("it stops"));
        }
        let facts = facts(desk, &name).await;
        let calls: i64 = facts.iter().map(|fact| fact.calls).sum();
        assert_eq!(usize::try_from(calls), Ok(2 * CALLS), "{facts:?}");
        // Two a minute and process; a busy machine may take some minutes.
        assert!(facts.len() < CALLS / 2, "{} facts", facts.len());
        assert!(facts.iter().all(|fact| fact.kind == "AccessRefused"));
    });
}

#[test]
fn what_a_caller_calls_a_request_comes_back_and_is_kept_nowhere() {
    const WORD: &str = "491721234567";
    run(async {
        let desk = desk().await;
        let name = name();
        let account = desk.customer().await.account;
        let path = format!("/v1/admin/accounts/{account}");
        let admin = desk
            .rest
            .named(&name, "platform.billing_admin", PLATFORM, None);
        let named = admin.clone().saying("x-request-id", WORD);
        let answer = named.get(&path).await.expect("an answer");
        assert_eq!(
            (answer.status, answer.header("x-request-id")),
            (200, Some(WORD))
        );
        let absent = format!("/v1/admin/accounts/{}", unique());
        let answer = named.get(&absent).await.expect("an answer");
        assert_eq!(
            (answer.status, answer.header("x-request-id")),
            (404, Some(WORD))
        );
        let own = answer.body["requestId"].as_str().expect("an id of ours");
        let own: Uuid = own.parse().expect("a uuid");

        let facts = facts(desk, &name).await;
        assert_eq!(facts.len(), 2, "{facts:?}");
        assert_eq!(
            facts[1].stream, own,
            "the fact is found by what the problem says"
        );
        let kept = include_str!("trail/kept.sql");
        let row = desk
            .database
            .query_one(kept, &[&WORD])
            .await
            .expect("reads");
        assert_eq!(row.get::<_, i64>(0), 0, "the log keeps what a caller said");
        let log = eventually("the request is in the log", async || {
            Some(desk.billing.log()).filter(|log| log.contains(&own.to_string()))
        })
        .await;
        assert!(!log.contains(WORD), "a log line holds what a caller said");
        desk.is_calm();
    });
}

/// Every read of a tenant's data by the platform: the endpoint, a call of it, and whether that names
/// the account.
fn reads(of: Customer, price: Uuid) -> [(&'static str, String, bool); 5] {
    let (tenant, account) = (of.tenant, of.account);
    [
        (
            "GET /v1/admin/accounts/{accountId}",
            format!("/v1/admin/accounts/{account}"),
            true,
        ),
        (
            "GET /v1/admin/held-charges",
            format!("/v1/admin/held-charges?tenantId={tenant}&accountId={account}"),
            true,
        ),
        (
            "GET /v1/admin/charge-conflicts",
            format!("/v1/admin/charge-conflicts?tenantId={tenant}&accountId={account}"),
            true,
        ),
        (
            "GET /v1/admin/pricing",
            format!("/v1/admin/pricing?tenantId={tenant}"),
            false,
        ),
        (
            "GET /v1/admin/pricing/{pricingTableId}",
            format!("/v1/admin/pricing/{price}"),
            false,
        ),
    ]
}

#[test]
fn whoever_of_the_platform_reads_a_tenants_data_or_is_refused_to_is_in_the_log() {
    run(async {
        let desk = desk().await;
        let of = desk.customer().await;
        let price = opened(&desk.rest, "/v1/admin/pricing", &price_body(of)).await;
        let (tenant, account) = (of.tenant, of.account);
        for (endpoint, path, names_account) in reads(of, price) {
            // Finance sees accounts and what waits; prices are not its business.
            let finance = if names_account {
                ("platform.finance", 200, "CrossAccountRead")
            } else {
                ("platform.finance", 403, "AccessRefused")
            };
            for (role, status, kind) in [
                ("platform.billing_admin", 200, "CrossAccountRead"),
                finance,
                ("platform.auditor", 403, "AccessRefused"),
            ] {
                let name = name();
                let caller = desk.rest.named(&name, role, PLATFORM, None);
                let answer = caller.get(&path).await.expect("an answer");
                assert_eq!(answer.status, status, "{}", answer.text);
                let facts = facts(desk, &name).await;
                let [fact] = &facts[..] else {
                    panic!("{endpoint} as {role}: {facts:?}");
                };
                assert_eq!(
                    (fact.kind.as_str(), fact.endpoint.as_str()),
                    (kind, endpoint)
                );
                assert_eq!(
                    fact.tenant.is_some(),
                    status == 200,
                    "whose, once it is known"
                );
                let named = fact.account.as_deref() == Some(&*account.to_string());
                assert_eq!(named, names_account, "{fact:?}");
                let row = eventually("the access is shown", async || {
                    let sql = include_str!("trail/shown.sql");
                    let row = desk.database.query_opt(sql, &[&fact.stream]).await;
                    row.expect("reads")
                })
                .await;
                let shown: (Option<Uuid>, bool) = (row.get(0), row.get(1));
                let whose = (status == 200).then_some(tenant.0);
                assert_eq!(
                    shown,
                    (whose, status == 403),
                    "by its own id, not a pseudonym"
                );
            }
        }
        // Who changes something leaves what they changed, and no look.
        let name = name();
        let admin = desk
            .rest
            .named(&name, "platform.billing_admin", PLATFORM, None);
        let path = format!("/v1/admin/pricing/{price}");
        let change = json!({ "unitPrice": "0.05" });
        let answer = admin.call(Method::PATCH, &path, Some(&change)).await;
        assert_eq!(answer.expect("an answer").status, 200);
        assert_eq!(facts(desk, &name).await, []);
        desk.is_calm();
    });
}

#[test]
fn with_a_key_the_name_of_a_caller_is_kept_nowhere() {
    const NUMBER: &str = "491731234568";
    run(async {
        let desk = desk().await;
        let key = ("JWT_SUBJECT_KEY", "a key of thirty-two bytes or more");
        let (node, rest) = desk.node(&[key]).await;
        let (of, wanted) = (desk.customer().await, unique());
        let caller = rest.named(NUMBER, "", of.tenant, Some(of.account));
        let path = format!("/v1/billing/usage?{DAYS}&accountId={wanted}");
        let answer = caller.get(&path).await.expect("an answer");
        assert_eq!(problem(&answer), (403, "right_missing", ""));

        let hashed = "_".repeat(64);
        let facts = facts(desk, &hashed).await;
        let account = Some(wanted.to_string());
        assert!(
            facts.iter().any(|fact| fact.account == account),
            "{facts:?}"
        );
        let kept = include_str!("trail/kept.sql");
        let row = desk.database.query_one(kept, &[&NUMBER]).await;
        assert_eq!(row.expect("reads").get::<_, i64>(0), 0);
        calm(&node);
        assert!(!node.log().contains(NUMBER), "a log line names the caller");
        assert!(node.terminate().await.expect("it stops"));
    });
}
