//! Charges that cannot be rated wait in the log, and rate themselves once they can (CONTRACTS 7).

use schema::{MessageId, Timestamp};
use serde_json::{Value, json};
use tests::traffic::{
    Announced,
    agreement::{Account, Price},
};

use super::fixture::{Customer, Market, market, minutes_ago};
use crate::fixture::{eventually, run};

/// More looks than two nodes take in the time a test waits, if they look once a minute.
const MANY_LOOKS: i64 = 40;

/// Why a message waits, as the API tells it; nothing if it does not.
async fn shown(market: &Market, message: MessageId) -> Option<String> {
    market.rest().await;
    let held = market.admin().held_charges().await.expect("a list");
    let id = message.0.to_string();
    let of_message = held.iter().find(|it| it["messageId"] == *id)?;
    Some(of_message["reason"].as_str().expect("a reason").to_owned())
}

/// Announces a message and waits until it is held for `reason`, in the log and in the list.
async fn held(market: &mut Market, message: Announced, reason: &str) {
    market.announce(&[message]).await;
    let [hold] = market.becomes(message.message, ["ChargeHeld"]).await;
    assert_eq!(hold["reason"], reason);
    let listed = shown(market, message.message).await;
    assert_eq!(listed.as_deref(), Some(reason));
}

/// Waits until a held message is charged and off the list; says how.
async fn resolved(market: &Market, message: Announced) -> Value {
    let events = ["ChargeHeld", "MessageCharged"];
    let [_, charge] = market.becomes(message.message, events).await;
    assert_eq!(shown(market, message.message).await, None);
    charge
}

fn at(charged_at: Timestamp, message: Announced) -> Announced {
    Announced {
        charged_at,
        ..message
    }
}

#[test]
fn without_a_price_it_waits_and_is_charged_what_its_time_had_cost() {
    run(async {
        let mut market = market().await;
        let customer = Customer::new();
        market.register(customer, &customer.registration()).await;
        let now_dear = customer.message();
        let then_cheap = at(minutes_ago(90), customer.message());
        let before_any = at(minutes_ago(150), customer.message());
        for message in [now_dear, then_cheap, before_any] {
            held(&mut market, message, "NO_PRICE").await;
        }
        let turn = minutes_ago(60);
        let dear = Price {
            from: turn,
            ..customer.price(70_000)
        };
        market.open_price(&dear).await;
        let charge = resolved(&market, now_dear).await;
        assert_eq!(charge["customerPrice"], "0.140000");
        // What is in effect today is not for yesterday's message.
        assert_eq!(market.history(then_cheap.message).await.len(), 1);

        let cheap = Price {
            from: minutes_ago(120),
            to: Some(turn),
            ..customer.price(50_000)
        };
        market.open_price(&cheap).await;
        let charge = resolved(&market, then_cheap).await;
        assert_eq!(charge["customerPrice"], "0.100000");
        assert_eq!(charge["ratedAt"], then_cheap.charged_at.to_string());
        let listed = shown(&market, before_any.message).await;
        assert_eq!(listed.as_deref(), Some("NO_PRICE"));
        market.balances().await;
    });
}

#[test]
fn more_than_ten_segments_are_held_for_a_person_and_hold_back_nothing() {
    run(async {
        let mut market = market().await;
        let customer = Customer::new();
        market.register(customer, &customer.registration()).await;
        let long = Announced {
            segments: 16,
            ..customer.message()
        };
        held(&mut market, long, "SEGMENTS_OUT_OF_RANGE").await;
        let waits = customer.message();
        held(&mut market, waits, "NO_PRICE").await;
        market.open_price(&customer.price(70_000)).await;
        resolved(&market, waits).await;
        let listed = shown(&market, long.message).await;
        assert_eq!(listed.as_deref(), Some("SEGMENTS_OUT_OF_RANGE"));
        market.balances().await;
    });
}

