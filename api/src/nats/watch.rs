//! Looks at our consumer now and then: it may be deleted under us, and its backlog tells how
//! far behind we are.

use std::time::Duration;

use actors::metrics::DlrMetrics;
use async_nats::jetstream::Context;

use super::{NatsError, consumer, plan::DLR_CONSUMER};
use crate::health::Health;

/// How often.
const LOOK: Duration = Duration::from_secs(2);
/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Watches the consumer of `stream`, for ever.
pub async fn watch(jetstream: &Context, stream: &str, metrics: &DlrMetrics, health: &Health) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match look(jetstream, stream, metrics, health).await {
            Ok(()) => {
                metrics.nats_consumer_status.set(1);
                health.consumer.good();
            }
            Err(why) => {
                metrics.nats_consumer_status.set(0);
                health.consumer.bad(why);
            }
        }
    }
}

/// Looks once; why it could not in our own words.
async fn look(
    jetstream: &Context,
    stream: &str,
    metrics: &DlrMetrics,
    health: &Health,
) -> Result<(), &'static str> {
    if !health.nats.is_up() {
        return Err("nats is away");
    }
    let found = tokio::time::timeout(PATIENCE, consumer(jetstream, stream, DLR_CONSUMER)).await;
    match found {
        Ok(Ok(consumer)) => {
            let info = consumer.cached_info();
            metrics.nats_ack_pending.set(gauge(info.num_ack_pending));
            metrics.nats_pending.set(gauge(info.num_pending));
            Ok(())
        }
        Ok(Err(error)) => {
            let missing = matches!(error, NatsError::NoConsumer { .. });
            let error = eventstore::log::chain(&error);
            tracing::warn!(event = "nats.consumer_unreachable", error);
            Err(if missing { "missing" } else { "not reachable" })
        }
        Err(_) => {
            tracing::warn!(event = "nats.consumer_unreachable", error = "no answer");
            Err("no answer")
        }
    }
}

fn gauge<N: TryInto<i64>>(count: N) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
