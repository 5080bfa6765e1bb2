//! A good call of every endpoint, and every endpoint against the ids of another tenant.
//!
//! The endpoints are read from the service's own document: one without a case here fails.

use hyper::Method;
use schema::TenantId;
use serde_json::{Value, json};
use tests::world::rest::{Answer, RestClient};
use uuid::Uuid;

use crate::adjustments::fixture::{ADJUSTMENTS, credit, proposed};

use super::fixture::{
    Customer, DAYS, Desk, account_body, cost_body, desk, home, list_price_body, opened, price_body,
    rate_body,
};
use crate::fixture::{run, unique};

const ACCOUNTS: &str = "/v1/admin/accounts";
const PRICES: &str = "/v1/admin/pricing";
/// A statement without a line.
const EMPTY_STATEMENT: &str = "operatorMessageId,status,segments,cost\n";
const COSTS: &str = "/v1/admin/operator-costs";
const RATES: &str = "/v1/admin/exchange-rates";

/// What a caller needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Right {
    Read,
    Admin,
    /// To see what finance settles: an administrator's, or that to see any account.
    Settle,
    Finance,
    /// That of finance, or of administrators.
    Margins,
    /// To see why: an administrator's, an auditor's, or that to see any account.
    Explain,
    /// Either of those who keep costs and who settle.
    Compare,
}

/// The things that endpoints are asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Things {
    pub(super) customer: Customer,
    /// A charged message.
    pub(super) message: Uuid,
    /// One price to show and replace, one to close.
    pub(super) prices: [Uuid; 2],
    pub(super) costs: [Uuid; 2],
    pub(super) rates: [Uuid; 2],
    /// One adjustment to approve, one to reject.
    pub(super) adjustments: [Uuid; 2],
    /// A statement of the carrier.
    pub(super) statement: Uuid,
}

impl Things {
    /// Things of a customer with a charge, a charge that waits, prices and costs of their own.
    async fn made(desk: &Desk) -> Self {
        let customer = desk.customer().await;
        let other = Customer {
            operator: Customer::nobody().operator,
            ..customer
        };
        let price = async |of| opened(&desk.rest, PRICES, &price_body(of)).await;
        let cost = async |of: Customer| opened(&desk.rest, COSTS, &cost_body(of.operator)).await;
        let mut things = Self {
            customer,
            message: Uuid::nil(),
            prices: [price(customer).await, price(other).await],
            costs: [cost(customer).await, cost(other).await],
            rates: rates(desk).await,
            adjustments: adjustments(desk, customer).await,
            statement: compared(desk, customer).await,
        };
        things.message = desk.settle(customer).await;
        desk.charge(things.message).await;
        desk.counted(customer, 1).await;
        things
    }

    /// Things that are nowhere.
    fn imaginary() -> Self {
        Self {
            customer: Customer::nobody(),
            message: unique(),
            prices: [unique(), unique()],
            costs: [unique(), unique()],
            rates: [unique(), unique()],
            adjustments: [unique(), unique()],
            statement: unique(),
        }
    }
}

/// Two exchange rates of a time to come.
pub(super) async fn rates(desk: &Desk) -> [Uuid; 2] {
    [
        opened(&desk.rest, RATES, &rate_body()).await,
        opened(&desk.rest, RATES, &rate_body()).await,
    ]
}

/// Two adjustments that wait.
pub(super) async fn adjustments(desk: &Desk, of: Customer) -> [Uuid; 2] {
    let body = credit(of.account);
    [
        proposed(&desk.rest, &body).await,
        proposed(&desk.rest, &body).await,
    ]
}

/// A statement of the carrier that names no message.
pub(super) async fn compared(desk: &Desk, of: Customer) -> Uuid {
    let id = unique();
    let about = "from=2026-01-01&to=2026-01-02&currency=EUR";
    let operator = of.operator;
    let path = format!("/v1/admin/operator-statements/{id}?operatorId={operator}&{about}");
    let file = ("text/csv", EMPTY_STATEMENT.into());
    let caller = desk.rest.as_billing_admin();
    let answer = caller.send(Method::PUT, &path, Some(file)).await;
    answer.expect("an answer").made().expect("compared");
    id
}

