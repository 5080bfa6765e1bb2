//! The pull requests of an intake: each asks for one message.
//!
//! Services reach the streams across accounts of NATS, and a server ends what it hands out across
//! accounts with the first message that has neither payload nor headers. A request for many would
//! lose the rest of them until `ack_wait` is over, so anybody who publishes empty messages could
//! hold up everybody's. A request for one loses nothing.
//!
//! As many are open as the last message says are waiting, for a server looks through all open
//! requests whenever a message arrives. Messages that come one by one would make small batches, each
//! with statements and a commit of its own: so while a whole batch waits, one is filled before it is
//! handed on.

use std::{collections::VecDeque, time::Duration};

use async_nats::{
    StatusCode, Subscriber,
    jetstream::{self, consumer::pull::BatchConfig},
};
use futures::{FutureExt as _, Stream, StreamExt as _, stream};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{PullError, Source};

/// How long one request stays open on the server.
pub const EXPIRES: Duration = Duration::from_secs(2);
/// How much later its end may be heard of.
const GRACE: Duration = Duration::from_secs(2);
/// How long the first answer may take.
const OPEN: Duration = Duration::from_secs(5);
/// How many requests are open while nothing waits.
const IDLE: usize = 8;
/// How long a batch is filled while a whole one waits.
const FILLED: Duration = Duration::from_millis(20);
/// The pause after the server refused a request.
const PAUSE: Duration = Duration::from_millis(100);

/// The open requests.
pub struct Requests {
    source: Source,
    /// Each request is answered on a subject of its own below this one.
    inbox: String,
    /// How many requests were sent.
    sent: u64,
    answers: Subscriber,
    /// Until when each has to be answered.
    open: VecDeque<Instant>,
    /// The most messages of a batch.
    batch: usize,
    /// How many the server takes, as far as it said: fewer where many processes pull.
    taken: usize,
    /// How many messages wait, as the last one said.
    waiting: usize,
    /// No request is sent before.
    again: Instant,
    /// A message that the first request brought.
    first: Option<jetstream::Message>,
    /// While this is true no request is sent.
    paused: Option<watch::Receiver<bool>>,
}

/// The answer of a server to a request.
enum Answer {
    /// A message.
    Message(async_nats::Message),
    /// There was none.
    None,
    /// The request was not taken.
    Refused,
}

impl Requests {
    /// Asks once, to see that the consumer answers. A batch will hold at most `batch` messages.
    ///
    /// # Errors
    /// It does not answer, or is not there.
    pub async fn open(source: Source, batch: usize) -> Result<Self, PullError> {
        let client = source.jetstream.client();
        let inbox = client.new_inbox();
        let answers = client.subscribe(format!("{inbox}.*")).await;
        let mut requests = Self {
            answers: answers.map_err(PullError::Subscribe)?,
            source,
            inbox,
            sent: 0,
            open: VecDeque::new(),
            batch,
            taken: ahead(batch),
            waiting: 0,
            again: Instant::now(),
            first: None,
            paused: None,
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

    /// The same, sending no request while `paused` is true; those that are open are waited for.
    #[must_use]
    pub fn pausing_with(mut self, paused: watch::Receiver<bool>) -> Self {
        self.paused = Some(paused);
        self
    }

    /// The messages in batches, until `stop` turns true or the pull breaks; a batch may be the last
    /// although it is not empty.
    pub fn batches(
        self,
        stop: watch::Receiver<bool>,
    ) -> impl Stream<Item = (Vec<jetstream::Message>, Option<PullError>)> {
        stream::unfold(Some((self, stop)), |pulling| async {
            let (mut requests, mut stop) = pulling?;
            let mut messages = Vec::new();
            let stopped = async { stop.wait_for(|stop| *stop).await.map(drop) };
            let filled = tokio::select! {
                filled = requests.fill(&mut messages) => filled.map(|()| true),
                _ = stopped => Ok(false),
            };
            match filled {
                Ok(true) => Some(((messages, None), Some((requests, stop)))),
                Ok(false) if messages.is_empty() => None,
                Ok(false) => Some(((messages, None), None)),
                Err(broken) => Some(((messages, Some(broken)), None)),
            }
        })
    }

    /// The next batch: what is there, and while a whole one waits, what comes until it is full.
    /// Whoever stops waiting for it keeps what it has so far.
    async fn fill(&mut self, messages: &mut Vec<jetstream::Message>) -> Result<(), PullError> {
        messages.push(self.message().await?);
        let mut full = std::pin::pin!(sleep(FILLED));
        while messages.len() < self.batch {
            let next = if self.waiting < self.batch {
                self.message().now_or_never()
            } else {
                tokio::select! {
                    biased;
                    next = self.message() => Some(next),
                    () = &mut full => None,
                }
            };
            match next {
                Some(next) => messages.push(next?),
                None => break,
            }
        }
        Ok(())
    }

    /// The next message.
    async fn message(&mut self) -> Result<jetstream::Message, PullError> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        loop {
            if self.open.is_empty()
                && let Some(paused) = &mut self.paused
            {
                // Whoever is gone pauses nothing.
                let _ = paused.wait_for(|paused| !*paused).await;
            }
            self.ask_for_more().await?;
            let until = self.open.front().copied().unwrap_or(self.again);
            match timeout_at(until, self.answer()).await {
                Ok(answer) => match answer? {
                    Answer::Message(message) => return Ok(self.delivered(message)),
                    Answer::None => self.waiting = 0,
                    Answer::Refused => self.hold_back(),
                },
                Err(_) if self.open.is_empty() => {}
                Err(_) => return Err(PullError::Silent),
            }
        }
    }

    /// As many requests as are to be open, unless half of them still are.
    async fn ask_for_more(&mut self) -> Result<(), PullError> {
        let paused = self.paused.as_ref().is_some_and(|paused| *paused.borrow());
        if paused || self.open.len() * 2 >= self.wanted() || Instant::now() < self.again {
            return Ok(());
        }
        while self.open.len() < self.wanted() {
            let patient = BatchConfig {
                batch: 1,
                expires: Some(EXPIRES),
                ..BatchConfig::default()
            };
            self.ask(patient).await?;
        }
        Ok(())
    }

    fn wanted(&self) -> usize {
        self.waiting.saturating_add(IDLE).min(self.taken)
    }

    /// The server has too many requests: half as many for now. What was sent together is refused
    /// together, and counts once.
    fn hold_back(&mut self) {
        let now = Instant::now();
        if now >= self.again {
            self.taken = (self.taken / 2).max(1);
            self.again = now + PAUSE;
        }
    }

    /// Sends one request.
    async fn ask(&mut self, request: BatchConfig) -> Result<(), PullError> {
        let inbox = format!("{}.{}", self.inbox, self.sent).into();
        self.sent += 1;
        let asking = self.source.consumer.request_batch(request, inbox);
        // The queue of a connection to a server that vanished is full.
        let asked = timeout(OPEN, asking).await.map_err(|_| PullError::Silent)?;
        asked.map_err(PullError::Request)?;
        self.open.push_back(Instant::now() + EXPIRES + GRACE);
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
            context: self.source.jetstream.clone(),
        };
        if let Ok(info) = message.info() {
            self.waiting = usize::try_from(info.pending).unwrap_or(usize::MAX);
        }
        self.taken = (self.taken + 1).min(ahead(self.batch));
        message
    }
}

/// How many requests may be open: for the batch that is being filled, and the next.
const fn ahead(batch: usize) -> usize {
    batch.saturating_mul(2)
}
