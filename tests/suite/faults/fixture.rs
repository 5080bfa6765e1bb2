//! Traffic that gets through whatever happens to the servers, and what must come of it.

use std::time::Duration;

use api::nats::plan::STREAMS;
use async_nats::jetstream;
use tests::{
    auditor::Report,
    drive, orchestrator,
    traffic::{self, Expected, Inbound, LaterRow, Shape, Traffic},
    world::World,
};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::fixture::{PATIENCE, dense};

/// Published in one go.
const SLICE: usize = 250;
/// How long a slice may take before it is sent again.
const SLICE_PATIENCE: Duration = Duration::from_secs(6);
/// What a killed process had taken comes again after this long, not after the usual 30 seconds.
const ACK_WAIT: Duration = Duration::from_secs(3);
/// The grace period of the services here.
pub(super) const GRACE: (&str, &str) = ("DLR_GRACE", "2s");

/// A traffic whose messages the orchestrator has written down.
pub(crate) struct Load {
    inbound: Vec<Inbound>,
    later: Vec<LaterRow>,
    expected: Expected,
}

impl Load {
    pub(crate) async fn prepare(world: &World, shape: &Shape) -> Self {
        let database = world.admin().await.expect("postgres");
        let Traffic { all, expected } = Traffic::generate(shape);
        orchestrator::enqueue(&database, &all.rows)
            .await
            .expect("written down");
        database
            .batch_execute("analyze orch.sms_messages")
            .await
            .expect("analysed");
        Self {
            inbound: all.inbound,
            later: all.later,
            expected,
        }
    }

    /// Publishes everything at about `per_second`.
    pub(crate) async fn publish(&self, world: &World, per_second: u32) {
        let connector = world.jetstream("smpp-connector").await.expect("nats");
        insist(&connector, "sms.dlr.inbound", &self.inbound, per_second).await;
    }

    /// Lets the late rows come and says what must have come of everything.
    pub(crate) async fn finish(self, world: &World) -> Expected {
        let database = world.admin().await.expect("postgres");
        let rows: Vec<_> = self.later.into_iter().map(|later| later.row).collect();
        orchestrator::enqueue(&database, &rows)
            .await
            .expect("written down");
        self.expected
    }

    pub(crate) fn len(&self) -> usize {
        self.inbound.len()
    }
}

/// Publishes at about `per_second`. A slice that was not acknowledged is sent again: to the
/// service that is one more repeat.
pub(crate) async fn insist(
    jetstream: &jetstream::Context,
    subject: &'static str,
    inbound: &[Inbound],
    per_second: u32,
) {
    let pace = Duration::from_secs(1) * u32::try_from(SLICE).expect("small") / per_second;
    for slice in inbound.chunks(SLICE) {
        let turn = Instant::now() + pace;
        let until = Instant::now() + PATIENCE;
        loop {
            let sending = traffic::publish_on(subject, jetstream, slice, None);
            if matches!(timeout(SLICE_PATIENCE, sending).await, Ok(Ok(_))) {
                break;
            }
            assert!(Instant::now() < until, "nats takes nothing any more");
            sleep(Duration::from_millis(100)).await;
        }
        sleep_until(turn).await;
    }
}

/// Makes a consumer hand out again soon what nobody acknowledged.
pub(crate) async fn hand_out_again_soon(world: &World, stream: &str, consumer: &str) {
    let admin = world.jetstream("tollbook-admin").await.expect("nats");
    let plan = STREAMS
        .iter()
        .find(|plan| plan.name == stream)
        .expect("planned");
    let mut config = plan.consumer(consumer, 10_000);
    config.ack_wait = ACK_WAIT;
    let stream = admin.get_stream(plan.name).await.expect("the stream");
    let consumer = stream.update_consumer(config).await.expect("updated");
    assert_eq!(consumer.cached_info().config.ack_wait, ACK_WAIT);
}

/// Waits for rest and lets the auditor look: nothing lost, doubled or wrong, and the log dense.
pub(super) async fn balances(world: &World, expected: &Expected) -> Report {
    drive::rest(world, PATIENCE).await.expect("comes to rest");
    let report = world.audit(expected).await.expect("audited");
    assert!(report.balanced(), "{:#?}", report.findings);
    assert_eq!(report.counts.receipts, receipts(expected), "receipts");
    assert_eq!(report.counts.settled, expected.counts.settled, "settled");
    let head = dense(&world.admin().await.expect("postgres")).await;
    assert_eq!(u64::try_from(head), Ok(report.counts.events));
    report
}

fn receipts(expected: &Expected) -> u64 {
    assert!(expected.counts.receipts > 0, "nothing was sent");
    expected.counts.receipts
}
