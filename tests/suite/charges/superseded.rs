//! Promise L6: a charge never rests on a price, a cost or an account that was superseded for its
//! time when it was recorded, also while they change all the time on another node.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use hyper::Method;
use serde_json::{Value, json};
use tests::{
    money::Millionths,
    traffic::{
        Announced,
        agreement::{Account, Cost, Price},
    },
    world::{Rest, WorldOptions, rest::Answer},
};

use tokio::time::sleep;

use super::fixture::{Customer, Market, minutes_ago};
use crate::fixture::{place, run};

/// Charges that had to be rated again at least, so that the promise was needed.
const RERATED: i64 = 30;
/// Changes of each kind, at least.
const CHANGES: usize = 20;
/// Messages at least, and at most if there were not yet as many changes.
const MESSAGES: [usize; 2] = [4_000, 60_000];
/// Announced in one go, and the pause after it: a steady load that leaves room for changes.
const SLICE: usize = 50;
const PAUSE: Duration = Duration::from_millis(15);
const CUSTOMERS: usize = 4;
const RERATED_METRIC: &str = "billing_rerated_total";

async fn call(rest: &Rest, method: Method, path: &str, body: Value) -> Answer {
    let body = (!body.is_null()).then_some(body);
    let admin = rest.as_billing_admin();
    let answer = admin.call(method, path, body.as_ref()).await;
    answer.expect("an answer")
}

/// How long changes go on, and how many there were of each kind.
#[derive(Default)]
struct Unrest {
    over: AtomicBool,
    prices: AtomicUsize,
    costs: AtomicUsize,
    accounts: AtomicUsize,
    own: AtomicUsize,
}

impl Unrest {
    fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    fn counts(&self) -> [usize; 4] {
        let all = [&self.prices, &self.costs, &self.accounts, &self.own];
        all.map(|count| count.load(Ordering::Relaxed))
    }
}

/// Changes the version with this id, at one node and then at the other, until it is over.
async fn changes(
    rests: &[Rest],
    (unrest, done): (&Unrest, &AtomicUsize),
    (path, id, amount): (&str, &str, &str),
    first: String,
) {
    let (mut version, mut count) = (first, 0_usize);
    while unrest.goes_on() {
        let path = format!("{path}/{version}");
        let body = json!({ amount: format!("0.{:06}", 20_000 + count) });
        let changed = call(&rests[count % rests.len()], Method::PATCH, &path, body).await;
        let changed = changed.made().expect("changed");
        version = changed[id].as_str().expect("an id").to_owned();
        count = done.fetch_add(1, Ordering::Relaxed) + 1;
    }
}

/// Moves accounts from one tier to the other and back.
async fn moves(rests: &[Rest], unrest: &Unrest, customers: &[Customer]) {
    let mut count = 0;
    while unrest.goes_on() {
        let customer = customers[count % customers.len()];
        let round = count / customers.len();
        let tier = ["STARTER", "GROWTH"][round % 2];
        let account = Account {
            tier,
            from: None,
            ..customer.registration()
        };
        let admin = rests[(count + round) % rests.len()].as_billing_admin();
        let moved = admin.register(customer.account, &account).await;
        moved.expect("an answer").made().expect("moved");
        count = unrest.accounts.fetch_add(1, Ordering::Relaxed) + 1;
    }
}

/// Agrees on a price of the tenant's own and ends it again.
async fn own_prices(rests: &[Rest], unrest: &Unrest, customer: Customer) {
    let mut count = 0;
    while unrest.goes_on() {
        let body = json!({
            "tenantId": customer.tenant, "accountTier": "GROWTH", "operatorId": customer.operator,
            "pricingModel": "FLAT_PER_MESSAGE", "unitPrice": "0.007", "currency": "EUR",
        });
        let opened = call(&rests[count % 2], Method::POST, "/v1/admin/pricing", body).await;
        // What was charged for a time that is to come may not be priced anew.
        if opened.code() == Some("would_reprice") {
            continue;
        }
        let opened = opened.made().expect("opened");
        let id = opened["pricingTableId"].as_str().expect("an id");
        let path = format!("/v1/admin/pricing/{id}");
        let ended = call(&rests[(count + 1) % 2], Method::DELETE, &path, Value::Null).await;
        ended.made().expect("ended");
        count = unrest.own.fetch_add(1, Ordering::Relaxed) + 1;
    }
}

