//! The pull requests of an intake: each asks for one message.
//!
//! Services reach the streams across accounts of NATS, and a server ends what it hands out across
//! accounts with the first message that has neither payload nor headers. A request for many would
//! lose the rest of them until `ack_wait` is over, so anybody who publishes empty messages could
//! hold up everybody's. A request for one loses nothing.
//!
//! As many are open as the last message says are waiting, for a server looks through all open
//! requests whenever a message arrives.

use std::{collections::VecDeque, time::Duration};

use async_nats::{
    StatusCode, Subject, Subscriber,
    jetstream::{
        self,
        consumer::{
            Consumer,
            pull::{self, BatchConfig},
        },
    },
};
use futures::{Stream, StreamExt as _, stream};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::PullError;

/// How long one request stays open on the server.
const EXPIRES: Duration = Duration::from_secs(2);
/// How much later its end may be heard of.
const GRACE: Duration = Duration::from_secs(2);
/// How long the first answer may take.
const OPEN: Duration = Duration::from_secs(5);
/// How many requests are open while nothing waits.
const IDLE: usize = 8;
/// The pause after the server refused a request.
const PAUSE: Duration = Duration::from_millis(100);

/// The open requests.
pub(super) struct Requests {
    jetstream: jetstream::Context,
    consumer: Consumer<pull::Config>,
    inbox: Subject,
    answers: Subscriber,
    /// Until when each has to be answered.
    open: VecDeque<Instant>,
    /// How many may be open.
    max: usize,
    /// How many should be.
    wanted: usize,
    /// A message that the first request brought.
    first: Option<jetstream::Message>,
}

/// What a server answered.
enum Answer {
    /// A message.
    Message(async_nats::Message),
    /// There was none.
    None,
    /// The request was not taken.
    Refused,
}

impl Requests {
    /// Asks once, to see that the consumer answers. At most `max` requests will be open.
    pub(super) async fn open(
        jetstream: jetstream::Context,
        consumer: Consumer<pull::Config>,
        max: usize,
    ) -> Result<Self, PullError> {
        let client = jetstream.client();
        let inbox = Subject::from(client.new_inbox());
        let answers = client.subscribe(inbox.clone()).await;
        let mut requests = Self {
            answers: answers.map_err(PullError::Subscribe)?,
            jetstream,
            consumer,
            inbox,
            open: VecDeque::new(),
            max,
            wanted: IDLE.min(max),
            first: None,
        };
        let at_once = BatchConfig {
            batch: 1,
            no_wait: true,
            ..BatchConfig::default()
        };
        requests.ask(at_once).await?;
        match timeout(OPEN, requests.answer()).await {
            Ok(answer) => match answer? {
                Answer::Message(message) => requests.first = Some(requests.delivered(message)),
                Answer::None | Answer::Refused => {}
            },
            Err(_) => return Err(PullError::Silent),
        }
        Ok(requests)
    }

    /// The messages, until the pull breaks.
    pub(super) fn messages(self) -> impl Stream<Item = Result<jetstream::Message, PullError>> {
        stream::unfold(Some(self), |requests| async {
            let mut requests = requests?;
            match requests.message().await {
                Ok(message) => Some((Ok(message), Some(requests))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    /// The next message.
    async fn message(&mut self) -> Result<jetstream::Message, PullError> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        loop {
            while self.open.len() < self.wanted {
                let waiting = BatchConfig {
                    batch: 1,
                    expires: Some(EXPIRES),
                    ..BatchConfig::default()
                };
                self.ask(waiting).await?;
            }
            let oldest = self.open.front().copied();
            let until = oldest.unwrap_or_else(in_time);
            match timeout_at(until, self.answer()).await {
                Ok(answer) => match answer? {
                    Answer::Message(message) => return Ok(self.delivered(message)),
                    Answer::None => self.wanted = IDLE.min(self.max),
                    Answer::Refused => {
                        self.wanted = IDLE.min(self.max);
                        sleep(PAUSE).await;
                    }
                },
                Err(_) => return Err(PullError::Silent),
            }
        }
    }

    /// Sends one request.
    async fn ask(&mut self, request: BatchConfig) -> Result<(), PullError> {
        let asking = self.consumer.request_batch(request, self.inbox.clone());
        // The queue of a connection to a server that vanished is full.
        let asked = timeout(OPEN, asking).await.map_err(|_| PullError::Silent)?;
        asked.map_err(PullError::Request)?;
        self.open.push_back(in_time());
        Ok(())
    }

    /// The next answer to any of them.
    async fn answer(&mut self) -> Result<Answer, PullError> {
        let answer = self.answers.next().await.ok_or(PullError::Ended)?;
        // Each answer ends one request; of which it is the answer does not matter.
        self.open.pop_front();
        Ok(match answer.status {
            None | Some(StatusCode::OK) => Answer::Message(answer),
            Some(StatusCode::TIMEOUT | StatusCode::NOT_FOUND) => Answer::None,
            Some(StatusCode::NO_RESPONDERS) => return Err(PullError::NoConsumer),
            Some(StatusCode::REQUEST_TERMINATED) => {
                let why = answer.description.as_deref().unwrap_or_default();
                if why.eq_ignore_ascii_case("Consumer Deleted") {
                    return Err(PullError::NoConsumer);
                }
                tracing::debug!(event = "intake.request_refused", why);
                Answer::Refused
            }
            Some(_) => Answer::Refused,
        })
    }

    /// The message as `JetStream` delivered it.
    fn delivered(&mut self, message: async_nats::Message) -> jetstream::Message {
        let message = jetstream::Message {
            message,
            context: self.jetstream.clone(),
        };
        if let Ok(info) = message.info() {
            let waiting = usize::try_from(info.pending).unwrap_or(usize::MAX);
            self.wanted = waiting.saturating_add(IDLE).min(self.max);
        }
        message
    }
}

/// Until when a request of now has to be answered.
fn in_time() -> Instant {
    Instant::now() + EXPIRES + GRACE
}
