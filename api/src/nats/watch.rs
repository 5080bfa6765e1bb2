//! Looks at our consumer now and then: it may be deleted under us, and its backlog tells how
//! far behind we are.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{Context, consumer::Info};

use super::{NatsError, consumer};
use crate::health::Health;

/// How often.
const LOOK: Duration = Duration::from_secs(2);
/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Told after each look: what the server says, or nothing if it does not answer.
pub type Tell = Arc<dyn Fn(Option<&Info>) + Send + Sync>;

/// The consumer to look at, and who wants to know.
#[derive(Clone)]
pub struct Watched {
    /// Its stream.
    pub stream: String,
    /// Its name.
    pub consumer: &'static str,
    /// Who wants to know.
    pub tell: Tell,
}

/// Watches the consumer, for ever.
pub async fn watch(jetstream: &Context, watched: &Watched, health: &Health) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match look(jetstream, watched, health).await {
            Ok(()) => health.consumer.good(),
            Err(why) => {
                (watched.tell)(None);
                health.consumer.bad(why);
            }
        }
    }
}

/// Looks once; why it could not in our own words.
async fn look(jetstream: &Context, watched: &Watched, health: &Health) -> Result<(), &'static str> {
    if !health.nats.is_up() {
        return Err("nats is away");
    }
    let found = consumer(jetstream, &watched.stream, watched.consumer);
    match tokio::time::timeout(PATIENCE, found).await {
        Ok(Ok(consumer)) => {
            (watched.tell)(Some(consumer.cached_info()));
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

/// A count as a gauge takes it.
pub fn gauge<N: TryInto<i64>>(count: N) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
