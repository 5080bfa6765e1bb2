//! The master key changes while receipts come in: nothing is lost, nothing waits for a restart.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use tests::{
    traffic::Shape,
    world::{Service, World, WorldOptions},
};

use super::fixture::{GRACE, Load, balances};
use crate::fixture::{eventually, place, run};

/// Two master keys beside the one that every world begins with.
const SECOND: &str = "2 AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n";
const THIRD: &str = "3 AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\n";

/// Puts another file in the place of the one that is there, as an agent does.
fn replace(path: &Path, content: &str) {
    let next = path.with_extension("next");
    fs::write(&next, content).expect("written");
    fs::rename(next, path).expect("renamed");
}

/// One whole rotation; says what the job said.
async fn rotate(world: &World, content: &str) -> String {
    replace(&world.path("master.key"), content);
    let admin = world.variables("tollbook-admin", "tollbook_admin");
    let done = world.command(&["keys", "rewrap"], &admin).await;
    done.expect("wrapped anew")
}

async fn locked(service: &Service) -> Option<i64> {
    service.metric("keyring_locked_keys").await
}

#[test]
fn the_master_key_is_rotated_twice_under_load_and_nothing_is_lost_or_restarted() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let first = fs::read_to_string(world.path("master.key")).expect("there");
        let services = [
            world.service(&[GRACE]).await.expect("a service"),
            world.service(&[GRACE]).await.expect("a service"),
        ];
        let shape = Shape::new(20_261, 10_000, eventstore::clock::now());
        let load = Load::prepare(world, &shape).await;
        let over = AtomicBool::new(false);
        let publishing = async {
            load.publish(world, 1_000).await;
            over.store(true, Ordering::Relaxed);
        };
        let rotating = async {
            let database = world.admin().await.expect("postgres");
            let sql = "select count(*) > 0 from eventlog.data_key";
            eventually("there are data keys", async || {
                let row = database.query_one(sql, &[]).await.ok()?;
                row.get::<_, bool>(0).then_some(())
            })
            .await;
            assert!(!over.load(Ordering::Relaxed), "under load");
            let said = rotate(world, &[&first, SECOND].concat()).await;
            assert!(said.contains("under version 2"), "{said}");
            // The first version leaves the file, and a third comes.
            replace(&world.path("master.key"), SECOND);
            let said = rotate(world, &[SECOND, THIRD].concat()).await;
            assert!(said.contains("under version 3"), "{said}");
            assert!(!over.load(Ordering::Relaxed), "still under load");
        };
        tokio::join!(publishing, rotating);
        let expected = load.finish(world).await;
        // A process that knows the newest version alone opens all there is.
        replace(&world.path("master.key"), THIRD);
        let fresh = world.service(&[GRACE]).await.expect("a service");
        balances(world, &expected).await;
        for service in services.iter().chain([&fresh]) {
            assert!(service.pid().is_some(), "nothing was restarted");
            assert_eq!(locked(service).await, Some(0));
            for secret in [&first, SECOND, THIRD] {
                let secret = secret.trim().split(' ').next_back().expect("a key");
                assert!(!service.log().contains(&secret[..16]), "a key in a log");
            }
        }
    });
}
