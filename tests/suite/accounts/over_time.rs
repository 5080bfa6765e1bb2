//! A message pays by what its account was when it was settled, however late it is heard of and
//! however long it waits.

use schema::Timestamp;
use tests::{
    money::Millionths,
    traffic::{
        Announced,
        agreement::{Account, Price},
    },
};

use crate::{
    charges::fixture::{Customer, Market, market},
    fixture::run,
};

/// Before, between and after two versions of an account.
const IN_MARCH: &str = "2026-03-31T23:59:58Z";
const TURN: &str = "2026-04-01T00:00:01Z";
const IN_APRIL: &str = "2026-04-01T00:00:02Z";

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

fn at(charged_at: &str, message: Announced) -> Announced {
    Announced {
        charged_at: time(charged_at),
        ..message
    }
}

/// The account is of this tier from then on.
async fn becomes(market: &Market, customer: Customer, tier: &'static str, from: &str) {
    let account = Account {
        tier,
        from: Some(time(from)),
        ..customer.registration()
    };
    market.register(customer, &account).await;
}

/// A segment costs accounts of this tier so many millionths, since the year began.
async fn costs(market: &Market, customer: Customer, tier: &'static str, unit: i128) {
    let price = Price {
        tier,
        unit: Millionths(unit),
        from: time("2026-01-01T00:00:00Z"),
        ..customer.price(unit)
    };
    market.open_price(&price).await;
}

#[test]
fn a_message_of_march_that_is_heard_of_after_the_change_of_april_pays_as_in_march() {
    run(async {
        let mut market = market().await;
        let customer = Customer::new();
        costs(&market, customer, "GROWTH", 30_000).await;
        costs(&market, customer, "STARTER", 80_000).await;
        becomes(&market, customer, "GROWTH", "2026-01-01T00:00:00Z").await;
        becomes(&market, customer, "STARTER", TURN).await;
        for (charged_at, tier, price) in [
            (IN_MARCH, "GROWTH", "0.060000"),
            (TURN, "STARTER", "0.160000"),
            (IN_APRIL, "STARTER", "0.160000"),
        ] {
            let message = at(charged_at, customer.message());
            market.announce(&[message]).await;
            let [charge] = market.becomes(message.message, ["MessageCharged"]).await;
            let told = [&charge["accountTier"], &charge["customerPrice"]];
            assert_eq!(told, [tier, price], "{charged_at}");
            assert_eq!(charge["payer"], "REGISTERED");
        }
        market.balances().await;
    });
}

#[test]
fn what_waited_pays_by_the_tier_and_the_price_of_its_day() {
    run(async {
        let mut market = market().await;
        let customer = Customer::new();
        becomes(&market, customer, "GROWTH", "2026-01-01T00:00:00Z").await;
        let messages = [IN_MARCH, IN_APRIL].map(|time| at(time, customer.message()));
        market.announce(&messages).await;
        for message in messages {
            let [held] = market.becomes(message.message, ["ChargeHeld"]).await;
            assert_eq!(held["reason"], "NO_PRICE");
        }
        becomes(&market, customer, "STARTER", TURN).await;
        let tiers = [("STARTER", 80_000, 1), ("GROWTH", 30_000, 0)];
        for (tier, unit, place) in tiers {
            costs(&market, customer, tier, unit).await;
            let events = ["ChargeHeld", "MessageCharged"];
            let message = messages[place].message;
            let [_, charge] = market.becomes(message, events).await;
            assert_eq!(charge["accountTier"], tier);
        }
        market.balances().await;
    });
}

#[test]
fn before_its_first_version_an_account_is_nobodys_and_is_charged_once_a_version_covers_it() {
    run(async {
        let mut market = market().await;
        let customer = Customer::new();
        costs(&market, customer, "GROWTH", 30_000).await;
        costs(&market, customer, "STARTER", 80_000).await;
        becomes(&market, customer, "GROWTH", TURN).await;
        let silent = at(IN_MARCH, customer.message());
        let stated = Announced {
            tier: Some("STARTER"),
            currency: Some("EUR"),
            ..at("2026-02-01T00:00:00Z", customer.message())
        };
        market.announce(&[silent, stated]).await;
        let [held] = market.becomes(silent.message, ["ChargeHeld"]).await;
        assert_eq!(held["reason"], "ACCOUNT_UNKNOWN");
        let [charge] = market.becomes(stated.message, ["MessageCharged"]).await;
        assert_eq!(
            (&charge["payer"], &charge["accountTier"]),
            (&"STATED".into(), &"STARTER".into())
        );
        // What was charged as stated stays so: only a version that says the same may cover it.
        let too_early = Account {
            from: Some(time("2026-01-01T00:00:00Z")),
            ..customer.registration()
        };
        let refused = market.admin().register(customer.account, &too_early).await;
        let refused = refused.expect("an answer");
        assert_eq!(
            (refused.status, refused.code()),
            (409, Some("would_reprice"))
        );
        becomes(&market, customer, "GROWTH", "2026-03-01T00:00:00Z").await;
        let events = ["ChargeHeld", "MessageCharged"];
        let [_, charge] = market.becomes(silent.message, events).await;
        assert_eq!(charge["accountTier"], "GROWTH");
        becomes(&market, customer, "STARTER", "2026-01-01T00:00:00Z").await;
        market.balances().await;
    });
}