/// A good call of an endpoint, and what it needs; a body that is a text is a table. `None`: this file
/// does not know the endpoint.
fn case(operation: &str, of: Things) -> Option<(Right, String, Option<Value>)> {
    let Things {
        customer,
        prices: [price, spare_price],
        costs: [cost, spare_cost],
        ..
    } = of;
    let Customer {
        tenant, account, ..
    } = customer;
    let fresh = Customer::nobody().operator;
    let admin = |path: String, body| Some((Right::Admin, path, body));
    let settle = |path: String| Some((Right::Settle, path, None));
    match operation {
        "showUsage" => {
            let path = format!("/v1/billing/usage?{DAYS}&accountId={account}");
            Some((Right::Read, path, None))
        }
        "listPrices" => admin(format!("{PRICES}?tenantId={tenant}"), None),
        "openPrice" => {
            let mut body = list_price_body(fresh);
            body["tenantId"] = json!(tenant);
            admin(PRICES.to_owned(), Some(body))
        }
        "showPrice" => admin(format!("{PRICES}/{price}"), None),
        "replacePrice" => {
            let body = json!({ "unitPrice": "0.05" });
            admin(format!("{PRICES}/{price}"), Some(body))
        }
        "closePrice" => admin(format!("{PRICES}/{spare_price}"), None),
        "listCosts" => admin(format!("{COSTS}?operatorId={}", customer.operator), None),
        "openCost" => admin(COSTS.to_owned(), Some(cost_body(fresh))),
        "showCost" => admin(format!("{COSTS}/{cost}"), None),
        "replaceCost" => {
            let body = json!({ "costPerSegment": "0.03" });
            admin(format!("{COSTS}/{cost}"), Some(body))
        }
        "closeCost" => admin(format!("{COSTS}/{spare_cost}"), None),
        "applyPriceSheet" => {
            let columns = "tenantId,accountTier,operatorId,currency,pricingModel,unitPrice";
            let sheet = format!("{columns}\n{tenant},GROWTH,{fresh},EUR,PER_SEGMENT,0.045\n");
            let path = format!("/v1/admin/price-sheets/{}", unique());
            admin(path, Some(Value::String(sheet)))
        }
        "applyCostSheet" => {
            let sheet = format!("operatorId,costPerSegment,currency\n{fresh},0.02,EUR\n");
            let path = format!("/v1/admin/cost-sheets/{}", unique());
            admin(path, Some(Value::String(sheet)))
        }
        "listOperatorStatements" | "showOperatorStatement" | "putOperatorStatement" => {
            let (path, body) = statement_case(operation, of);
            Some((Right::Compare, path, body))
        }
        "listChargeConflicts" => settle(format!("/v1/admin/charge-conflicts?tenantId={tenant}")),
        "listHeldCharges" => settle(format!("/v1/admin/held-charges?tenantId={tenant}")),
        _ => case_of_rates(operation, of)
            .or_else(|| case_of_charges(operation, of))
            .or_else(|| case_of_adjustments(operation, of)),
    }
}

/// The same of exchange rates.
fn case_of_rates(operation: &str, of: Things) -> Option<(Right, String, Option<Value>)> {
    let [rate, spare_rate] = of.rates;
    let admin = |path: String, body| Some((Right::Admin, path, body));
    match operation {
        "listExchangeRates" => admin(format!("{RATES}?baseCurrency=NOK"), None),
        "openExchangeRate" => admin(RATES.to_owned(), Some(rate_body())),
        "showExchangeRate" => admin(format!("{RATES}/{rate}"), None),
        "replaceExchangeRate" => {
            let body = json!({ "rate": "0.65" });
            admin(format!("{RATES}/{rate}"), Some(body))
        }
        "closeExchangeRate" => admin(format!("{RATES}/{spare_rate}"), None),
        _ => None,
    }
}

/// The same of accounts.
fn case_of_accounts(operation: &str, of: Customer) -> Option<(Right, String, Option<Value>)> {
    let path = format!("{ACCOUNTS}/{}", of.account);
    let settle = |path: String| Some((Right::Settle, path, None));
    match operation {
        "listAccounts" => settle(format!("{ACCOUNTS}?tenantId={}", of.tenant)),
        "showAccount" => settle(path),
        "listAccountVersions" => settle(format!("{path}/versions")),
        "putAccount" => Some((Right::Admin, path, Some(account_body(of.tenant)))),
        _ => None,
    }
}

