//! Without Postgres: every endpoint says that it is away and when to come again, and works again
//! once Postgres is back, with everything that was answered before.

use hyper::Method;
use serde_json::{Value, json};
use tests::world::{Service, WorldOptions, rest::Answer};

use super::fixture::{Customer, DAYS, account_body, cost_body, list_price_body};
use crate::fixture::{eventually, place, run, unique};

/// One call of each kind.
fn calls(of: Customer) -> Vec<(Method, String, Option<Value>)> {
    let account = format!("/v1/admin/accounts/{}", of.account);
    let (prices, costs) = ("/v1/admin/pricing", "/v1/admin/operator-costs");
    let (price, cost) = (
        format!("{prices}/{}", unique()),
        format!("{costs}/{}", unique()),
    );
    let change = json!({ "unitPrice": "1" });
    vec![
        (Method::GET, account.clone(), None),
        (Method::PUT, account, Some(account_body(of.tenant))),
        (Method::GET, prices.to_owned(), None),
        (
            Method::POST,
            prices.to_owned(),
            Some(list_price_body(of.operator)),
        ),
        (Method::GET, price.clone(), None),
        (Method::PATCH, price.clone(), Some(change)),
        (Method::DELETE, price, None),
        (Method::GET, costs.to_owned(), None),
        (Method::POST, costs.to_owned(), Some(cost_body(of.operator))),
        (Method::DELETE, cost, None),
        (Method::GET, "/v1/admin/held-charges".to_owned(), None),
    ]
}

/// The answer says that we cannot at the moment, when to come again, and nothing of our insides.
fn away(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text);
    let kind = answer.header("content-type");
    assert_eq!(kind, Some("application/problem+json"));
    let code = answer.code().expect("a code");
    assert!(["unavailable", "timed_out"].contains(&code), "{code}");
    let after = answer.header("retry-after");
    let after = after.and_then(|it| it.parse::<u64>().ok());
    assert!(after.is_some_and(|it| it >= 1));
    for inner in ["postgres", "127.0.0.1", "billing_svc", "connect"] {
        assert!(!answer.text.contains(inner), "{}", answer.text);
    }
}

/// Whether a probe says so, at last.
async fn probed(billing: &Service, path: &str, line: &str) {
    eventually("the probe says so", async || {
        let probe = billing.get(path).await.expect("alive");
        probe.starts_with(line).then_some(())
    })
    .await;
}

#[test]
fn without_postgres_every_endpoint_says_so_and_recovers() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let billing = world.billing(&[]).await.expect("a service");
        let rest = world.rest(&billing).await.expect("reached");
        let of = Customer::nobody();
        let (account, body) = (
            format!("/v1/admin/accounts/{}", of.account),
            account_body(of.tenant),
        );
        let admin = rest.as_billing_admin();
        let made = admin.call(Method::PUT, &account, Some(&body)).await;
        assert_eq!(made.expect("an answer").status, 201);
        let calls = calls(of);
        // Some tokens are made while there is time.
        let viewer = rest.as_customer(of.tenant, of.account);
        let usage = format!("/v1/billing/usage?{DAYS}");
        assert_eq!(viewer.get(&usage).await.expect("an answer").status, 200);

        world.postgres.stop_immediate().await.expect("stopped");
        let mut answers = vec![viewer.get(&usage).await.expect("an answer")];
        for (method, path, body) in &calls {
            let answer = admin.call(method.clone(), path, body.as_ref()).await;
            answers.push(answer.expect("an answer"));
        }
        answers.iter().for_each(away);
        // What needs no database is answered as ever, and nobody restarts us.
        let stranger = rest.as_nobody().get(&usage).await.expect("an answer");
        assert_eq!(stranger.code(), Some("no_credentials"));
        probed(&billing, "/health", "HTTP/1.1 200").await;
        probed(&billing, "/ready", "HTTP/1.1 503").await;

        world.postgres.start_again().await.expect("started");
        eventually("it answers again", async || {
            let answer = admin.get(&account).await.expect("an answer");
            (answer.status == 200).then_some(())
        })
        .await;
        let path = "/v1/admin/pricing";
        let body = list_price_body(of.operator);
        eventually("and writes", async || {
            let answer = admin.call(Method::POST, path, Some(&body)).await;
            let status = answer.expect("an answer").status;
            [201, 409].contains(&status).then_some(())
        })
        .await;
        probed(&billing, "/ready", "HTTP/1.1 200").await;
        let log = billing.log();
        assert!(log.contains("rest.unavailable"), "the log tells why");
        assert!(!log.contains("http.undocumented_answer"));
        assert!(!log.contains(super::fixture::MARK));
    });
}
