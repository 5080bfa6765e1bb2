//! How a message is answered: done, come again later, or never again.

use std::time::Duration;

use async_nats::jetstream::{self, AckKind};

/// The first delay before a message that could not be dealt with comes again.
const RETRY_FIRST: Duration = Duration::from_millis(200);
/// The longest.
const RETRY_MAX: Duration = Duration::from_secs(30);

/// Queues the answer; that it arrives nobody promises. A lost one means a redelivery.
pub(super) async fn answer(message: &jetstream::Message, kind: AckKind) {
    if let Err(error) = message.ack_with(kind).await {
        tracing::warn!(event = "dlr.ack_error", error = %error);
    }
}

/// Ends a message for good, with the reason for whoever reads the server's advisories.
pub(super) async fn terminate(message: &jetstream::Message, reason: &'static str) {
    let Some(reply) = message.reply.clone() else {
        return;
    };
    let payload = format!("+TERM {reason}").into();
    if let Err(error) = message.context.client().publish(reply, payload).await {
        tracing::warn!(event = "dlr.ack_error", error = %error);
    }
}

/// Twice as long with each delivery, up to [`RETRY_MAX`].
pub(super) fn retry_delay(deliveries: i64) -> Duration {
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
}