/// The same of charges.
fn case_of_charges(operation: &str, of: Things) -> Option<(Right, String, Option<Value>)> {
    let (message, account) = (of.message, of.customer.account);
    let charges = "/v1/billing/charges";
    let (right, path) = match operation {
        "listCharges" => (Right::Read, format!("{charges}?accountId={account}")),
        "showCharge" => (Right::Read, format!("{charges}/{message}")),
        "explainCharge" => (Right::Explain, format!("{charges}/{message}/explanation")),
        "listMargins" => {
            let path = format!("/v1/admin/margins?groupBy=tenant&{DAYS}");
            (Right::Margins, path)
        }
        _ => return None,
    };
    Some((right, path, None))
}

/// The same of adjustments.
fn case_of_adjustments(operation: &str, of: Things) -> Option<(Right, String, Option<Value>)> {
    let [adjustment, spare_adjustment] = of.adjustments;
    let Customer {
        tenant, account, ..
    } = of.customer;
    let settle = |path: String| Some((Right::Settle, path, None));
    let finance = |path: String, body| Some((Right::Finance, path, body));
    match operation {
        "listAdjustments" => settle(format!("{ADJUSTMENTS}?tenantId={tenant}")),
        "proposeAdjustment" => {
            let body = Some(credit(account));
            Some((Right::Admin, ADJUSTMENTS.to_owned(), body))
        }
        "showAdjustment" => settle(format!("{ADJUSTMENTS}/{adjustment}")),
        "approveAdjustment" => finance(format!("{ADJUSTMENTS}/{adjustment}/approve"), None),
        "listApprovedAdjustments" => {
            let path = format!("/v1/billing/adjustments?accountId={account}");
            Some((Right::Read, path, None))
        }
        "rejectAdjustment" => {
            let body = json!({ "reason": "it is not due" });
            let path = format!("{ADJUSTMENTS}/{spare_adjustment}/reject");
            finance(path, Some(body))
        }
        _ => case_of_accounts(operation, of.customer),
    }
}

/// A carrier's statement; each call brings one of its own.
fn statement_case(operation: &str, of: Things) -> (String, Option<Value>) {
    const STATEMENTS: &str = "/v1/admin/operator-statements";
    let operator = of.customer.operator;
    match operation {
        "listOperatorStatements" => (format!("{STATEMENTS}?operatorId={operator}"), None),
        "showOperatorStatement" => (format!("{STATEMENTS}/{}", of.statement), None),
        _ => {
            let about = "from=2026-01-01&to=2026-01-02&currency=EUR";
            let path = format!("{STATEMENTS}/{}?operatorId={operator}&{about}", unique());
            (path, Some(json!(EMPTY_STATEMENT)))
        }
    }
}

/// One method of one path, as the document has it.
pub(super) struct Operation {
    pub(super) id: String,
    method: Method,
    statuses: Vec<String>,
}

/// All of them; there are as many as were counted when this was written, or more.
pub(super) async fn operations(desk: &Desk) -> Vec<Operation> {
    let document = desk.rest.as_nobody().get("/openapi.json").await;
    let document = document.expect("an answer").made().expect("for everybody");
    let mut found = Vec::new();
    for methods in document["paths"].as_object().expect("paths").values() {
        for (method, operation) in methods.as_object().expect("methods") {
            let responses = operation["responses"].as_object().expect("responses");
            found.push(Operation {
                id: operation["operationId"].as_str().expect("an id").to_owned(),
                method: method.to_uppercase().parse().expect("a method"),
                statuses: responses.keys().cloned().collect(),
            });
        }
    }
    assert!(found.len() >= 16, "the document is not read right");
    found
}

