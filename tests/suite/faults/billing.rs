//! Billing under faults: servers restarted, processes asked to stop, a consumer that is off.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tests::{
    drive,
    traffic::{agreement::Comes, announce},
    world::WorldOptions,
};
use tokio::time::sleep;

use super::fixture::insist;
use crate::{
    charges::{
        fixture::{Customer, Market},
        lists::Lists,
    },
    fixture::{eventually, place, run},
};

const SEED: u64 = 31_620;
const CHARGING: &str = "billing_events_ingested_total{result=\"ok\"}";

#[test]
fn two_billing_services_survive_restarts_of_nats_and_postgres_and_charge_everything_once() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let mut market = Market::of(place.world).await;
        market.node(&[]).await;
        market.node(&[]).await;
        let Lists {
            agreement,
            announced,
        } = Lists::draw(SEED, 2_000).all_first();
        let agreed = drive::agree(&market.rests[0], &agreement, Comes::First).await;
        agreed.expect("agreed");
        market.expected.agreement = Some(agreement);
        let inbound = market.expect(&announced);
        let (world, over) = (&market.world, AtomicBool::new(false));
        let publishing = async {
            insist(&market.announcer, announce::SUBJECT, &inbound, 1_000).await;
            over.store(true, Ordering::Relaxed);
        };
        let faults = async {
            let mut rounds = 0;
            while !over.load(Ordering::Relaxed) || rounds < 1 {
                sleep(Duration::from_millis(500)).await;
                world.nats.restart().await.expect("nats is back");
                sleep(Duration::from_millis(500)).await;
                let restarted = world.postgres.restart_immediate().await;
                restarted.expect("postgres is back");
                sleep(Duration::from_millis(500)).await;
                world.nats.kill().await.expect("killed");
                world.nats.start_again().await.expect("nats is back");
                rounds += 1;
            }
            rounds
        };
        let ((), rounds) = tokio::join!(publishing, faults);
        market.database = market.world.admin().await.expect("postgres");
        let counts = market.balances().await.counts;
        assert!(counts.charges > 0 && counts.held > 0 && counts.conflicts > 0);
        for node in market.nodes {
            assert!(node.pid().is_some(), "a service gave up");
            assert!(node.terminate().await.expect("stops"), "and stops well");
        }
        eprintln!("{rounds} rounds of restarts, {counts:?}");
    });
}

/// Settlements, many more than are charged in a moment.
const MANY: usize = 20_000;

#[test]
fn with_its_consumer_off_billing_answers_and_charges_nothing_and_with_it_on_it_stops_well() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let mut market = Market::of(place.world).await;
        market.node(&[("BILLING_CONSUMER_ENABLED", "false")]).await;
        let customer = Customer::new();
        market.register(customer, &customer.registration()).await;
        market.open_price(&customer.price(30_000)).await;
        let messages: Vec<_> = (0..MANY).map(|_| customer.message()).collect();
        market.announce(&messages).await;

        // It answers, it is ready, and takes nothing.
        let listed = market.admin().held_charges().await.expect("a list");
        assert_eq!(listed, Vec::<serde_json::Value>::new());
        // The look itself was recorded.
        let head = market.head().await;
        let consumer = market.consumer().await;
        assert_eq!(consumer.num_pending, MANY as u64);
        assert_eq!(consumer.delivered.consumer_sequence, 0);
        assert_eq!(market.head().await, head);
        let log = market.nodes[0].log();
        assert!(log.contains("billing.consumer_off"), "nobody is told");

        // In small batches, so that it is stopped in the middle.
        let small = [("BILLING_BATCH", "20"), ("BILLING_MAX_ACK_PENDING", "60")];
        let first = market.world.billing(&small).await.expect("a service");
        eventually("it is in the middle of it", async || {
            (market.head().await > head + 500).then_some(())
        })
        .await;
        assert!(first.terminate().await.expect("it stops"), "exit code 0");
        let charged = usize::try_from(market.head().await - head).expect("some");
        assert!(charged < MANY, "it was not stopped in the middle");

        market.node(&[]).await;
        let counts = market.balances().await.counts;
        assert_eq!(usize::try_from(counts.charges), Ok(MANY));
        // Nothing was sent twice, so a duplicate would be one recorded but not acknowledged.
        assert_eq!(market.ingested("duplicate").await, 0);
        let second = market.total(CHARGING).await;
        assert_eq!(usize::try_from(second), Ok(MANY - charged));
        for node in market.nodes {
            assert!(node.terminate().await.expect("stops"), "exit code 0");
        }
    });
}
