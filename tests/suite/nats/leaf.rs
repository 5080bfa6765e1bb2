//! Through a leaf node: the services work as at the hub, and nobody may more.

use std::time::Duration;

use tests::{
    stack::{
        Leaf, Nats,
        nats_rights::{self, Rights},
    },
    world::WorldOptions,
};
use tokio::time::{Instant, sleep};

use super::{
    matrix::{Observer, subjects, try_user},
    raw::Raw,
};
use crate::{
    chain::{self, Chain},
    fixture::{PATIENCE, place, run},
};

/// Whom a leaf node links.
const LINKED: [&str; 2] = ["dlr-processor", "billing-service"];

#[test]
fn through_a_leaf_node_both_services_settle_charge_and_acknowledge_everything() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let leaf = Leaf::start(&world.nats).await.expect("a leaf node");
        let url = leaf.url();
        let at_the_leaf = [("NATS_URL", url.as_str())];
        let dlr = world.service(&at_the_leaf).await.expect("dlr");
        let billing = world.billing(&at_the_leaf).await.expect("billing");
        let rest = world.rest(&billing).await.expect("an api");
        let chain = Chain::agreed(&rest, 37, 3_000).await;
        let (expected, ()) = tokio::join!(chain.send(world, Some(1_000)), async {
            sleep(Duration::from_secs(1)).await;
            leaf.restart().await.expect("the leaf node is back");
        });
        chain::balances(world, &rest, &expected).await;
        for (service, user) in [(dlr, "dlr-processor"), (billing, "billing-service")] {
            let log = service.log();
            assert!(
                !log.contains("nats.server_error"),
                "{user} was refused: {log}"
            );
            assert!(
                log.contains("nats.disconnected"),
                "{user} was not at the leaf"
            );
            assert!(service.terminate().await.expect("stops"), "exit code 0");
        }
    });
}

#[test]
fn a_leaf_node_refuses_what_the_hub_refuses() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let leaf = Leaf::start(&place.world.nats).await.expect("a leaf node");
        let all = nats_rights::committed();
        let subjects = subjects(&all);
        let mut observer = Observer::of(&place).await;
        let linked = all
            .iter()
            .filter(|rights| LINKED.contains(&rights.user.as_str()));
        for rights in linked {
            is_linked(&place.world.nats, leaf.port(), rights, &mut observer).await;
            try_user(&place, leaf.port(), rights, &subjects, &mut observer).await;
        }
    });
}

#[test]
fn who_holds_a_leaf_node_and_strikes_its_permissions_may_no_more_than_its_users() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let nats = &place.world.nats;
        let leaf = Leaf::lax(nats).await.expect("a leaf node");
        let all = nats_rights::committed();
        let subjects = subjects(&all);
        let mut observer = Observer::of(&place).await;
        for rights in all
            .iter()
            .filter(|rights| LINKED.contains(&rights.user.as_str()))
        {
            is_linked(nats, leaf.port(), rights, &mut observer).await;
            let files = nats.client_files(&rights.user).expect("files");
            let mut raw = Raw::connect(leaf.port(), files).await;
            raw.subscribe(">", 1).await;
            let told = raw.told().await;
            assert!(
                !told.contains("-ERR"),
                "the leaf node refuses nothing: {told}"
            );
            let concrete = subjects.iter().filter(|it| !it.contains(['*', '>']));
            let concrete: Vec<_> = concrete.collect();
            for (number, subject) in concrete.iter().enumerate() {
                raw.publish(subject, &format!("lax-{}-{number}-", rights.user))
                    .await;
            }
            // Others are at work meanwhile; none of it is for this user.
            for other in all.iter().filter(|other| other.user != rights.user) {
                let files = nats.client_files(&other.user).expect("files");
                let mut other_raw = Raw::connect(nats.port(), files).await;
                for subject in subjects.iter().filter(|it| other.may_publish(it)) {
                    other_raw.publish(subject, "of-another").await;
                }
                other_raw.told().await;
            }
            let end = format!("lax-end-{}", rights.user);
            let allowed = concrete.iter().find(|it| has(&rights.publish, it));
            raw.publish(allowed.expect("something"), &end).await;
            let seen = observer.until(&end).await.to_owned();
            for (number, subject) in concrete.iter().enumerate() {
                let came_out = seen.contains(&format!("lax-{}-{number}-", rights.user));
                // The hub judges; without the mappings only what a list names comes out.
                let may = rights.may_publish(subject) && came_out || has(&rights.publish, subject);
                assert_eq!(came_out, may, "{} on {subject}", rights.user);
            }
            let heard = raw.told().await;
            assert!(
                !heard.contains("of-another"),
                "{} heard {heard}",
                rights.user
            );
        }
    });
}

/// Whether one of the patterns is this subject, a `*` for any word.
fn has(patterns: &[String], subject: &str) -> bool {
    let fits = |pattern: &String| {
        let (pattern, subject) = (pattern.split('.'), subject.split('.'));
        pattern.clone().count() == subject.clone().count()
            && pattern.zip(subject).all(|(a, b)| a == "*" || a == b)
    };
    patterns.iter().any(fits)
}

/// Waits until what the user says at the leaf node comes out at the hub.
async fn is_linked(nats: &Nats, port: u16, rights: &Rights, observer: &mut Observer) {
    let files = nats.client_files(&rights.user).expect("files");
    let mut raw = Raw::connect(port, files).await;
    let subject = &rights.publish[0];
    let mark = format!("linked-{}", rights.user);
    let until = Instant::now() + PATIENCE;
    while !observer.saw(&mark).await {
        assert!(Instant::now() < until, "{} is never linked", rights.user);
        raw.publish(subject, &mark).await;
        raw.told().await;
        sleep(Duration::from_millis(50)).await;
    }
}