#[test]
fn what_waits_is_added_up_by_reason_and_narrowed_by_reason_and_carrier() {
    run(async {
        let mut market = market().await;
        let customer = Customer::new();
        market.register(customer, &customer.registration()).await;
        let long = Announced {
            segments: 16,
            ..customer.message()
        };
        held(&mut market, long, "SEGMENTS_OUT_OF_RANGE").await;
        for _ in 0..2 {
            held(&mut market, customer.message(), "NO_PRICE").await;
        }
        let (no_price, too_long) = (("NO_PRICE", 2, 4), ("SEGMENTS_OUT_OF_RANGE", 1, 16));
        let (account, operator) = (customer.account, customer.operator);
        let nobodys = Customer::new().operator;
        for (query, due) in [
            (String::new(), vec![no_price, too_long]),
            ("&reason=NO_PRICE".to_owned(), vec![no_price]),
            (
                format!("&operatorId={operator}&limit=1"),
                vec![no_price, too_long],
            ),
            (format!("&operatorId={nobodys}"), vec![]),
        ] {
            let path = format!("/v1/admin/held-charges?accountId={account}{query}");
            let page = market.admin().get(&path).await.expect("an answer").made();
            let page = page.expect("a page");
            let sums = due.iter().map(|&(reason, messages, segments)| {
                json!({ "reason": reason, "messageCount": messages, "segmentCount": segments })
            });
            let messages: i64 = due.iter().map(|sum| sum.1).sum();
            assert_eq!(page["sums"], sums.collect::<Value>(), "{query}");
            assert_eq!(page["total"], messages, "{query}");
            let rows = page["data"].as_array().expect("a list");
            assert!(
                rows.iter()
                    .all(|row| due.iter().any(|sum| row["reason"] == sum.0))
            );
        }
        market.balances().await;
    });
}

#[test]
fn a_count_of_segments_with_a_zero_fraction_is_charged() {
    run(async {
        let mut market = market().await;
        let customer = Customer::new();
        market.register(customer, &customer.registration()).await;
        market.open_price(&customer.price(70_000)).await;
        for two in ["2.0", "2e0", "2.00"] {
            let message = customer.message();
            let written = market.expect(&[message]).remove(0).payload;
            let text = String::from_utf8(written.to_vec()).expect("JSON");
            let changed = text.replace("\"segmentCount\":2", &format!("\"segmentCount\":{two}"));
            assert_ne!(changed, text);
            market.send_bytes(changed.into()).await;
            let [charge] = market.becomes(message.message, ["MessageCharged"]).await;
            assert_eq!(charge["customerPrice"], "0.140000", "{two}");
        }
        market.balances().await;
    });
}

#[test]
fn of_an_unknown_account_it_waits_for_the_registration_unless_it_names_tier_and_currency() {
    run(async {
        let mut market = market().await;
        let customer = Customer::new();
        market.open_price(&customer.price(30_000)).await;
        let starter = Price {
            tier: "STARTER",
            ..customer.price(90_000)
        };
        market.open_price(&starter).await;
        let silent = customer.message();
        let half = Announced {
            tier: Some("STARTER"),
            ..customer.message()
        };
        for message in [silent, half] {
            held(&mut market, message, "ACCOUNT_UNKNOWN").await;
        }
        let named = Announced {
            tier: Some("STARTER"),
            currency: Some("EUR"),
            ..customer.message()
        };
        market.announce(&[named]).await;
        let [charge] = market.becomes(named.message, ["MessageCharged"]).await;
        assert_eq!(charge["customerPrice"], "0.180000");

        // What was charged as named stays so; before it and after it the account is another.
        let as_named = Account {
            tier: "STARTER",
            from: Some(named.charged_at),
            ..customer.registration()
        };
        let from_now_on = Account {
            from: None,
            ..customer.registration()
        };
        market.register(customer, &as_named).await;
        market.register(customer, &from_now_on).await;
        market.register(customer, &customer.registration()).await;
        for message in [silent, half] {
            let charge = resolved(&market, message).await;
            assert_eq!(charge["accountTier"], "GROWTH", "as it is registered");
            assert_eq!(charge["customerPrice"], "0.060000");
        }
        let named = Announced {
            tier: Some("STARTER"),
            currency: Some("EUR"),
            ..customer.message()
        };
        market.announce(&[named]).await;
        let [charge] = market.becomes(named.message, ["MessageCharged"]).await;
        assert_eq!(charge["customerPrice"], "0.060000", "as it is registered");
        market.balances().await;
    });
}

