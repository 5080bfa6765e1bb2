//! What carriers take: it holds up no charge, and may be corrected for a time gone by.

use hyper::Method;
use schema::{MessageId, Timestamp};
use serde_json::{Value, json};
use tests::{money::Millionths, traffic::agreement::Cost};

use super::fixture::{Customer, Market, market, minutes_ago};
use crate::fixture::{eventually, run};

const COSTS: &str = "/v1/admin/operator-costs";
const RATES: &str = "/v1/admin/exchange-rates";

/// What a message is shown to cost: cost, its currency, the same in the charge's, margin.
type Shown = (String, Option<String>, Option<String>, Option<String>);

fn cost_in(currency: &'static str, customer: Customer) -> Cost {
    Cost {
        operator: customer.operator,
        currency,
        per_segment: Millionths(20_000),
        from: minutes_ago(60),
        to: None,
    }
}

/// A customer who pays 0.03 EUR for a segment.
async fn customer(market: &Market) -> Customer {
    let customer = Customer::new();
    market.register(customer, &customer.registration()).await;
    market.open_price(&customer.price(30_000)).await;
    customer
}

/// A message of two segments, charged.
async fn charged(market: &mut Market, customer: Customer) -> MessageId {
    let message = customer.message();
    market.announce(&[message]).await;
    market.becomes(message.message, ["MessageCharged"]).await;
    message.message
}

async fn made(market: &Market, method: Method, path: &str, body: &Value) -> Value {
    let admin = market.admin();
    let answer = admin.call(method, path, Some(body)).await;
    answer.expect("an answer").made().expect("made")
}

async fn open_cost(market: &Market, cost: &Cost) -> String {
    let opened = market.admin().open_cost(cost).await;
    let opened = opened.expect("an answer").made().expect("opened");
    opened["operatorCostId"].as_str().expect("an id").to_owned()
}

async fn shown(market: &Market, message: MessageId) -> Option<Shown> {
    let sql = "select operator_cost::text, cost_currency::text, converted_cost::text, margin::text
        from billing.billing_events where message_id = $1";
    let row = market.database.query_opt(sql, &[&message.0]).await;
    row.expect("reads")
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)))
}

async fn becomes(market: &Market, message: MessageId, cost: &str, rest: [Option<&str>; 3]) {
    let [currency, converted, margin] = rest.map(|text| text.map(ToOwned::to_owned));
    let due = (cost.to_owned(), currency, converted, margin);
    eventually(&format!("{due:?}"), async || {
        (shown(market, message).await.as_ref() == Some(&due)).then_some(())
    })
    .await;
}

fn text(time: Timestamp) -> Value {
    json!(time.to_string())
}

#[test]
fn a_cost_in_another_currency_stops_nobodys_charge_and_can_be_put_right() {
    run(async {
        let mut market = market().await;
        let customer = customer(&market).await;
        let wrong = open_cost(&market, &cost_in("USD", customer)).await;
        let message = charged(&mut market, customer).await;
        becomes(&market, message, "0.040000", [Some("USD"), None, None]).await;

        // It was a slip: euros were meant, from the beginning.
        let path = format!("{COSTS}/{wrong}");
        let seen = market.admin().get(&path).await.expect("an answer");
        let body = json!({ "currency": "EUR", "effectiveFrom": seen.body["effectiveFrom"] });
        made(&market, Method::PATCH, &path, &body).await;
        let right = [Some("EUR"), Some("0.040000"), Some("0.020000")];
        becomes(&market, message, "0.040000", right).await;
        let history = market.history(message).await;
        assert_eq!(history.len(), 1, "what was charged is what it was");
        market.balances().await;
    });
}

#[test]
fn an_exchange_rate_that_becomes_known_makes_margins_known() {
    run(async {
        let mut market = market().await;
        // Nobody else's charges are in this currency.
        let customer = customer(&market).await;
        open_cost(&market, &cost_in("SEK", customer)).await;
        let message = charged(&mut market, customer).await;
        becomes(&market, message, "0.040000", [Some("SEK"), None, None]).await;
        let rate = json!({
            "baseCurrency": "SEK", "quoteCurrency": "EUR", "rate": "0.0875",
            "effectiveFrom": text(minutes_ago(90)),
        });
        let opened = made(&market, Method::POST, RATES, &rate).await;
        let known = [Some("SEK"), Some("0.003500"), Some("0.056500")];
        becomes(&market, message, "0.040000", known).await;
        let next = charged(&mut market, customer).await;
        becomes(&market, next, "0.040000", known).await;

        let id = opened["exchangeRateId"].as_str().expect("an id");
        let change = json!({ "rate": "0.09", "effectiveFrom": opened["effectiveFrom"] });
        made(&market, Method::PATCH, &format!("{RATES}/{id}"), &change).await;
        for message in [message, next] {
            let corrected = [Some("SEK"), Some("0.003600"), Some("0.056400")];
            becomes(&market, message, "0.040000", corrected).await;
        }
        market.balances().await;
    });
}

#[test]
fn a_cost_for_a_time_gone_by_changes_what_its_messages_cost() {
    run(async {
        let mut market = market().await;
        let customer = customer(&market).await;
        let message = charged(&mut market, customer).await;
        let free = [None, Some("0.000000"), Some("0.060000")];
        becomes(&market, message, "0.000000", free).await;
        let missing = async || {
            let sql = "select sum(cost_missing_count)::bigint from billing.usage_days
                where account_id = $1";
            let row = market.database.query_one(sql, &[&customer.account.0]).await;
            row.expect("reads").get::<_, Option<i64>>(0)
        };
        eventually("it is counted", async || {
            (missing().await == Some(1)).then_some(())
        })
        .await;
        let id = open_cost(&market, &cost_in("EUR", customer)).await;
        let known = [Some("EUR"), Some("0.040000"), Some("0.020000")];
        becomes(&market, message, "0.040000", known).await;
        eventually("it is not missing any more", async || {
            (missing().await == Some(0)).then_some(())
        })
        .await;
        // Withdrawn again, as if it had never been.
        let path = format!("{COSTS}/{id}");
        let seen = market.admin().get(&path).await.expect("an answer");
        let from = seen.body["effectiveFrom"].as_str().expect("a time");
        let path = format!("{path}?effectiveTo={from}");
        let closed = market.admin().call(Method::DELETE, &path, None).await;
        closed.expect("an answer").made().expect("closed");
        becomes(&market, message, "0.000000", free).await;
        let sql = "select count(*) from billing.cost_assessments where message_id = $1";
        let row = market.database.query_one(sql, &[&message.0]).await;
        assert_eq!(row.expect("reads").get::<_, i64>(0), 2, "history stays");
        market.balances().await;
    });
}

#[test]
fn a_cost_is_taken_for_the_statuses_it_is_due_for() {
    run(async {
        let mut market = market().await;
        let customer = customer(&market).await;
        let body = json!({
            "operatorId": customer.operator, "costPerSegment": "0.02", "currency": "EUR",
            "dueStatuses": ["FAILED"], "effectiveFrom": text(minutes_ago(60)),
        });
        made(&market, Method::POST, COSTS, &body).await;
        let message = charged(&mut market, customer).await;
        let none = [Some("EUR"), Some("0.000000"), Some("0.060000")];
        becomes(&market, message, "0.000000", none).await;
        market.balances().await;
    });
}