/// Announces messages of just now until enough was changed and rated again.
async fn announces(market: &mut Market, unrest: &Unrest, customers: &[Customer]) -> usize {
    let mut sent = 0;
    loop {
        let messages: Vec<Announced> = (0..SLICE)
            .map(|place| customers[place % customers.len()].message())
            .collect();
        market.announce(&messages).await;
        sent += SLICE;
        sleep(PAUSE).await;
        let enough = unrest.counts().iter().all(|&count| count >= CHANGES)
            && market.total(RERATED_METRIC).await >= RERATED;
        if (enough && sent >= MESSAGES[0]) || sent >= MESSAGES[1] {
            unrest.over.store(true, Ordering::Relaxed);
            return sent;
        }
    }
}

/// Customers of one carrier, with everything they need to be charged; the ids of the price and
/// the cost that will change.
async fn agree(market: &Market) -> (Vec<Customer>, String, String) {
    let first = Customer::new();
    let customers: Vec<_> = (0..CUSTOMERS)
        .map(|_| Customer {
            operator: first.operator,
            ..Customer::new()
        })
        .collect();
    for customer in &customers {
        let account = customer.registration();
        market.register(*customer, &account).await;
    }
    let starter = Price {
        tier: "STARTER",
        ..first.price(80_000)
    };
    market.open_price(&starter).await;
    let price = market.admin().open_price(&first.price(20_000)).await;
    let price = price.expect("an answer").made().expect("opened");
    let cost = Cost {
        operator: first.operator,
        currency: "EUR",
        per_segment: Millionths(10_000),
        from: minutes_ago(60),
        to: None,
    };
    let cost = market.admin().open_cost(&cost).await;
    let cost = cost.expect("an answer").made().expect("opened");
    let id = |made: &Value, name: &str| made[name].as_str().expect("an id").to_owned();
    let ids = (id(&price, "pricingTableId"), id(&cost, "operatorCostId"));
    (customers, ids.0, ids.1)
}

#[test]
fn no_charge_rests_on_what_was_superseded_while_the_other_node_changes_it_all_the_time() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let mut market = Market::of(place.world).await;
        market.node(&[]).await;
        market.node(&[]).await;
        let (customers, price, cost) = agree(&market).await;
        let rests = market.rests.clone();
        let unrest = Unrest::default();
        let prices = ("/v1/admin/pricing", "pricingTableId", "unitPrice");
        let costs = (
            "/v1/admin/operator-costs",
            "operatorCostId",
            "costPerSegment",
        );
        let (sent, (), (), (), ()) = tokio::join!(
            announces(&mut market, &unrest, &customers),
            changes(&rests, (&unrest, &unrest.prices), prices, price),
            changes(&rests, (&unrest, &unrest.costs), costs, cost),
            moves(&rests, &unrest, &customers),
            own_prices(&rests, &unrest, customers[0]),
        );
        let changes = unrest.counts();
        assert!(changes.iter().all(|&it| it >= CHANGES), "{changes:?}");
        let counts = market.balances().await.counts;
        assert_eq!(usize::try_from(counts.charges), Ok(sent));
        let rerated = market.total(RERATED_METRIC).await;
        assert!(rerated >= RERATED, "only {rerated} were rated again");
        let sql = "select count(distinct pricing_table_id), count(distinct operator_cost_id)
            from billing.billing_events";
        let row = market.database.query_one(sql, &[]).await.expect("reads");
        let applied: (i64, i64) = (row.get(0), row.get(1));
        assert!(applied.0 >= 5 && applied.1 >= 5, "{applied:?}");
        eprintln!(
            "{sent} charges, {changes:?} changes, {rerated} rated again, {applied:?} versions"
        );
    });
}
