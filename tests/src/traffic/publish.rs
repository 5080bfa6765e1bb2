//! Publishes a traffic as a carrier's connector would: pipelined, and every ack awaited.

use std::{collections::VecDeque, time::Duration};

use async_nats::{
    HeaderMap,
    jetstream::{
        Context,
        context::{PublishAckFuture, PublishError as NatsError},
    },
};
use tokio::time::{Instant, sleep_until};

use super::Inbound;

/// The subject receipts come in on.
const SUBJECT: &str = "sms.dlr.inbound";
/// Publishes whose ack is awaited at the same time; below what a context allows by default.
const IN_FLIGHT: usize = 4_096;

/// What was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Messages, all of them acknowledged.
    pub messages: usize,
    /// From the first publish to the last ack.
    pub took: Duration,
    /// With a rate: how late the latest publish was, against its place in the timetable. Much
    /// more than some milliseconds means that the load was not as wished.
    pub latest: Duration,
}

/// A message was not acknowledged; nothing after it is known.
#[derive(Debug, thiserror::Error)]
#[error("publishing message {place} of the traffic")]
pub struct PublishError {
    /// Which one, from 0.
    pub place: usize,
    source: NatsError,
}

/// Publishes `inbound` in order and waits for every ack: as fast as it goes, or open-loop at
/// `rate` per second, so that a slow server does not slow the load down. The context must allow
/// that many awaited acks (async-nats allows 5 000 unless told otherwise).
///
/// # Errors
/// One of them is not acknowledged.
pub async fn publish(
    jetstream: &Context,
    inbound: &[Inbound],
    rate: Option<u64>,
) -> Result<Published, PublishError> {
    publish_on(SUBJECT, jetstream, inbound, rate).await
}

/// The same on another subject.
///
/// # Errors
/// One of them is not acknowledged.
pub async fn publish_on(
    subject: &'static str,
    jetstream: &Context,
    inbound: &[Inbound],
    rate: Option<u64>,
) -> Result<Published, PublishError> {
    let began = Instant::now();
    let mut latest = Duration::ZERO;
    let mut waiting: VecDeque<(usize, PublishAckFuture)> = VecDeque::with_capacity(IN_FLIGHT);
    for (place, message) in inbound.iter().enumerate() {
        if let Some(rate) = rate {
            latest = latest.max(turn(began, place, rate).await);
        }
        if waiting.len() == IN_FLIGHT {
            settle(&mut waiting, IN_FLIGHT / 2).await?;
        }
        let ack = send(subject, jetstream, message)
            .await
            .map_err(|source| PublishError { place, source })?;
        waiting.push_back((place, ack));
    }
    settle(&mut waiting, 0).await?;
    Ok(Published {
        messages: inbound.len(),
        took: began.elapsed(),
        latest,
    })
}

async fn send(
    subject: &'static str,
    jetstream: &Context,
    message: &Inbound,
) -> Result<PublishAckFuture, NatsError> {
    let payload = message.payload.clone();
    match &message.traceparent {
        None => jetstream.publish(subject, payload).await,
        Some(traceparent) => {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", traceparent.as_str());
            jetstream
                .publish_with_headers(subject, headers, payload)
                .await
        }
    }
}

/// Waits for the oldest acks until no more than `left` are awaited.
async fn settle(
    waiting: &mut VecDeque<(usize, PublishAckFuture)>,
    left: usize,
) -> Result<(), PublishError> {
    while waiting.len() > left {
        let Some((place, ack)) = waiting.pop_front() else {
            break;
        };
        ack.await.map_err(|source| PublishError { place, source })?;
    }
    Ok(())
}

/// Waits until the `place`-th is due; says how late it is.
async fn turn(began: Instant, place: usize, rate: u64) -> Duration {
    let place = u64::try_from(place).unwrap_or(u64::MAX);
    let due = began + Duration::from_nanos(place.saturating_mul(1_000_000_000) / rate.max(1));
    let now = Instant::now();
    if due > now {
        sleep_until(due).await;
    }
    Instant::now().saturating_duration_since(due)
}
