//! Publishes batches to one subject and waits until `JetStream` has acknowledged every message.
//!
//! All acknowledgements of a publisher come to one inbox of its own and are ticked off a list,
//! which costs a fraction of a future per message. Whenever anything went wrong the inbox is
//! given up for a new one, so that a late answer to an earlier try cannot count for a later one.

use std::{future::Future, time::Duration};

use async_nats::{Client, StatusCode, Subject, Subscriber, connection::State};
use futures::StreamExt;
use serde::Deserialize;
use tokio::{sync::Mutex, time::timeout};

use super::Announcement;

/// How many messages may be on their way at once: enough to keep the server busy, few enough to
/// stay below the client's and the server's buffers.
const WINDOW: usize = 2_000;
/// How long nothing may be heard while something is on its way.
const PATIENCE: Duration = Duration::from_secs(5);

/// Not every message of a batch is known to be stored. Publishing all of them again is safe:
/// their ids are the same.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// There is no connection; nothing was tried.
    #[error("not connected to nats")]
    Disconnected,
    /// The inbox for acknowledgements could not be opened.
    #[error("opening an inbox for acknowledgements of {subject}")]
    Inbox {
        /// The subject of the messages.
        subject: Subject,
        /// What async-nats said.
        source: async_nats::SubscribeError,
    },
    /// A message could not be handed to the connection.
    #[error("publishing on {subject}")]
    Send {
        /// The subject of the messages.
        subject: Subject,
        /// What async-nats said.
        source: async_nats::PublishError,
    },
    /// Nothing was heard for too long.
    #[error("{waiting} messages on {subject} are not acknowledged")]
    Silence {
        /// The subject of the messages.
        subject: Subject,
        /// How many messages wait for their acknowledgement.
        waiting: usize,
    },
    /// No stream listens, or it has no leader at the moment.
    #[error("no stream takes {subject} (`tollbook provision` makes it)")]
    NoStream {
        /// The subject of the messages.
        subject: Subject,
    },
    /// The stream refused a message, for instance because it is full.
    #[error("the stream of {subject} refused a message: {description} ({code})")]
    Refused {
        /// The subject of the messages.
        subject: Subject,
        /// `JetStream`'s error code.
        code: u64,
        /// Its words.
        description: String,
    },
    /// What came was not an acknowledgement.
    #[error("an acknowledgement on {subject} cannot be read")]
    Unreadable {
        /// The subject of the messages.
        subject: Subject,
    },
}

/// The way to one subject.
pub struct Outbox {
    client: Client,
    subject: Subject,
    inbox: Mutex<Option<Inbox>>,
}

impl Outbox {
    /// A way to `subject`. Nothing is sent before something is published.
    #[must_use]
    pub fn new(client: Client, subject: &'static str) -> Self {
        Self {
            client,
            subject: Subject::from_static(subject),
            inbox: Mutex::new(None),
        }
    }

    /// Says whether there is a connection at the moment.
    ///
    /// # Errors
    /// There is none.
    pub fn ready(&self) -> Result<(), PublishError> {
        match self.client.connection_state() {
            State::Connected => Ok(()),
            State::Pending | State::Disconnected => Err(PublishError::Disconnected),
        }
    }

    /// Publishes all of them, in order, and returns when all are acknowledged.
    ///
    /// # Errors
    /// Some may not be stored.
    pub async fn publish_all(&self, announcements: Vec<Announcement>) -> Result<(), PublishError> {
        if announcements.is_empty() {
            return Ok(());
        }
        let mut slot = self.inbox.lock().await;
        // Taken out: it goes back only if every answer came.
        let mut inbox = match slot.take() {
            Some(inbox) => inbox,
            None => Inbox::open(&self.client, &self.subject).await?,
        };
        inbox
            .publish_all(&self.client, &self.subject, announcements)
            .await?;
        *slot = Some(inbox);
        Ok(())
    }
}

/// Where acknowledgements come in: `<name>.<number of the message>`.
struct Inbox {
    name: String,
    acknowledgements: Subscriber,
    next: usize,
}

impl Inbox {
    async fn open(client: &Client, subject: &Subject) -> Result<Self, PublishError> {
        let name = client.new_inbox();
        let subscribing = client.subscribe(format!("{name}.*"));
        let opened = patiently(subscribing, subject, 0).await?;
        let failed = |source| PublishError::Inbox {
            subject: subject.clone(),
            source,
        };
        Ok(Self {
            name,
            acknowledgements: opened.map_err(failed)?,
            next: 0,
        })
    }

