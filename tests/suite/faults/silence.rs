//! A host that vanishes without a word: its connections stay open, what is sent is acknowledged
//! by a kernel on the way, and no answer ever comes.

use hyper::Method;
use tests::{
    stack::Wire,
    traffic::{Mix, Shape},
    world::{Service, World, WorldOptions},
};

use super::fixture::{Load, balances, hand_out_again_soon};
use crate::fixture::{eventually, place, run};

/// How long a service here waits for Postgres.
const SOON: (&str, &str) = ("DB_TIMEOUT", "2s");

/// A wire to the server at `address`, and the address of its other end.
async fn wired(address: &str) -> (Wire, String) {
    let (before, rest) = address.rsplit_once(':').expect("an address with a port");
    let digits = rest.find('/').unwrap_or(rest.len());
    let (port, after) = rest.split_at(digits);
    let wire = Wire::to(port.parse().expect("a port")).await;
    let wire = wire.expect("a wire");
    let address = format!("{before}:{}{after}", wire.port());
    (wire, address)
}

/// Whether `/ready` says so, at last.
async fn ready(service: &Service, line: &str) {
    eventually(&format!("/ready says {line}"), async || {
        let probe = service.get("/ready").await.expect("alive");
        probe.starts_with(line).then_some(())
    })
    .await;
}

/// Lets the server behind `variable` vanish in the middle of a load and come back: the service notices
/// and nothing is lost.
async fn vanishes_in_the_middle(
    world: &World,
    seed: u64,
    variable: &'static str,
    settings: &[(&'static str, &str)],
) -> Service {
    hand_out_again_soon(world, "SMS_DLR", "dlr-processor").await;
    let shape = Shape::new(seed, 12_000, eventstore::clock::now()).with_mix(Mix::PLAIN);
    let load = Load::prepare(world, &shape).await;
    let variables = world.variables("dlr-processor", "dlr_svc");
    let (wire, url) = wired(&variables[variable]).await;
    let settings = [&[(variable, url.as_str())], settings].concat();
    let service = world.service(&settings).await.expect("a service");
    let silence = async {
        eventually("it is in the middle of it", async || {
            let head = service.metric("log_head").await;
            head.is_some_and(|head| head > 500).then_some(())
        })
        .await;
        wire.fall_silent();
        ready(&service, "HTTP/1.1 503").await;
        wire.speak();
    };
    tokio::join!(load.publish(world, 4_000), silence);
    ready(&service, "HTTP/1.1 200").await;
    let expected = load.finish(world).await;
    balances(world, &expected).await;
    service
}

#[test]
fn a_database_that_vanishes_without_a_word_is_noticed_and_nothing_is_lost() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let service = vanishes_in_the_middle(&place.world, 11, "DATABASE_URL", &[SOON]).await;
        assert!(service.log().contains("database.silent"), "it says so");
    });
}

#[test]
fn a_caller_hears_of_a_database_that_vanished_and_is_served_when_it_is_back() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let variables = world.billing_variables().await.expect("variables");
        let (wire, url) = wired(&variables["DATABASE_URL"]).await;
        let billing = world.billing(&[("DATABASE_URL", &url), SOON]).await;
        let billing = billing.expect("a service");
        let rest = world.rest(&billing).await.expect("reached");
        let admin = rest.as_billing_admin();
        let path = "/v1/admin/held-charges";
        let answer = async || {
            admin
                .call(Method::GET, path, None)
                .await
                .expect("an answer")
        };
        assert_eq!(answer().await.status, 200);

        wire.fall_silent();
        let refused = answer().await;
        assert_eq!(refused.status, 503, "{}", refused.text);
        ready(&billing, "HTTP/1.1 503").await;

        wire.speak();
        eventually("it answers again", async || {
            (answer().await.status == 200).then_some(())
        })
        .await;
        ready(&billing, "HTTP/1.1 200").await;
    });
}

#[test]
fn a_nats_that_vanishes_without_a_word_is_noticed_and_nothing_is_lost() {
    run(async {
        let place = place(WorldOptions::default()).await;
        vanishes_in_the_middle(&place.world, 12, "NATS_URL", &[]).await;
    });
}