impl Operation {
    /// Calls it about these things, and makes sure that it answers as documented.
    pub(super) async fn call(&self, caller: &RestClient, of: Things) -> (Right, Answer) {
        let case = case(&self.id, of);
        let (right, path, body) = case.unwrap_or_else(|| panic!("give {} a case here", self.id));
        let body = body.as_ref().map(|body| match body {
            Value::String(table) => ("text/csv", table.clone().into()),
            json => ("application/json", json.to_string().into()),
        });
        let answer = caller.send(self.method.clone(), &path, body).await;
        let answer = answer.expect("an answer");
        let promised = self.statuses.contains(&answer.status.to_string());
        assert!(promised, "{} answers {}", self.id, answer.status);
        assert!(answer.header("x-request-id").is_some(), "{}", self.id);
        (right, answer)
    }
}

/// The place of the auditor among those who are told of nothing.
const AUDITOR: usize = 5;

/// What an answer tells, without what tells requests apart.
fn told(mut answer: Answer) -> (u16, Value, Option<String>) {
    if let Some(body) = answer.body.as_object_mut() {
        body.remove("requestId");
    }
    let etag = answer.header("etag").map(str::to_owned);
    (answer.status, answer.body, etag)
}

#[test]
fn what_belongs_to_another_tenant_cannot_be_told_from_what_does_not_exist() {
    run(async {
        let (desk, operations) = (desk().await, operations(desk().await).await);
        let (theirs, own) = (Things::made(desk).await, desk.customer().await);
        let gateway = desk.gateway().await;
        let role = |role: &str, account| {
            desk.rest.named(
                &format!("own-{role}"),
                role,
                home(role, own.tenant),
                account,
            )
        };
        let key = gateway.kong.as_nobody().saying("x-api-key-id", "own-key");
        let key = key.saying("x-scopes", "billing:read");
        let key = key.saying("x-tenant-id", &own.tenant.to_string());
        let key = key.saying("x-account-id", &own.account.to_string());
        // The platform's admins see all of one side and none of the other, as they should.
        let callers = [
            role("account.viewer", Some(own.account)),
            role("account.admin", Some(own.account)),
            role("account.admin", None),
            role("account.viewer", None),
            role("platform.nothing", None),
            role("platform.auditor", Some(own.account)),
            key,
        ];
        for operation in &operations {
            for (index, caller) in callers.iter().enumerate() {
                // An auditor sees why anybody was charged what they were.
                if operation.id == "explainCharge" && index == AUDITOR {
                    continue;
                }
                let (_, real) = operation.call(caller, theirs).await;
                let (_, imagined) = operation.call(caller, Things::imaginary()).await;
                let real = told(real);
                assert_eq!(real, told(imagined), "{} {index}", operation.id);
                assert!(
                    matches!(real.0, 403 | 404),
                    "{} {index}: {real:?}",
                    operation.id
                );
            }
        }
        // Nothing of theirs has changed: its versions still are the first ones.
        let price = format!("{PRICES}/{}", theirs.prices[0]);
        let price = desk.rest.as_billing_admin().get(&price).await;
        let price = price.expect("an answer").made().expect("there");
        assert_eq!(price["effectiveTo"], Value::Null);
        desk.is_calm();
    });
}

#[test]
fn lists_of_one_tenant_hold_nothing_of_another() {
    run(async {
        let desk = desk().await;
        let (one, other) = (Things::made(desk).await, Things::made(desk).await);
        let waiting = Customer {
            operator: Customer::nobody().operator,
            ..one.customer
        };
        let held = desk.settle(waiting).await;
        let admin = desk.rest.as_billing_admin();
        let list = async |path: String| {
            let page = admin.get(&path).await.expect("an answer").made();
            page.expect("a page")["data"]
                .as_array()
                .expect("a list")
                .clone()
        };
        let of = |tenant: TenantId| format!("/v1/admin/held-charges?tenantId={tenant}");
        let waits = crate::fixture::eventually("it waits", async || {
            let rows = list(of(one.customer.tenant)).await;
            (!rows.is_empty()).then_some(rows)
        });
        assert_eq!(waits.await[0]["messageId"], json!(held));
        assert_eq!(list(of(other.customer.tenant)).await, [] as [Value; 0]);
        for things in [one, other] {
            let tenant = things.customer.tenant;
            let prices = list(format!("{PRICES}?tenantId={tenant}")).await;
            assert_eq!(prices.len(), 2);
            assert!(
                prices
                    .iter()
                    .all(|price| price["tenantId"] == json!(tenant))
            );
        }
    });
}
