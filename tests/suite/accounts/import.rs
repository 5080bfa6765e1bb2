//! Accounts are put in great numbers while their tenant is charged.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::{StreamExt as _, stream};
use schema::AccountId;
use tests::world::WorldOptions;

use crate::{
    charges::fixture::{Customer, Market},
    fixture::{place, run, unique},
};

/// How many accounts of one tenant are put, and how many at a time.
const ACCOUNTS: usize = 10_000;
const AT_ONCE: usize = 32;
/// How often a charge has to come through between two puts, at least.
const BETWEEN: usize = 20;

#[test]
fn a_tenant_is_charged_while_ten_thousand_accounts_of_it_are_put() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let mut market = Market::of(place.world).await;
        market.node(&[]).await;
        market.node(&[]).await;
        let customer = Customer::new();
        market.register(customer, &customer.registration()).await;
        market.open_price(&customer.price(30_000)).await;
        let rerated = market.total("billing_rerated_total").await;
        let put = AtomicUsize::new(0);
        let admins = [0, 1].map(|node| market.rests[node].as_billing_admin());
        let import = async {
            let calls = (0..ACCOUNTS).map(|number| {
                let (admin, put) = (&admins[number % 2], &put);
                async move {
                    let mut account = customer.registration();
                    account.from = None;
                    let made = admin.register(AccountId(unique()), &account).await;
                    made.expect("an answer").made().expect("registered");
                    put.fetch_add(1, Ordering::Relaxed);
                }
            });
            stream::iter(calls)
                .buffer_unordered(AT_ONCE)
                .collect::<()>()
                .await;
        };
        let charging = async {
            let (mut between, mut seen) = (0, 0);
            loop {
                let message = customer.message();
                market.announce(&[message]).await;
                market.becomes(message.message, ["MessageCharged"]).await;
                let now = put.load(Ordering::Relaxed);
                if now == ACCOUNTS {
                    return between;
                }
                between += usize::from(now > seen);
                seen = now;
            }
        };
        let ((), between) = tokio::join!(import, charging);
        assert!(between >= BETWEEN, "{between} charges came through");
        let again = market.total("billing_rerated_total").await - rerated;
        assert_eq!(again, 0, "no account of others is what a charge rests on");
        market.balances().await;
    });
}
