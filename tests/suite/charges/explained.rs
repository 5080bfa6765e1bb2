//! Why a message was charged what it was, or why it waits: the events that decided it (CONTRACTS 8).

use hyper::{Method, body::Bytes};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    adjustments::fixture::{approve, approver, credit, proposed},
    fixture::{eventually, run, unique},
    rest::fixture::{BEGIN, account_body, cost_body, desk, done, opened, price_body, problem},
};

const COSTS: &str = "/v1/admin/operator-costs";

fn path(message: Uuid) -> String {
    format!("/v1/billing/charges/{message}/explanation")
}

fn about(explanation: &Value) -> Vec<(String, String)> {
    let events = explanation["events"].as_array().expect("a list");
    let word = |event: &Value, name| event[name].as_str().expect("a word").to_owned();
    events
        .iter()
        .map(|it| (word(it, "about"), word(it, "eventType")))
        .collect()
}

fn types(explanation: &Value) -> Vec<String> {
    let events = explanation["events"].as_array().expect("a list");
    let positions: Vec<_> = events.iter().map(|it| it["position"].as_i64()).collect();
    assert!(positions.is_sorted(), "{positions:?}");
    let word = |event: &Value| event["eventType"].as_str().expect("a word").to_owned();
    events.iter().map(word).collect()
}

#[test]
fn a_charge_is_explained_by_its_events_and_so_is_one_that_waits() {
    run(async {
        let desk = desk().await;
        let of = desk.customer().await;
        let waiting = desk.settle(of).await;
        let admin = desk.rest.as_billing_admin();
        let held = eventually("it waits", async || {
            let answer = admin.get(&path(waiting)).await.expect("an answer");
            (answer.status == 200).then_some(answer)
        })
        .await;
        assert_eq!(held.body["charge"], Value::Null);
        assert_eq!(held.body["logId"], 1);
        let why = &held.body["events"][1]["payload"]["reason"];
        assert_eq!(*why, "NO_PRICE");
        assert_eq!(types(&held.body), ["AccountRegistered", "ChargeHeld"]);
        let request = held.header("x-request-id").expect("an id");
        assert_eq!(desk.looks(request).await.len(), 1, "each look is recorded");

        opened(&desk.rest, "/v1/admin/pricing", &price_body(of)).await;
        desk.charge(waiting).await;
        // Its carrier's cost becomes known later, and it is assessed again.
        opened(
            &desk.rest,
            "/v1/admin/operator-costs",
            &cost_body(of.operator),
        )
        .await;
        let told = eventually("it is assessed again", async || {
            let told = admin.get(&path(waiting)).await.expect("an answer").made();
            let told = told.expect("an explanation");
            (told["charge"]["review"]["costMissing"] == false).then_some(told)
        })
        .await;
        let due = [
            "AccountRegistered",
            "ChargeHeld",
            "PriceOpened",
            "MessageCharged",
            "CostOpened",
            "CostsAssessed",
        ];
        assert_eq!(types(&told), due);
        let review = &told["charge"]["review"];
        assert_eq!(review["margin"], "0.050000");
        let last = &told["events"][5];
        assert_eq!(last["position"], review["assessedPosition"]);
        let charges = last["payload"]["charges"].as_array().expect("a list");
        assert!(charges.iter().all(|it| it["messageId"] == json!(waiting)));
        assert_eq!(charges.len(), 1);
        desk.is_calm();
    });
}

