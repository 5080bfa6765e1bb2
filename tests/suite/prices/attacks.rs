//! Prices: nobody's price, and ids that name nobody on any other way in.
//!
//! The attacker has the platform's right to set prices, or to publish settlements. The nil UUID
//! once stood for "no tenant" in a constraint: one price of that tenant stopped the table of
//! prices for ever, and with it every later change of a price and every charge that waits.

use hyper::Method;
use serde_json::{Value, json};
use tests::world::rest::RestClient;
use uuid::Uuid;

use crate::{
    charges::fixture::{Customer, market},
    fixture::{eventually, run, unique},
};

const PRICES: &str = "/v1/admin/pricing";
const COSTS: &str = "/v1/admin/operator-costs";

/// A price of the platform, or of the tenant named.
fn price(of: Customer, tenant: Option<Uuid>) -> Value {
    json!({
        "tenantId": tenant, "accountTier": "GROWTH", "operatorId": of.operator,
        "pricingModel": "PER_SEGMENT", "unitPrice": "0.045", "currency": "EUR",
    })
}

/// What a call is told: status, code, field.
async fn told(
    caller: &RestClient,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> (u16, String, String) {
    let answer = caller.call(method, path, body).await.expect("an answer");
    let text = |name: &str| answer.body[name].as_str().unwrap_or_default().to_owned();
    (answer.status, text("code"), text("field"))
}

#[test]
fn a_price_setter_cannot_stop_the_table_with_a_price_of_nobody() {
    run(async {
        let market = market().await;
        let (admin, customer) = (market.admin(), Customer::new());
        let open = async |tenant| {
            let body = price(customer, tenant);
            told(&admin, Method::POST, PRICES, Some(&body)).await
        };
        assert_eq!(open(None).await.0, 201);
        let (status, code, field) = open(Some(Uuid::nil())).await;
        assert_eq!(
            (status, &*code, &*field),
            (400, "invalid_field", "/tenantId")
        );
        // An answer of 201 means that the table shows it: it goes on.
        assert_eq!(open(Some(customer.tenant.0)).await.0, 201);
    });
}

#[test]
fn a_caller_names_nobody_on_no_way_in() {
    run(async {
        let market = market().await;
        let (admin, nil) = (market.admin(), Uuid::nil());
        let platform = market.rests[0].as_platform_admin();
        let nobodys = Customer {
            operator: schema::OperatorId(nil),
            ..Customer::new()
        };
        let account = format!("/v1/admin/accounts/{}", unique());
        let registration = json!({"tenantId": nil, "accountTier": "GROWTH", "currency": "EUR"});
        let cost = json!({"operatorId": nil, "costPerSegment": "0.02", "currency": "EUR"});
        for (method, path, body, field) in [
            (Method::POST, PRICES, price(nobodys, None), "/operatorId"),
            (Method::POST, COSTS, cost, "/operatorId"),
            (Method::PUT, &account, registration, "/tenantId"),
        ] {
            let (status, code, at) = told(&admin, method, path, Some(&body)).await;
            assert_eq!((status, &*code, &*at), (400, "invalid_field", field));
        }
        let usage = format!("/v1/billing/usage?from=2026-01-01&to=2026-01-02&accountId={nil}");
        for (caller, path, parameter) in [
            (&admin, format!("{PRICES}/{nil}"), "pricingTableId"),
            (&admin, format!("{COSTS}/{nil}"), "operatorCostId"),
            (&admin, format!("/v1/admin/accounts/{nil}"), "accountId"),
            (&admin, format!("{PRICES}?operatorId={nil}"), "operatorId"),
            (&admin, format!("{COSTS}?operatorId={nil}"), "operatorId"),
            (&platform, usage, "accountId"),
        ] {
            let (status, code, at) = told(caller, Method::GET, &path, None).await;
            let expected = (400, "invalid_parameter", parameter);
            assert_eq!((status, &*code, &*at), expected, "{path}");
        }
    });
}

#[test]
fn a_publisher_settles_no_message_of_nobody() {
    run(async {
        let mut market = market().await;
        let metric = "billing_validation_errors_total{reason=\"bad_uuid\"}";
        let (before, head) = (market.total(metric).await, market.head().await);
        let fields = [
            "eventId",
            "messageId",
            "tenantId",
            "accountId",
            "operatorId",
        ];
        for field in fields {
            let sound = Customer::new().message().payload();
            let mut message: Value = serde_json::from_slice(&sound).expect("JSON");
            message[field] = json!(Uuid::nil());
            let strange = market.send_bytes(message.to_string().into()).await;
            market.expected.strange.insert(strange);
        }
        let all = before + i64::try_from(fields.len()).expect("few");
        eventually("each is terminated and counted", async || {
            (market.total(metric).await == all).then_some(())
        })
        .await;
        market.rest().await;
        assert_eq!(market.head().await, head, "nothing is recorded");
    });
}
