//! Streams: what a connector leaves in them has an end.
//!
//! The attacker has a connector's login and sends as much as it can, in messages as large as the
//! server takes.

use api::nats::plan::{MESSAGE_MAX, STREAMS};
use tests::world::WorldOptions;

use crate::fixture::{place, run};

#[test]
fn a_connector_leaves_no_message_beyond_its_size_and_no_more_than_its_stream_holds() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let mut variables = world.variables("tollbook-admin", "postgres");
        variables.insert("NATS_STREAM_MIB_MAX", "1".to_owned());
        world
            .role("provision", &variables)
            .await
            .expect("provisions");
        let observer = world.jetstream("observer").await.expect("nats");
        for plan in STREAMS {
            let stream = observer.get_stream(plan.name).await.expect("the stream");
            let config = &stream.cached_info().config;
            let bounds = (config.max_message_size, config.max_bytes);
            assert_eq!(bounds, (MESSAGE_MAX, 1024 * 1024), "{}", plan.name);
        }

        let connector = world.jetstream("smpp-connector").await.expect("nats");
        let left = async |bytes: usize| {
            let sent = connector.publish("sms.dlr.inbound", vec![b' '; bytes].into());
            sent.await.expect("sent").await.is_ok()
        };
        assert!(!left(500_000).await, "larger than any receipt");
        let mut kept = 0;
        while left(64 * 1024).await {
            kept += 1;
            assert!(kept <= 16, "more than the stream holds");
        }
        assert!(kept > 0, "what fits is kept");
    });
}
