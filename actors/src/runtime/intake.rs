//! What both services' intakes share: the pull of a consumer, its permits and its end.
//!
//! Messages are taken as they come; whatever waits becomes one batch, at most `batch` messages.
//! Batches are prepared side by side but handed out in order, so that what is said about one
//! thing stays in order. Backpressure is a permit per message, taken before its batch is looked
//! at and given back by whoever answers the message, after its facts are committed.

mod delivery;
mod requests;

use std::{future::Future, sync::Arc};

use async_nats::{
    SubscribeError,
    jetstream::{
        self,
        consumer::{
            Consumer,
            pull::{self, BatchRequestError},
        },
    },
};
use futures::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

pub(crate) use self::delivery::{Delivery, age, sampled};
pub use self::requests::{EXPIRES, Requests};
use super::pulse::Pulse;

/// How many batches are being prepared at the same time.
const OVERLAP: usize = 3;

/// Hangs a span on the caller's span that a `traceparent` names.
pub type Adopt = fn(&tracing::Span, &str);

/// How much is taken at a time.
#[derive(Debug, Clone)]
pub struct PullOptions {
    /// The most messages of one batch.
    pub batch: usize,
    /// The most messages taken and not yet answered.
    pub in_flight_max: usize,
}

/// A durable pull consumer, and the way to ask it.
#[derive(Debug, Clone)]
pub struct Source {
    /// The consumer.
    pub consumer: Consumer<pull::Config>,
    /// The JetStream context that requests and answers go through.
    pub jetstream: jetstream::Context,
}

/// Why a pull ended although nobody stopped it.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The answers could not be listened to.
    #[error("subscribing to the answers of the consumer")]
    Subscribe(#[source] SubscribeError),
    /// A request could not be sent.
    #[error("asking the consumer for a message")]
    Request(#[source] BatchRequestError),
    /// A request was not answered in time.
    #[error("the consumer does not answer")]
    Silent,
    /// There is no such consumer, or no longer.
    #[error("the consumer is not there")]
    NoConsumer,
    /// The connection ended.
    #[error("the pull ended")]
    Ended,
}

/// One batch: messages, and the permits they are under way with.
pub(crate) struct Batch {
    pub(crate) messages: Vec<jetstream::Message>,
    pub(crate) permits: Option<OwnedSemaphorePermit>,
}

/// Takes messages until `stop` turns true: each batch is prepared, and what came of it is handed
/// out in the order of the batches. Then waits until every permit is back.
///
/// # Errors
/// The pull cannot go on; what is under way has been waited for all the same.
pub(crate) async fn pull<P, F>(
    source: Source,
    options: &PullOptions,
    pulse: &Pulse,
    stop: watch::Receiver<bool>,
    prepare: impl Fn(Batch) -> F,
    hand_out: impl Fn(P),
) -> Result<(), PullError>
where
    F: Future<Output = P>,
{
    let name = source.consumer.cached_info().name.clone();
    // A batch larger than all permits would wait for ever.
    let batch = options.batch.min(options.in_flight_max).max(1);
    let requests = Requests::open(source, batch).await?;
    let requests = requests.pausing_with(pulse.paused());
    let permits = Arc::new(Semaphore::new(options.in_flight_max));
    let pulling = pulse.begin();
    tracing::info!(event = "intake.pulling", consumer = name);
    let result = take(requests, &permits, &stop, prepare, hand_out).await;
    drop(pulling);
    // Every permit back means: every message taken is committed and its ack is queued. What the
    // pull had fetched beyond that is redelivered.
    let all = u32::try_from(options.in_flight_max).unwrap_or(u32::MAX);
    let _ = permits.acquire_many(all).await;
    result
}

async fn take<P, F>(
    requests: Requests,
    permits: &Arc<Semaphore>,
    stop: &watch::Receiver<bool>,
    prepare: impl Fn(Batch) -> F,
    hand_out: impl Fn(P),
) -> Result<(), PullError>
where
    F: Future<Output = P>,
{
    let batches = requests
        .batches(stop.clone())
        .then(|(messages, broken)| permitted(Arc::clone(permits), messages, broken))
        .map(|(batch, broken)| {
            let prepared = prepare(batch);
            async move { (prepared.await, broken) }
        })
        .buffered(OVERLAP);
    let mut batches = std::pin::pin!(batches);
    while let Some((prepared, broken)) = batches.next().await {
        hand_out(prepared);
        if let Some(broken) = broken {
            return Err(broken);
        }
    }
    if *stop.borrow() {
        Ok(())
    } else {
        Err(PullError::Ended)
    }
}

/// Waits until as many messages may be under way; says also what broke the pull, if it broke.
async fn permitted(
    permits: Arc<Semaphore>,
    messages: Vec<jetstream::Message>,
    broken: Option<PullError>,
) -> (Batch, Option<PullError>) {
    let count = u32::try_from(messages.len()).unwrap_or(u32::MAX);
    let permits = permits.acquire_many_owned(count).await.ok();
    (Batch { messages, permits }, broken)
}
