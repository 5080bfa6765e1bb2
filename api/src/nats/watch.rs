//! Looks at our consumer now and then: it may be deleted under us, and its backlog tells how
//! far behind we are.

use std::time::Duration;

use actors::runtime::pulse::Pulse;
use async_nats::jetstream::{Context, consumer::Info};
use prometheus_client::metrics::gauge::Gauge;

use super::{NatsError, consumer};
use crate::health::Health;

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// The consumer to look at, and who wants to know. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Its stream.
    pub stream: String,
    /// Its name.
    pub consumer: &'static str,
    /// The gauges that are set after each look.
    pub gauges: ConsumerGauges,
}

/// What is told of a consumer after each look. The metrics that they are of keep their names.
#[derive(Debug, Clone)]
pub struct ConsumerGauges {
    /// Messages that were delivered and are not acknowledged.
    pub ack_pending: Gauge,
    /// Messages that were never delivered.
    pub pending: Gauge,
    /// 1 while the consumer is there and our intake pulls from it, else 0.
    pub served: Gauge,
}

impl ConsumerGauges {
    /// Tells what the server says.
    pub fn tell(&self, info: &Info) {
        self.ack_pending.set(gauge(info.num_ack_pending));
        self.pending.set(gauge(info.num_pending));
    }
}

/// Watches the consumer and whether our intake pulls from it, for ever. Wakes the intake when the
/// consumer is back.
pub async fn watch(jetstream: &Context, watched: &Watched, health: &Health, pulse: &Pulse) {
    let mut pulling = pulse.pulling();
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => match look(jetstream, watched, health).await {
                Ok(()) => {
                    if !health.consumer.is_up() {
                        pulse.wake();
                    }
                    health.consumer.good();
                }
                Err(why) => health.consumer.bad(why),
            },
            // The pulse outlives us.
            _ = pulling.changed() => {}
        }
        let pulls = *pulling.borrow_and_update();
        if pulls {
            health.intake.good();
        } else {
            health.intake.bad("does not pull");
        }
        let served = health.consumer.is_up() && pulls;
        watched.gauges.served.set(i64::from(served));
    }
}

/// Looks once; why it could not in our own words.
async fn look(jetstream: &Context, watched: &Watched, health: &Health) -> Result<(), &'static str> {
    if !health.nats.is_up() {
        return Err("nats is away");
    }
    match consumer(jetstream, &watched.stream, watched.consumer).await {
        Ok(consumer) => {
            watched.gauges.tell(consumer.cached_info());
            Ok(())
        }
        Err(error) => {
            let why = match error {
                NatsError::NoConsumer { .. } => "missing",
                NatsError::Silent { .. } => "no answer",
                _ => "not reachable",
            };
            let error = eventstore::log::chain(&error);
            tracing::warn!(event = "nats.consumer_unreachable", error);
            Err(why)
        }
    }
}

/// A count as a gauge takes it.
fn gauge<N: TryInto<i64>>(count: N) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
