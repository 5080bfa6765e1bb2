//! Streams and consumers that are missing, at the start or later.

use tests::world::{World, WorldOptions};

use crate::{
    fixture::{eventually, place, run},
    receipts::fixture::{Desk, receipt, settled_as},
};

async fn refusal(world: &World) -> String {
    match world.service(&[]).await {
        Ok(_) => panic!("it started"),
        Err(fault) => fault.to_string(),
    }
}

async fn provision(world: &World) -> String {
    let variables = world.variables("tollbook-admin", "postgres");
    let said = world.role("provision", &variables).await;
    said.expect("provisions")
}

#[test]
fn a_missing_stream_or_consumer_is_named_with_the_command_that_makes_it() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        assert!(
            !provision(world).await.contains("created"),
            "it was complete"
        );
        let observer = world.jetstream("observer").await.expect("nats");
        let told = "consumer dlr-processor of stream SMS_DLR is missing; `tollbook provision`";

        let stream = observer.get_stream("SMS_DLR").await.expect("the stream");
        stream
            .delete_consumer("dlr-processor")
            .await
            .expect("deleted");
        let said = refusal(world).await;
        assert!(said.contains(told), "{said}");

        observer.delete_stream("SMS_DLR").await.expect("deleted");
        let said = refusal(world).await;
        assert!(said.contains(told), "{said}");

        assert!(provision(world).await.contains("created"));
        let service = world.service(&[]).await.expect("now it starts");
        assert!(service.terminate().await.expect("stops"));
    });
}

#[test]
fn a_missing_outgoing_stream_is_named_and_what_waits_for_it_is_published_once_it_is_there() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let observer = place.world.jetstream("observer").await.expect("nats");
        let deleted = observer.delete_stream("WEBHOOK_DISPATCH").await;
        deleted.expect("deleted");
        let desk = Desk::in_world(place.world).await;
        let sms = desk.message().await;
        let sent = desk.send(&receipt(&sms)).await;
        desk.answered(sent).await;
        eventually("it is told", async || {
            let log = desk.service.log();
            let told = "no stream takes webhook.dispatch (`tollbook provision` makes it)";
            log.contains(told).then_some(())
        })
        .await;
        eventually("it is counted", async || {
            let waiting = desk.service.metric("dlr_outbox_pending_count").await;
            (waiting == Some(1)).then_some(())
        })
        .await;
        assert!(provision(&desk.world).await.contains("created"));
        desk.done(sent).await;
        assert_eq!(desk.effects(&sms).await, settled_as("DELIVRD", "DELIVERED"));
    });
}
