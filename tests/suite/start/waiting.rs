//! A start while servers are away: the service waits for them and says so. What a person must mend
//! ends it.

use tests::world::{Service, WorldOptions};

use crate::fixture::{eventually, place, run};

async fn says(service: &Service, path: &str, line: &str) {
    eventually(&format!("{path} says {line}"), async || {
        let probe = service.get(path).await.ok()?;
        probe.starts_with(line).then_some(())
    })
    .await;
}

async fn logs(service: &Service, told: &str) {
    eventually(told, async || service.log().contains(told).then_some(())).await;
}

#[test]
fn a_service_started_while_its_servers_are_away_waits_for_them() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        world.postgres.stop_immediate().await.expect("stopped");
        world.nats.kill().await.expect("killed");
        let service = world.starting(&[]).expect("started");
        says(&service, "/health", "HTTP/1.1 200").await;
        says(&service, "/ready", "HTTP/1.1 503").await;
        logs(&service, "\"forWhat\":\"postgres\"").await;

        world.postgres.start_again().await.expect("started");
        logs(&service, "\"forWhat\":\"nats\"").await;
        says(&service, "/health", "HTTP/1.1 200").await;
        says(&service, "/ready", "HTTP/1.1 503").await;

        world.nats.start_again().await.expect("started");
        says(&service, "/ready", "HTTP/1.1 200").await;
        assert!(service.terminate().await.expect("stops"), "exit code 0");
    });
}

#[test]
fn a_service_that_waits_stops_when_it_is_told_to() {
    run(async {
        let place = place(WorldOptions::default()).await;
        place.world.nats.kill().await.expect("killed");
        let service = place.world.starting(&[]).expect("started");
        logs(&service, "service.waiting").await;
        assert!(service.terminate().await.expect("stops"), "exit code 0");
    });
}

#[test]
fn a_password_or_a_database_that_is_wrong_is_not_waited_for() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let url = world.postgres.url("dlr_svc", "tollbook");
        let (before, after) = url.split_once('@').expect("a login");
        let (scheme, _) = before.rsplit_once(':').expect("a password");
        let wrong = format!("{scheme}:hunter2@{after}");
        let elsewhere = url.replace("/tollbook", "/nowhere");
        for (url, told) in [
            (wrong, "password authentication failed"),
            (elsewhere, "does not exist"),
        ] {
            let refused = world.service(&[("DATABASE_URL", &url)]).await;
            let said = refused.err().expect("it ends").to_string();
            assert!(said.contains("has ended") && said.contains(told), "{said}");
            assert!(!said.contains("hunter2") && !said.contains("service.waiting"));
        }
    });
}
