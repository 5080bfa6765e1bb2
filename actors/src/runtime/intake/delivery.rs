//! A message as it was delivered, and how it is answered: done, come again later, or never again.

use std::{fmt::Display, time::Duration};

use async_nats::jetstream::{self, AckKind};
use eventstore::clock;
use schema::{Timestamp, published::ANNOUNCED_AGAIN};
use tokio::time::timeout;

/// The first delay before a message that could not be dealt with comes again.
const RETRY_FIRST: Duration = Duration::from_millis(200);
/// The longest.
const RETRY_MAX: Duration = Duration::from_secs(30);
/// How long an answer may wait to be queued.
const QUEUED: Duration = Duration::from_secs(5);
/// The longest `traceparent` kept.
const TRACEPARENT_MAX: usize = 64;

/// A message that `JetStream` delivered. Whoever drops it unanswered gets it again.
pub(crate) struct Delivery {
    message: jetstream::Message,
    /// When it arrived in its stream.
    pub(crate) arrived: Timestamp,
    /// How often it was delivered, this time included.
    pub(crate) deliveries: i64,
    /// Its sequence number in its stream.
    pub(crate) sequence: u64,
}

impl Delivery {
    /// The delivery of `message`; nothing if `JetStream` did not deliver it, for then nothing can
    /// be acknowledged.
    pub(crate) fn of(message: jetstream::Message) -> Option<Self> {
        let info = message.info().ok()?;
        let arrived = Timestamp::from_datetime(info.published);
        let (deliveries, sequence) = (info.delivered, info.stream_sequence);
        Some(Self {
            message,
            arrived,
            deliveries,
            sequence,
        })
    }

    /// The body of the message, as it was sent.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.message.payload
    }

    /// The `traceparent` it came with.
    pub(crate) fn trace(&self) -> Option<String> {
        let value = self.message.headers.as_ref()?.get("traceparent")?.as_str();
        let plain = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
        (value.len() <= TRACEPARENT_MAX && value.bytes().all(plain)).then(|| value.to_owned())
    }

    /// Whether its sender says it again because the first time was lost.
    pub(crate) fn is_again(&self) -> bool {
        let headers = self.message.headers.as_ref();
        headers.is_some_and(|headers| headers.get(ANNOUNCED_AGAIN).is_some())
    }

    /// Acknowledges it: its facts are committed, or it has none.
    pub(crate) async fn done(&self) {
        self.answer(AckKind::Ack).await;
    }

    /// It comes again, later with each delivery.
    pub(crate) async fn again(&self) {
        self.later(retry_delay(self.deliveries)).await;
    }

    /// It comes again after `delay`.
    pub(crate) async fn later(&self, delay: Duration) {
        self.answer(AckKind::Nak(Some(delay))).await;
    }

    /// It never comes again; the reason is for whoever reads the server's advisories.
    pub(crate) async fn terminate(&self, reason: &'static str) {
        let Some(reply) = self.message.reply.clone() else {
            return;
        };
        let payload = format!("+TERM {reason}").into();
        let client = self.message.context.client();
        queued(client.publish(reply, payload)).await;
    }

    /// Queues the answer; that it arrives nobody promises. A lost one means a redelivery.
    async fn answer(&self, kind: AckKind) {
        queued(self.message.ack_with(kind)).await;
    }
}

/// Waits until an answer is queued, but not for ever: the queue of a connection to a server that
/// vanished is full, and whoever waits for it holds a permit.
async fn queued<E: Display>(answering: impl Future<Output = Result<(), E>>) {
    match timeout(QUEUED, answering).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(event = "intake.ack_error", error = %error),
        Err(_) => tracing::warn!(event = "intake.ack_error", error = "the queue is full"),
    }
}

/// How long ago that was; nothing if it is to come.
pub(crate) fn age(at: Timestamp) -> Duration {
    Duration::try_from(clock::now().datetime() - at.datetime()).unwrap_or_default()
}

/// The trace, if the sender keeps it.
pub(crate) fn sampled(trace: Option<&str>) -> Option<&str> {
    trace.filter(|trace| trace.ends_with("-01"))
}

/// Twice as long with each delivery, up to [`RETRY_MAX`].
fn retry_delay(deliveries: i64) -> Duration {
    let doublings = u32::try_from(deliveries.clamp(1, 16) - 1).unwrap_or_default();
    (RETRY_FIRST * 2_u32.pow(doublings)).min(RETRY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_again_later_each_time_but_not_too_late() {
        let delays: Vec<_> = [0, 1, 2, 3, 9, 1_000]
            .into_iter()
            .map(retry_delay)
            .collect();
        assert_eq!(delays[..4], [200, 200, 400, 800].map(Duration::from_millis));
        assert_eq!(delays[4..], [RETRY_MAX, RETRY_MAX]);
    }

    #[test]
    fn only_a_sampled_trace_is_followed() {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
        let (kept, left) = (format!("{trace}-01"), format!("{trace}-00"));
        assert_eq!(sampled(Some(&kept)), Some(kept.as_str()));
        assert_eq!(sampled(Some(&left)), None);
    }
}
