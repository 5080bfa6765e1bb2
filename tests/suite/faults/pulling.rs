//! An intake that cannot pull is not counted as one that does, and does not sleep on when it could.

use async_nats::jetstream::consumer::{PullConsumer, pull};
use tests::world::WorldOptions;

use crate::{
    fixture::{eventually, place, run},
    receipts::fixture::{Desk, receipt, settled_as},
};

/// Far more than one failure, so that pauses are long.
const FAILURES: usize = 6;

#[test]
fn a_service_is_ready_once_its_intake_pulls_again_and_not_before() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let desk = Desk::in_world(place.world).await;
        let (world, service) = (&desk.world, &desk.service);
        let sms = desk.message().await;
        let status = async || service.metric("dlr_nats_consumer_status").await;
        assert_eq!(status().await, Some(1));

        world.nats.kill().await.expect("killed");
        eventually("its pauses are long", async || {
            let log = service.log();
            let restarts = log.matches("service.restarting").count();
            (restarts >= FAILURES).then_some(())
        })
        .await;
        let probe = service.get("/ready").await.expect("alive");
        assert!(probe.starts_with("HTTP/1.1 503"), "{probe}");
        assert!(probe.contains("\"intake\":{\"up\":false"), "{probe}");
        assert_eq!(status().await, Some(0));

        world.nats.start_again().await.expect("started");
        eventually("it is ready", async || {
            let probe = service.get("/ready").await.expect("alive");
            probe.starts_with("HTTP/1.1 200").then_some(())
        })
        .await;
        // Whoever is ready pulls.
        let log = service.log();
        let last = |event: &str| log.rfind(event).expect("it was told");
        assert!(last("intake.pulling") > last("service.restarting"), "{log}");
        assert_eq!(status().await, Some(1));
        let sent = desk.send(&receipt(&sms)).await;
        desk.done(sent).await;
        assert_eq!(desk.effects(&sms).await, settled_as("DELIVRD", "DELIVERED"));
    });
}

/// Far fewer than a process would like to open.
const REQUESTS_MAX: i64 = 2;

#[test]
fn a_consumer_that_takes_few_requests_hands_out_everything_all_the_same() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let observer = place.world.jetstream("observer").await.expect("nats");
        let stream = observer.get_stream("SMS_DLR").await.expect("the stream");
        let made: PullConsumer = stream.get_consumer("dlr-processor").await.expect("there");
        let few = pull::Config {
            durable_name: Some("dlr-processor".to_owned()),
            filter_subject: "sms.dlr.inbound".to_owned(),
            max_ack_pending: made.cached_info().config.max_ack_pending,
            max_waiting: REQUESTS_MAX,
            ..pull::Config::default()
        };
        stream.delete_consumer("dlr-processor").await.expect("gone");
        stream.create_consumer(few).await.expect("made anew");
        let other = place.world.service(&[]).await.expect("a service");
        let desk = Desk::in_world(place.world).await;
        let sms = desk.message().await;
        let mut last = 0;
        for _ in 0..500 {
            last = desk.send(&receipt(&sms)).await;
        }
        desk.done(last).await;
        let consumer = desk.consumer().await;
        assert_eq!(consumer.delivered.consumer_sequence, last, "each once");
        assert_eq!(desk.effects(&sms).await, settled_as("DELIVRD", "DELIVERED"));
        for service in [&desk.service, &other] {
            assert!(!service.log().contains("intake.error"), "{}", service.log());
        }
    });
}
