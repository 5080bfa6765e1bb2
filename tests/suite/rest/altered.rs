//! Tables that are altered under running services, as a migration or another team does it.

use hyper::Method;
use serde_json::Value;
use tests::world::{Service, World, WorldOptions, rest::RestClient};

use super::fixture::{Customer, account_body, cost_body, done, list_price_body};
use crate::{
    fixture::{alter, eventually, place, run},
    receipts::fixture::{Desk, Sms, receipt, settled_as},
};

/// Few connections, so that each has prepared every statement soon.
const FEW: (&str, &str) = ("DB_POOL_MAX", "3");
/// How often everything is asked, so that each connection is asked too.
const ROUNDS: usize = 12;

/// Reads every table and writes to each that a caller may write to.
async fn everything_works(world: &World, billing: &Service) {
    let rest = world.rest(billing).await.expect("reached");
    let of = Customer::nobody();
    let account = format!("/v1/admin/accounts/{}", of.account);
    let body = account_body(of.tenant);
    done(&rest, Method::PUT, &account, Some(&body)).await;
    let (prices, costs) = ("/v1/admin/pricing", "/v1/admin/operator-costs");
    let body = list_price_body(of.operator);
    let price = done(&rest, Method::POST, prices, Some(&body)).await;
    let cost = done(&rest, Method::POST, costs, Some(&cost_body(of.operator))).await;
    let admin = rest.as_billing_admin();
    let one = |path: &str, version: &Value, id: &str| {
        format!("{path}/{}", version[id].as_str().expect("an id"))
    };
    for path in [
        account,
        prices.to_owned(),
        costs.to_owned(),
        one(prices, &price, "pricingTableId"),
        one(costs, &cost, "operatorCostId"),
        "/v1/admin/held-charges".to_owned(),
    ] {
        read_often(&admin, &path).await;
    }
}

async fn read_often(admin: &RestClient, path: &str) {
    for _ in 0..ROUNDS {
        let answer = admin.get(path).await.expect("an answer");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
}

/// A receipt takes all its effects.
async fn a_receipt_settles(desk: &Desk, sms: &Sms) {
    let sent = desk.send(&receipt(sms)).await;
    desk.done(sent).await;
    assert_eq!(desk.effects(sms).await, settled_as("DELIVRD", "DELIVERED"));
}

#[test]
fn a_table_altered_under_running_services_is_noticed_by_nobody() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let billing = place.world.billing(&[FEW]).await.expect("a service");
        let desk = Desk::in_world(place.world).await;
        let database = desk.world.admin().await.expect("postgres");
        let alterations = [
            "billing.held_charges add column x text",
            "billing.pricing_tables add column x text",
            "billing.operator_costs add column x text",
            "billing.accounts add column x text",
            "billing.account_versions add column x text",
            "billing.account_versions alter account_tier type varchar(32)",
            "orch.sms_messages add column x text",
            "orch.sms_messages alter to_msisdn type varchar(32)",
            "orch.sms_messages alter segment_count type integer",
            "orch.sms_messages alter metadata type json",
            "orch.sms_messages alter operator_message_id type text",
        ];
        // Written down while the table is as our copy of the orchestrator knows it.
        let mut messages = Vec::new();
        for _ in 0..=alterations.len() {
            messages.push(desk.message().await);
        }
        let (first, messages) = messages.split_first().expect("one more than alterations");
        a_receipt_settles(&desk, first).await;
        everything_works(&desk.world, &billing).await;
        for (alteration, sms) in alterations.into_iter().zip(messages) {
            alter(&database, &format!("alter table {alteration}")).await;
            a_receipt_settles(&desk, sms).await;
            everything_works(&desk.world, &billing).await;
        }
        for service in [&desk.service, &billing] {
            let log = service.log();
            for told in [
                "db_error",
                "rest.unavailable",
                "panicked",
                "\"level\":\"ERROR\"",
            ] {
                assert!(!log.contains(told), "{told} in {log}");
            }
        }
    });
}

#[test]
fn a_service_whose_questions_fail_is_not_ready() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let billing = place.world.billing(&[]).await.expect("a service");
        let dlr = place.world.service(&[]).await.expect("a service");
        let database = place.world.admin().await.expect("postgres");
        let ready = async |service: &Service, line: &str| {
            eventually(&format!("/ready says {line}"), async || {
                let probe = service.get("/ready").await.expect("alive");
                probe.starts_with(line).then_some(())
            })
            .await;
        };
        for (service, table, column) in [
            (&dlr, "orch.sms_messages", "to_msisdn"),
            (&billing, "billing.account_versions", "legal_name"),
            (&billing, "billing.usage_days", "message_count"),
        ] {
            let rename = async |from: &str, to: &str| {
                let sql = format!("alter table {table} rename {from} to {to}");
                alter(&database, &sql).await;
            };
            rename(column, "gone").await;
            ready(service, "HTTP/1.1 503").await;
            rename("gone", column).await;
            ready(service, "HTTP/1.1 200").await;
        }
    });
}
