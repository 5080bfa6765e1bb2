//! Intake: from the consumer `dlr-processor` to verdicts, and back to acknowledgements.
//!
//! Messages are taken as they come; whatever waits becomes one batch, at most `batch` messages.
//! A batch is checked, correlated with one query and handed to the directories; batches overlap
//! but are handed out in order, so that receipts of one message stay in order. A message is
//! acknowledged only after its facts are committed. Backpressure is a permit per message, taken
//! before its batch is looked at and given back after its acknowledgement is queued.

mod acknowledge;
mod batch;

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{
    self,
    consumer::{Consumer, pull},
};
use eventstore::keyring::Keyring;
use futures::StreamExt as _;
use ractor::ActorRef;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

pub(crate) use self::batch::recordable;
use crate::{
    correlate::Correlator,
    decide::{message::MessageDecider, orphan::OrphanDecider},
    directory,
    metrics::DlrMetrics,
};

/// How many batches are being correlated at the same time.
const OVERLAP: usize = 3;
/// How long one pull request stays open on the server.
const PULL_EXPIRES: Duration = Duration::from_secs(5);
/// A stream without a heartbeat for twice this long is given up and opened anew.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// How intake works.
#[derive(Debug, Clone)]
pub struct IntakeOptions {
    /// The most messages of one batch.
    pub batch: usize,
    /// The most messages taken and not yet acknowledged.
    pub in_flight_max: usize,
    /// How long a receipt may wait for its message before it is an orphan.
    pub grace: Duration,
}

/// What intake works with. Cheap to clone.
#[derive(Clone)]
pub struct Intake {
    /// How.
    pub options: IntakeOptions,
    /// Finds messages.
    pub correlator: Correlator,
    /// Gives keys to seal under.
    pub keyring: Arc<dyn Keyring>,
    /// Where receipts of messages go.
    pub messages: ActorRef<directory::Msg<MessageDecider>>,
    /// Where orphans go.
    pub orphans: ActorRef<directory::Msg<OrphanDecider>>,
    /// What is counted.
    pub metrics: Arc<DlrMetrics>,
    /// Hangs a span on the caller's span that a `traceparent` names.
    pub adopt: fn(&tracing::Span, &str),
}

/// Why intake ended although nobody stopped it.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The pull could not be opened.
    #[error("opening a pull on the consumer")]
    Open(#[source] jetstream::consumer::StreamError),
    /// The pull broke, fell silent, or its consumer was deleted.
    #[error("pulling from the consumer")]
    Pull(#[source] pull::MessagesError),
    /// The server ended the pull.
    #[error("the pull ended")]
    Ended,
}

impl Intake {
    /// Takes in messages until `stop` turns true, then waits for what is under way.
    ///
    /// # Errors
    /// The pull cannot go on; what is under way has been waited for all the same.
    pub async fn run(
        self,
        consumer: Consumer<pull::Config>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), IntakeError> {
        let permits = Arc::new(Semaphore::new(self.options.in_flight_max));
        let result = self.take_in(consumer, &permits, &mut stop).await;
        // Every permit back means: every message taken is committed and its ack is queued. What
        // the pull had fetched beyond that is redelivered.
        let all = u32::try_from(self.options.in_flight_max).unwrap_or(u32::MAX);
        let _ = permits.acquire_many(all).await;
        result
    }

    async fn take_in(
        &self,
        consumer: Consumer<pull::Config>,
        permits: &Arc<Semaphore>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), IntakeError> {
        let pull = consumer
            .stream()
            .max_messages_per_batch(self.options.batch)
            .expires(PULL_EXPIRES)
            .heartbeat(HEARTBEAT)
            .messages()
            .await
            .map_err(IntakeError::Open)?;
        let (intake, permits) = (self.clone(), Arc::clone(permits));
        let mut stopped = stop.clone();
        let stopping = async move { stopped.wait_for(|stop| *stop).await.map(drop) };
        let batches = pull
            .take_until(stopping)
            // A batch larger than all permits would wait for ever.
            .ready_chunks(self.options.batch.min(self.options.in_flight_max).max(1))
            .then(move |chunk| with_permits(Arc::clone(&permits), chunk))
            .map(move |(chunk, permit)| intake.clone().prepare(chunk, permit))
            .buffered(OVERLAP);
        let mut batches = std::pin::pin!(batches);
        while let Some(prepared) = batches.next().await {
            if let Some(broken) = self.hand_out(prepared) {
                return Err(IntakeError::Pull(broken));
            }
        }
        if *stop.borrow() {
            Ok(())
        } else {
            Err(IntakeError::Ended)
        }
    }
}

type Pulled = Result<jetstream::Message, pull::MessagesError>;

/// Waits until as many messages may be under way.
async fn with_permits(
    permits: Arc<Semaphore>,
    chunk: Vec<Pulled>,
) -> (Vec<Pulled>, Option<OwnedSemaphorePermit>) {
    let messages = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
    (chunk, permits.acquire_many_owned(messages).await.ok())
}
