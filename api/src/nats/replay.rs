//! Reading again what arrived in a stream since a moment, through a consumer of its own.
//!
//! The services' consumers go on as they are. This one is made when it is first asked for, and made
//! again if it went away; it goes away by itself when nobody reads with it.

use std::time::Duration;

use async_nats::jetstream::{
    Context,
    consumer::{Info, PullConsumer},
};
use schema::Timestamp;

use super::{NatsError, plan::StreamPlan};

/// How often is looked how far it is.
const LOOK: Duration = Duration::from_millis(200);

/// A stream that is read again, and since when.
#[derive(Clone)]
pub struct Replay {
    /// The connection to the server that keeps the stream.
    pub jetstream: Context,
    /// The stream as it was planned.
    pub plan: StreamPlan,
    /// Its name here.
    pub stream: String,
    /// The consumer that reads it again.
    pub consumer: &'static str,
    /// What arrived then or later.
    pub since: Timestamp,
    /// The most messages delivered and not acknowledged.
    pub max_ack_pending: u32,
}

impl Replay {
    /// The consumer, made if it is not there.
    ///
    /// # Errors
    /// It cannot be made: the stream is missing, or the consumer still stands at another moment.
    pub async fn open(&self) -> Result<PullConsumer, NatsError> {
        let config = self
            .plan
            .replay(self.consumer, self.since, self.max_ack_pending);
        let made = self
            .jetstream
            .create_consumer_on_stream(config, &self.stream)
            .await;
        made.map_err(|source| NatsError::Consumer {
            stream: self.stream.clone(),
            consumer: self.consumer,
            source,
        })
    }

    /// Waits until everything that was in the stream at the start is answered for good; says how
    /// many messages were delivered.
    ///
    /// # Errors
    /// The consumer cannot be made.
    pub async fn answered(&self) -> Result<u64, NatsError> {
        let start = self.open().await?;
        let mut info = start.cached_info().clone();
        // What is waiting now; what comes later is the services' own affair.
        let all = info.num_pending;
        let mut delivered = 0;
        while !is_answered(&info, all) {
            tokio::time::sleep(LOOK).await;
            // While nats is away nothing is answered; it is looked at again.
            if let Ok(consumer) = self.open().await {
                info = consumer.cached_info().clone();
                delivered = delivered.max(info.delivered.consumer_sequence);
            }
        }
        Ok(delivered)
    }
}

/// Whether `all` messages are answered, or all that are there.
fn is_answered(info: &Info, all: u64) -> bool {
    let nothing_left = info.num_pending == 0 && info.num_ack_pending == 0;
    nothing_left || (all > 0 && info.ack_floor.consumer_sequence >= all)
}