    async fn publish_all(
        &mut self,
        client: &Client,
        subject: &Subject,
        announcements: Vec<Announcement>,
    ) -> Result<(), PublishError> {
        let mut list = Checklist::new(self.next, announcements.len());
        self.next += announcements.len();
        for announcement in announcements {
            while list.waiting >= WINDOW {
                self.hear(subject, &mut list).await?;
            }
            let reply = format!("{}.{}", self.name, list.send());
            let Announcement { headers, payload } = announcement;
            let sending =
                client.publish_with_reply_and_headers(subject.clone(), reply, headers, payload);
            let failed = |source| PublishError::Send {
                subject: subject.clone(),
                source,
            };
            patiently(sending, subject, list.waiting)
                .await?
                .map_err(failed)?;
        }
        while list.waiting > 0 {
            self.hear(subject, &mut list).await?;
        }
        Ok(())
    }

    /// Waits for one acknowledgement and ticks it off.
    async fn hear(&mut self, subject: &Subject, list: &mut Checklist) -> Result<(), PublishError> {
        let heard = patiently(self.acknowledgements.next(), subject, list.waiting).await?;
        let message = heard.ok_or(PublishError::Disconnected)?;
        if message.status == Some(StatusCode::NO_RESPONDERS) {
            return Err(PublishError::NoStream {
                subject: subject.clone(),
            });
        }
        let unreadable = || PublishError::Unreadable {
            subject: subject.clone(),
        };
        let answer: Answer = serde_json::from_slice(&message.payload).map_err(|_| unreadable())?;
        if let Some(Refusal { code, description }) = answer.error {
            return Err(PublishError::Refused {
                subject: subject.clone(),
                code,
                description,
            });
        }
        let number = message
            .subject
            .rsplit('.')
            .next()
            .and_then(|number| number.parse().ok());
        list.tick(number.ok_or_else(unreadable)?);
        Ok(())
    }
}

async fn patiently<T>(
    work: impl Future<Output = T> + Send,
    subject: &Subject,
    waiting: usize,
) -> Result<T, PublishError> {
    let silence = |_| PublishError::Silence {
        subject: subject.clone(),
        waiting,
    };
    timeout(PATIENCE, work).await.map_err(silence)
}

#[derive(Deserialize)]
struct Answer {
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "err_code", default)]
    code: u64,
    #[serde(default)]
    description: String,
}

/// Which messages of a batch are acknowledged.
struct Checklist {
    first: usize,
    sent: usize,
    waiting: usize,
    acknowledged: Vec<bool>,
}

impl Checklist {
    fn new(first: usize, length: usize) -> Self {
        Self {
            first,
            sent: 0,
            waiting: 0,
            acknowledged: vec![false; length],
        }
    }

    /// The number of the next message, which is now on its way.
    fn send(&mut self) -> usize {
        let number = self.first + self.sent;
        self.sent += 1;
        self.waiting += 1;
        number
    }

    /// A second acknowledgement of the same message, or one of another batch, changes nothing.
    fn tick(&mut self, number: usize) {
        let index = number
            .checked_sub(self.first)
            .filter(|index| *index < self.sent);
        if let Some(index) = index
            && !self.acknowledged[index]
        {
            self.acknowledged[index] = true;
            self.waiting -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_acknowledgement_of_a_message_of_this_batch_counts() {
        let mut list = Checklist::new(10, 3);
        assert_eq!((list.send(), list.send()), (10, 11));
        for number in [9, 12, 13, 10, 10] {
            list.tick(number);
        }
        assert_eq!(list.waiting, 1);
        list.tick(11);
        assert_eq!(list.waiting, 0);
    }

    #[test]
    fn an_answer_is_an_acknowledgement_or_a_refusal() {
        let read = |text| serde_json::from_str::<Answer>(text).expect("readable");
        let stored = read(r#"{"stream":"BILLING_EVENTS","seq":7,"duplicate":true}"#);
        assert!(stored.error.is_none());
        let text = r#"{"error":{"code":503,"err_code":10077,"description":"full"},"stream":"B"}"#;
        let refused = read(text).error.expect("refused");
        assert_eq!(
            (refused.code, refused.description.as_str()),
            (10_077, "full")
        );
        assert!(serde_json::from_str::<Answer>("+OK").is_err());
    }
}
