//! Looks at our consumer now and then: it may be deleted under us, and its backlog tells how
//! far behind we are.

use std::{sync::Arc, time::Duration};

use actors::runtime::pulse::Pulse;
use async_nats::jetstream::{Context, consumer::Info};

use super::{NatsError, consumer};
use crate::health::Health;

/// How often.
const LOOK: Duration = Duration::from_secs(2);

/// Told after each look: what the server says, or nothing if it does not answer.
pub type Tell = Arc<dyn Fn(Option<&Info>) + Send + Sync>;
/// Told after each look: whether the consumer is there and our intake pulls from it.
pub type TellStatus = Arc<dyn Fn(bool) + Send + Sync>;

/// The consumer to look at, and who wants to know.
#[derive(Clone)]
pub struct Watched {
    /// Its stream.
    pub stream: String,
    /// Its name.
    pub consumer: &'static str,
    /// Who wants to know what it is at.
    pub tell: Tell,
    /// Who wants to know whether it is served.
    pub tell_status: TellStatus,
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
                Err(why) => {
                    (watched.tell)(None);
                    health.consumer.bad(why);
                }
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
        (watched.tell_status)(health.consumer.is_up() && pulls);
    }
}

/// Looks once; why it could not in our own words.
async fn look(jetstream: &Context, watched: &Watched, health: &Health) -> Result<(), &'static str> {
    if !health.nats.is_up() {
        return Err("nats is away");
    }
    match consumer(jetstream, &watched.stream, watched.consumer).await {
        Ok(consumer) => {
            (watched.tell)(Some(consumer.cached_info()));
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
pub fn gauge<N: TryInto<i64>>(count: N) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