#[test]
fn a_charge_rests_on_versions_of_its_time_and_on_what_became_of_it() {
    run(async {
        let desk = desk().await;
        let of = desk.customer().await;
        // The account becomes another, and its messages are charged by that version.
        let mut account = account_body(of.tenant);
        account["accountTier"] = "ENTERPRISE".into();
        account["effectiveFrom"] = "2026-02-01T00:00:00Z".into();
        let registered = format!("/v1/admin/accounts/{}", of.account.0);
        done(&desk.rest, Method::PUT, &registered, Some(&account)).await;
        let mut price = price_body(of);
        price["accountTier"] = "ENTERPRISE".into();
        opened(&desk.rest, "/v1/admin/pricing", &price).await;
        let mut cost = cost_body(of.operator);
        cost["currency"] = "MAD".into();
        opened(&desk.rest, COSTS, &cost).await;
        let message = desk.settle(of).await;
        desk.charge(message).await;
        // Two persons give something back, and finance learns what a dirham is and a better cost.
        let mut adjustment = credit(of.account);
        adjustment["messageId"] = json!(message);
        let adjustment = proposed(&desk.rest, &adjustment).await;
        let approved = approve(&approver(&desk.rest, "omar"), adjustment).await;
        approved.made().expect("approved");
        let rate = json!({
            "baseCurrency": "MAD", "quoteCurrency": "EUR", "rate": "0.1", "effectiveFrom": BEGIN,
        });
        opened(&desk.rest, "/v1/admin/exchange-rates", &rate).await;
        let admin = desk.rest.as_billing_admin();
        let with_margin = async |margin: &str| {
            eventually("it is assessed again", async || {
                let told = admin.get(&path(message)).await.expect("an answer").made();
                let told = told.expect("an explanation");
                (told["charge"]["review"]["margin"] == margin).then_some(told)
            })
            .await
        };
        with_margin("0.086000").await;
        let sheet = format!(
            "operatorId,costPerSegment,currency,effectiveFrom\n{},0.03,MAD,{BEGIN}\n",
            of.operator.0
        );
        let sheets = format!("/v1/admin/cost-sheets/{}", unique());
        let sheet = Some(("text/csv", Bytes::from(sheet)));
        let applied = admin.send(Method::PUT, &sheets, sheet).await;
        applied.expect("an answer").made().expect("applied");
        let told = with_margin("0.084000").await;
        let due = [
            ("price", "PriceOpened"),
            ("cost", "CostOpened"),
            ("charge", "MessageCharged"),
            ("adjustment", "AdjustmentProposed"),
            ("adjustment", "AdjustmentApproved"),
            ("rate", "ExchangeRateOpened"),
            ("assessment", "CostsAssessed"),
            ("cost", "CostClosed"),
            ("cost", "CostOpened"),
            ("assessment", "CostsAssessed"),
        ];
        let due = due.map(|(about, kind)| (about.to_owned(), kind.to_owned()));
        assert_eq!(about(&told)[1..], due);
        assert_eq!(
            told["events"][0]["payload"]["account"]["accountTier"],
            "ENTERPRISE"
        );
        let superseded = &told["events"][7]["payload"]["charges"][0]["assessment"];
        assert_eq!(superseded["convertedCost"], "0.004000");
        desk.is_calm();
    });
}

#[test]
fn a_charge_is_explained_to_the_platform_alone() {
    run(async {
        let desk = desk().await;
        let of = desk.customer().await;
        opened(&desk.rest, "/v1/admin/pricing", &price_body(of)).await;
        let message = desk.settle(of).await;
        desk.charge(message).await;
        let other = desk.customer().await;
        for stranger in [
            desk.rest.as_customer(of.tenant, of.account),
            desk.rest.as_role("account.admin", of.tenant, None),
            desk.rest.as_role("account.admin", other.tenant, None),
            // Roles of the platform count in its own tenants alone.
            desk.rest
                .as_role("platform.billing_admin", other.tenant, None),
        ] {
            let refused = stranger.get(&path(message)).await.expect("an answer");
            assert_eq!(problem(&refused).0, 403, "{}", refused.text);
        }
        let admin = desk.rest.as_billing_admin();
        let unknown = admin.get(&path(unique())).await.expect("an answer");
        assert_eq!(problem(&unknown).0, 404);
        let malformed = admin.get("/v1/billing/charges/1/explanation").await;
        assert_eq!(problem(&malformed.expect("an answer")).0, 400);
        desk.is_calm();
    });
}
