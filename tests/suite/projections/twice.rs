//! Each event is applied once, by however many processes, and applying all again changes nothing.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use tests::{
    drive::{self, Quiet},
    traffic::{Expected, Shape},
    world::{World, WorldOptions},
};
use tokio_postgres::Client;

use crate::fixture::{PATIENCE, Published, alter, place, published, run};

const STREAMS: [(&str, &str); 3] = [
    ("BILLING_EVENTS", "billing.events"),
    ("WEBHOOK_DISPATCH", "webhook.dispatch"),
    ("SMS_DLR_UNMATCHED", "sms.dlr.unmatched"),
];

/// Traffic with orphans and late rows, through `world`, until it is at rest and balanced.
async fn balanced_traffic(world: &World, seed: u64) -> Expected {
    let shape = Shape::new(seed, 3_000, eventstore::clock::now());
    let sent = drive::send(world, &shape, None, &Quiet).await;
    let expected = sent.expect("sent");
    drive::rest(world, PATIENCE).await.expect("comes to rest");
    audited(world, &expected).await;
    expected
}

async fn audited(world: &World, expected: &Expected) {
    let report = world.audit(expected).await.expect("audited");
    assert!(report.balanced(), "{:#?}", report.findings);
    assert!(report.counts.receipt_rows > 3_000 && report.counts.orphan_rows > 0);
}

/// Lets the database note every event applied to a table, also where that changes nothing.
async fn note_attempts(admin: &Client) {
    alter(admin, include_str!("attempts.sql")).await;
    let stays = "select tollbook_guard.record()";
    admin.batch_execute(stays).await.expect("a superuser may");
}

/// How many events each table was given how often, the least and the most.
async fn attempts(admin: &Client) -> Vec<(i64, i64, i64)> {
    let sql = "select count(*), min(times), max(times)
        from (select target, count(*) as times from public.attempt group by target, position) t
        group by target order by target";
    let rows = admin.query(sql, &[]).await.expect("reads");
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect()
}

/// Everything that projections made: tables and streams.
async fn shown(world: &World, admin: &Client) -> (Vec<String>, Vec<Vec<Published>>) {
    let row = admin
        .query_one(include_str!("shown.sql"), &[])
        .await
        .expect("reads");
    let observer = world.jetstream("observer").await.expect("nats");
    let mut streams = Vec::new();
    for (stream, _) in STREAMS {
        streams.push(published(&observer, stream).await);
    }
    (row.get(0), streams)
}

#[test]
fn two_processes_apply_each_event_once() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let admin = world.admin().await.expect("postgres");
        note_attempts(&admin).await;
        let options = [("DLR_GRACE", "2s")];
        let one = world.service(&options).await.expect("a service");
        let other = world.service(&options).await.expect("a service");
        balanced_traffic(world, 21).await;
        let attempts = attempts(&admin).await;
        assert_eq!(attempts.len(), 3, "three tables: {attempts:?}");
        for (events, least, most) in attempts {
            assert!(events > 0);
            assert_eq!((least, most), (1, 1), "an event was applied twice");
        }
        for service in [one, other] {
            assert!(service.terminate().await.expect("stops"));
        }
    });
}

#[test]
fn applying_everything_twice_changes_no_table_and_publishes_under_the_same_ids() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let admin = world.admin().await.expect("postgres");
        note_attempts(&admin).await;
        let service = world.service(&[("DLR_GRACE", "2s")]).await;
        let expected = balanced_traffic(world, 22).await;
        assert!(
            service
                .expect("a service")
                .terminate()
                .await
                .expect("stops")
        );
        let before = shown(world, &admin).await;

        // Whoever hears what is published hears repeats too, which the streams take for such.
        let user = world.nats.connect_options("observer");
        let ear = user
            .connect(world.nats.url("observer"))
            .await
            .expect("nats");
        let mut heard = Vec::new();
        for (_, subject) in STREAMS {
            heard.push(ear.subscribe(subject).await.expect("may listen"));
        }
        ear.flush().await.expect("listens");
        let reset = "delete from eventlog.progress";
        let reset = admin.execute(reset, &[]).await.expect("a superuser may");
        assert_eq!(reset, 6, "six projections");
        let service = world.service(&[]).await.expect("a service");
        drive::rest(world, PATIENCE).await.expect("comes to rest");
        assert!(service.terminate().await.expect("stops"));

        let after = shown(world, &admin).await;
        assert_eq!(after.0, before.0, "tables");
        for ((stream, _), (after, before)) in STREAMS.iter().zip(after.1.iter().zip(&before.1)) {
            assert!(after == before, "{stream} has changed");
        }
        for (events, least, most) in attempts(&admin).await {
            assert!(events > 0);
            assert_eq!((least, most), (2, 2), "not everything was applied again");
        }
        for (mut subscriber, stored) in heard.into_iter().zip(&before.1) {
            let mut ids = BTreeSet::new();
            let all: BTreeSet<String> = stored.iter().map(|message| message.id.clone()).collect();
            while ids.len() < all.len() {
                let next = tokio::time::timeout(PATIENCE, subscriber.next()).await;
                let message = next.expect("all are repeated").expect("a message");
                let id = message
                    .headers
                    .expect("headers")
                    .get("Nats-Msg-Id")
                    .cloned();
                let id = id.expect("an id").as_str().to_owned();
                assert!(all.contains(&id), "a new id for an old fact");
                ids.insert(id);
            }
        }
        audited(world, &expected).await;
    });
}
