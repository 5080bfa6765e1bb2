//! The end of the log is lost under running services, as by a failover to a standby that was behind
//! or a restore to an earlier moment: they notice, forget what they remember of it, and
//! `tollbook replay-intake` records again what had been acknowledged.

use schema::Timestamp;
use tests::{
    drive,
    traffic::Shape,
    world::{Service, World, WorldOptions},
};

use super::fixture::{GRACE, Load, balances};
use crate::{
    charges::fixture::{Customer, Market},
    fixture::{PATIENCE, dense, eventually, place, run},
};

const SEED: u64 = 20_270;
const PER_SECOND: u32 = 2_000;

async fn publish_and_rest(world: &World, load: &Load) {
    load.publish(world, PER_SECOND).await;
    drive::rest(world, PATIENCE).await.expect("comes to rest");
}

async fn head(world: &World) -> i64 {
    let admin = world.admin().await.expect("postgres");
    let sql = "select position from eventlog.head";
    admin.query_one(sql, &[]).await.expect("reads").get(0)
}

async fn settled(world: &World) -> i64 {
    let admin = world.admin().await.expect("postgres");
    let sql = "select count(*) from eventlog.event where type = 'MessageSettled'";
    admin.query_one(sql, &[]).await.expect("reads").get(0)
}

/// Waits until the service has said that the log is another one.
async fn noticed(service: &Service) {
    eventually("the lost end of the log is noticed", async || {
        let counted = service.metric("log_replaced_total").await? >= 1;
        (counted && service.log().contains("log.replaced")).then_some(())
    })
    .await;
}

#[test]
fn what_was_lost_and_is_sent_again_is_not_taken_for_known() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let services = [
            world.service(&[GRACE]).await.expect("a service"),
            world.service(&[GRACE]).await.expect("a service"),
        ];
        // All rows are written down before, so that only the log and its tables lose their end.
        let shape = |seed, messages| Shape::new(seed, messages, eventstore::clock::now());
        let kept = Load::prepare(world, &shape(SEED, 1_000)).await;
        let lost = Load::prepare(world, &shape(SEED + 1, 1_000)).await;
        publish_and_rest(world, &kept).await;
        let until = head(world).await;
        world.postgres.stop_immediate().await.expect("stopped");
        world.postgres.keep_copy().await.expect("copied");
        world.postgres.start_again().await.expect("it is back");
        publish_and_rest(world, &lost).await;
        assert!(head(world).await > until + 1_000, "there is a tail to lose");

        world.postgres.stop_immediate().await.expect("stopped");
        world.postgres.go_back_to_copy().await.expect("gone back");
        world.postgres.start_again().await.expect("it is back");
        for service in &services {
            noticed(service).await;
        }
        // Carriers send it again: nobody takes it for known. It arrives at another time, so what was
        // announced before the loss may differ; only the log is looked at.
        lost.publish(world, PER_SECOND).await;
        drive::rest(world, PATIENCE).await.expect("comes to rest");
        let mut expected = kept.finish(world).await;
        expected.absorb(lost.finish(world).await);
        let all = i64::try_from(expected.counts.settled).expect("few");
        eventually("everything is settled again", async || {
            (settled(world).await == all).then_some(())
        })
        .await;
        dense(&world.admin().await.expect("postgres")).await;
    });
}

#[test]
fn what_was_acknowledged_and_lost_is_taken_in_again_from_the_stream() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let service = world.service(&[GRACE]).await.expect("a service");
        let shape = Shape::new(SEED + 2, 1_000, eventstore::clock::now());
        let load = Load::prepare(world, &shape).await;
        let since = eventstore::clock::now();
        world.postgres.stop_immediate().await.expect("stopped");
        world.postgres.keep_copy().await.expect("copied");
        world.postgres.start_again().await.expect("it is back");
        publish_and_rest(world, &load).await;
        world.postgres.stop_immediate().await.expect("stopped");
        world.postgres.go_back_to_copy().await.expect("gone back");
        world.postgres.start_again().await.expect("it is back");
        noticed(&service).await;
        assert_eq!(head(world).await, 0, "all of it is lost");
        // Twice: what is there is found to be known.
        for _ in 0..2 {
            let said = replay(world, "dlr_svc", "receipts", since).await;
            assert!(said.contains(" messages taken in again"), "{said}");
        }
        let expected = load.finish(world).await;
        balances(world, &expected).await;
    });
}

/// Settlements: enough for several appends.
const MANY: usize = 300;

#[test]
fn charges_that_were_lost_are_taken_in_again_from_the_stream() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let mut market = Market::of(place.world).await;
        market.node(&[]).await;
        let customer = Customer::new();
        market.register(customer, &customer.registration()).await;
        market.open_price(&customer.price(30_000)).await;
        market.rest().await;
        let since = eventstore::clock::now();
        let until = head(&market.world).await;
        let postgres = &market.world.postgres;
        postgres.stop_immediate().await.expect("stopped");
        postgres.keep_copy().await.expect("copied");
        postgres.start_again().await.expect("it is back");
        let messages: Vec<_> = (0..MANY).map(|_| customer.message()).collect();
        market.announce(&messages).await;
        market.rest().await;
        assert!(head(&market.world).await > until, "there is a tail to lose");

        let postgres = &market.world.postgres;
        postgres.stop_immediate().await.expect("stopped");
        postgres.go_back_to_copy().await.expect("gone back");
        postgres.start_again().await.expect("it is back");
        noticed(&market.nodes[0]).await;
        assert_eq!(head(&market.world).await, until, "all charges are lost");
        let said = replay(&market.world, "billing_svc", "settlements", since).await;
        let told = format!("{MANY} messages taken in again");
        assert!(said.lines().any(|line| line == told), "{said}");
        market.database = market.world.admin().await.expect("postgres");
        let counts = market.balances().await.counts;
        assert_eq!(usize::try_from(counts.charges), Ok(MANY));
    });
}

async fn replay(world: &World, role: &str, what: &str, since: Timestamp) -> String {
    let mut variables = world.variables("tollbook-admin", role);
    variables.insert("PROBE_PORT", "0".to_owned());
    variables.insert("DLR_GRACE", GRACE.1.to_owned());
    let since = since.to_string();
    let words = ["replay-intake", "--what", what, "--since", &since];
    let said = world.command(&words, &variables).await;
    said.expect("taken in again")
}