/// How often both nodes have looked for news of held charges, as Postgres counts it. Nothing else
/// reads this table while nothing happens.
async fn looks(market: &Market) -> i64 {
    let sql = "select seq_scan + coalesce(idx_scan, 0) from pg_stat_user_tables
        where schemaname = 'billing' and relname = 'operator_costs'";
    let row = market.database.query_one(sql, &[]).await;
    row.expect("reads").get(0)
}

#[test]
fn while_a_table_does_not_show_yet_what_the_log_has_it_is_looked_at_again() {
    run(async {
        let mut market = market().await;
        let customer = Customer::new();
        market.open_price(&customer.price(30_000)).await;
        let message = customer.message();
        held(&mut market, message, "ACCOUNT_UNKNOWN").await;
        market.rest().await;
        let head = market.head().await;

        // The log has the registration; its table does not, and nothing else happens.
        let mut blocker = market.world.admin().await.expect("postgres");
        let blocking = blocker.transaction().await.expect("begins");
        let lock = "lock table billing.accounts in share row exclusive mode";
        blocking.batch_execute(lock).await.expect("locked");
        let registering = async {
            let admin = market.admin();
            let account = customer.registration();
            admin.register(customer.account, &account).await
        };
        let looking = async {
            eventually("it is recorded", async || {
                (market.head().await > head).then_some(())
            })
            .await;
            let before = looks(&market).await;
            eventually("it looks again and again", async || {
                (looks(&market).await >= before + MANY_LOOKS).then_some(())
            })
            .await;
            blocking.commit().await.expect("released");
        };
        let (registered, ()) = futures::join!(registering, looking);
        // Whether it was visible in time for the answer is not the point here.
        registered.expect("an answer");
        let charge = resolved(&market, message).await;
        assert_eq!(charge["customerPrice"], "0.060000");
        market.balances().await;
    });
}

/// Opens a price while nobody can look for held charges, and lets both nodes look at once.
async fn open_price_to_both_at_once(market: &Market, price: &Price) {
    let mut blocker = market.world.admin().await.expect("postgres");
    let blocking = blocker.transaction().await.expect("begins");
    let lock = "lock table billing.held_charges in access exclusive mode";
    blocking.batch_execute(lock).await.expect("locked");
    market.open_price(price).await;
    eventually("both nodes look for news", async || {
        let sql = "select count(*) from pg_stat_activity
            where wait_event_type = 'Lock' and query like '-- read_held_news:%'";
        let row = market.database.query_one(sql, &[]).await.expect("reads");
        (row.get::<_, i64>(0) == 2).then_some(())
    })
    .await;
    blocking.commit().await.expect("released");
}

#[test]
fn two_nodes_that_resolve_the_same_charges_at_once_charge_each_once() {
    run(async {
        let mut market = market().await;
        let customer = Customer::new();
        market.register(customer, &customer.registration()).await;
        let before = [
            market.ingested("held").await,
            market.total("billing_held_resolved_total").await,
        ];
        let messages: Vec<_> = (0..1_200).map(|_| customer.message()).collect();
        market.announce(&messages).await;
        market.rest().await;
        assert_eq!(market.ingested("held").await - before[0], 1_200);
        let already = market.balances().await.counts;
        open_price_to_both_at_once(&market, &customer.price(20_000)).await;
        for message in messages {
            let events = ["ChargeHeld", "MessageCharged"];
            market.becomes(message.message, events).await;
        }
        let counts = market.balances().await.counts;
        assert_eq!(counts.resolved - already.resolved, 1_200);
        let told = market.total("billing_held_resolved_total").await;
        assert_eq!(told - before[1], 1_200, "each node counts what it charged");
    });
}
