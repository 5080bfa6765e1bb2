//! A flood of repeats (CONTRACTS 15): acknowledged, and the log does not grow.

use tests::traffic::{Inbound, announce, publish_on};

use super::fixture::{Customer, market};
use crate::fixture::run;

/// How often it is said again.
const REPEATS: usize = 20_000;

#[test]
fn a_settlement_repeated_twenty_thousand_times_is_acknowledged_each_time_and_adds_nothing() {
    run(async {
        let mut market = market().await;
        let customer = Customer::new();
        market.register(customer, &customer.registration()).await;
        market.open_price(&customer.price(30_000)).await;
        let (charged, other) = (customer.message(), customer.message());
        market.announce(&[charged]).await;
        market.becomes(charged.message, ["MessageCharged"]).await;
        market.rest().await;
        let head = market.head().await;
        let before = market.consumer().await.delivered.consumer_sequence;
        let duplicates = market.ingested("duplicate").await;

        let repeat = Inbound {
            payload: charged.payload(),
            traceparent: None,
        };
        let flood = vec![repeat; REPEATS];
        let sent = publish_on(announce::SUBJECT, &market.announcer, &flood, None).await;
        sent.expect("published");
        market.rest().await;
        assert_eq!(market.head().await, head, "the log has grown");
        let consumer = market.consumer().await;
        // One delivery each, so each was acknowledged the first time.
        let delivered = consumer.delivered.consumer_sequence - before;
        assert_eq!(delivered, REPEATS as u64);
        assert_eq!((consumer.num_ack_pending, consumer.num_redelivered), (0, 0));
        let told = market.ingested("duplicate").await - duplicates;
        assert_eq!(usize::try_from(told), Ok(REPEATS));

        // Whoever comes behind the flood is charged.
        market.announce(&[other]).await;
        market.becomes(other.message, ["MessageCharged"]).await;
        market.balances().await;
    });
}
