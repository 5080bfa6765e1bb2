//! Services killed at random moments, servers restarted, several services on one consumer.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tests::{
    traffic::{Expected, Shape},
    world::{Service, World, WorldOptions},
};
use tokio::time::sleep;

use super::fixture::{GRACE, Load, balances, hand_out_again_soon};
use crate::fixture::{place, run};

const SEED: u64 = 20_260;

fn shape(seed: u64, messages: u64) -> Shape {
    Shape::new(seed, messages, eventstore::clock::now())
}

/// Publishes a load while `faults` goes on until it is told that publishing is over.
async fn meanwhile(
    world: &World,
    load: Load,
    per_second: u32,
    faults: impl AsyncFnOnce(&AtomicBool),
) -> Expected {
    let over = AtomicBool::new(false);
    let publishing = async {
        load.publish(world, per_second).await;
        over.store(true, Ordering::Relaxed);
    };
    tokio::join!(publishing, faults(&over));
    load.finish(world).await
}

async fn service(world: &World) -> Service {
    world.service(&[GRACE]).await.expect("a service")
}

#[test]
fn a_service_killed_at_any_moment_twenty_times_and_more_loses_and_doubles_nothing() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        hand_out_again_soon(world, "SMS_DLR", "dlr-processor").await;
        let mut services = vec![service(world).await, service(world).await];
        let mut chance = ChaCha8Rng::seed_from_u64(SEED);
        let (mut kills, mut expected) = (0, Expected::default());
        // A slow machine needs more traffic for as many kills.
        for round in 0..6 {
            let load = Load::prepare(world, &shape(SEED + round, 10_000)).await;
            assert!(load.len() > 10_000);
            let came = meanwhile(world, load, 1_000, async |over| {
                while !over.load(Ordering::Relaxed) {
                    sleep(Duration::from_millis(chance.random_range(20..500))).await;
                    let victim = services.swap_remove(chance.random_range(0..services.len()));
                    victim.kill().await.expect("killed");
                    kills += 1;
                    services.push(service(world).await);
                }
            })
            .await;
            expected.absorb(came);
            if kills >= 20 {
                break;
            }
        }
        assert!(kills >= 20, "only {kills} kills");
        let report = balances(world, &expected).await;
        assert!(report.counts.orphaned > 0 && report.counts.late > 0);
        eprintln!("{kills} kills, {} events", report.counts.events);
    });
}

#[test]
fn three_services_on_one_consumer_survive_restarts_of_nats_and_postgres() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        hand_out_again_soon(world, "SMS_DLR", "dlr-processor").await;
        let mut services = Vec::new();
        for _ in 0..3 {
            services.push(service(world).await);
        }
        let load = Load::prepare(world, &shape(SEED + 100, 12_000)).await;
        let mut rounds = 0;
        let expected = meanwhile(world, load, 1_200, async |over| {
            while !over.load(Ordering::Relaxed) || rounds < 2 {
                sleep(Duration::from_millis(700)).await;
                world.nats.restart().await.expect("nats is back");
                sleep(Duration::from_millis(700)).await;
                world
                    .postgres
                    .restart_immediate()
                    .await
                    .expect("postgres is back");
                sleep(Duration::from_millis(700)).await;
                world.nats.kill().await.expect("killed");
                world.nats.start_again().await.expect("nats is back");
                rounds += 1;
            }
        })
        .await;
        balances(world, &expected).await;
        for service in services {
            assert!(service.pid().is_some(), "a service gave up");
            assert!(service.terminate().await.expect("stops"), "and stops well");
        }
        eprintln!("{rounds} rounds of restarts");
    });
}
