//! Reads what was published, with a consumer of its own that leaves nothing behind.

use std::time::Duration;

use async_nats::jetstream::{
    Context,
    consumer::{AckPolicy, PullConsumer, pull},
};
use futures::StreamExt;

use super::{AuditError, published_checks::Message};

/// Messages asked for at once.
const BATCH: usize = 5_000;

/// Hands over every message that is in `stream` now, in order.
///
/// # Errors
/// The stream is not there, or stops in the middle.
pub(super) async fn read(
    jetstream: &Context,
    stream: &'static str,
    mut see: impl FnMut(Message),
) -> Result<u64, AuditError> {
    let source = jetstream
        .get_stream(stream)
        .await
        .map_err(|error| fault(stream, error))?;
    let last = source.cached_info().state.last_sequence;
    let mut read = 0;
    if source.cached_info().state.messages == 0 {
        return Ok(read);
    }
    let consumer: PullConsumer = source
        .create_consumer(pull::Config {
            ack_policy: AckPolicy::None,
            inactive_threshold: Duration::from_secs(30),
            ..pull::Config::default()
        })
        .await
        .map_err(|error| fault(stream, error))?;
    let mut reached = 0;
    while reached < last {
        let batch = consumer
            .batch()
            .max_messages(BATCH)
            .expires(Duration::from_secs(2))
            .messages()
            .await
            .map_err(|error| fault(stream, error))?;
        let mut batch = std::pin::pin!(batch);
        let before = reached;
        while let Some(message) = batch.next().await {
            let message = message.map_err(|error| AuditError::Stream {
                stream,
                source: error,
            })?;
            let sequence = message
                .info()
                .map_err(|source| AuditError::Stream { stream, source })?;
            reached = sequence.stream_sequence;
            let header = |name: &str| {
                let headers = message.headers.as_ref()?;
                headers.get(name).map(|value| value.as_str().to_owned())
            };
            read += 1;
            see(Message {
                sequence: reached,
                payload: message.payload.to_vec(),
                id: header("Nats-Msg-Id"),
                tenant: header("X-Tenant-Id"),
            });
            if reached >= last {
                break;
            }
        }
        if reached == before {
            return Err(AuditError::Silent {
                stream,
                reached,
                last,
            });
        }
    }
    Ok(read)
}

fn fault(stream: &'static str, error: impl Into<async_nats::Error>) -> AuditError {
    AuditError::Stream {
        stream,
        source: error.into(),
    }
}
