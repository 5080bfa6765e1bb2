//! The streams and consumers of CONTRACTS 2, as data.

use std::time::Duration;

use async_nats::jetstream::{
    consumer::{AckPolicy, DeliverPolicy, ReplayPolicy, pull},
    stream::{Config, DiscardPolicy, RetentionPolicy, StorageType},
};
use schema::Timestamp;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// The largest message a stream takes, in bytes: what we read of one, and headers. `JetStream`
/// counts both.
pub const MESSAGE_MAX: i32 = 64 * 1024 + 4 * 1024;
/// How many requests for messages a consumer keeps. A process opens up to two batches of them.
pub const MAX_WAITING: i64 = 16_384;
/// How long a delivered message may take before it is delivered again.
pub const ACK_WAIT: Duration = Duration::from_secs(30);
/// The consumer that receipts are read with.
pub const DLR_CONSUMER: &str = "dlr-processor";
/// The consumer that receipts are read with again.
pub const DLR_REPLAY: &str = "dlr-replay";
/// The stream of settled messages.
pub const BILLING_STREAM: &str = "BILLING_EVENTS";
/// The consumer that settled messages are read with.
pub const BILLING_CONSUMER: &str = "billing-consumer";

/// The consumer that settled messages are read with again.
pub const BILLING_REPLAY: &str = "billing-replay";

/// How long a consumer that reads again stays when nobody reads with it.
const REPLAY_STAYS: Duration = Duration::from_mins(1);

/// A stream as it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamPlan {
    /// Its name.
    pub name: &'static str,
    /// Its one subject.
    pub subject: &'static str,
    /// How long messages are kept.
    pub max_age: Duration,
    /// How long a message id is remembered.
    pub duplicate_window: Duration,
    /// Its consumers that are ours.
    pub consumers: &'static [&'static str],
}

/// All streams.
pub const STREAMS: [StreamPlan; 6] = [
    StreamPlan {
        name: "SMS_DLR",
        subject: "sms.dlr.inbound",
        max_age: HOUR.saturating_mul(72),
        duplicate_window: MINUTE.saturating_mul(2),
        consumers: &[DLR_CONSUMER],
    },
    StreamPlan {
        name: BILLING_STREAM,
        subject: "billing.events",
        max_age: DAY.saturating_mul(7),
        duplicate_window: MINUTE.saturating_mul(10),
        consumers: &[BILLING_CONSUMER],
    },
    StreamPlan {
        name: "WEBHOOK_DISPATCH",
        subject: "webhook.dispatch",
        max_age: HOUR.saturating_mul(72),
        duplicate_window: MINUTE.saturating_mul(10),
        consumers: &[],
    },
    StreamPlan {
        name: "SMS_DLR_UNMATCHED",
        subject: "sms.dlr.unmatched",
        max_age: DAY.saturating_mul(30),
        duplicate_window: MINUTE.saturating_mul(10),
        consumers: &[],
    },
    StreamPlan {
        name: "BILLING_INVOICES",
        subject: "billing.invoice.generated",
        max_age: DAY.saturating_mul(7),
        duplicate_window: MINUTE.saturating_mul(10),
        consumers: &[],
    },
    StreamPlan {
        name: "TENANT_EVENTS",
        subject: "tenant.erased",
        max_age: DAY.saturating_mul(30),
        duplicate_window: MINUTE.saturating_mul(10),
        consumers: &["billing-tenant-consumer"],
    },
];

/// The plan of the stream with this consumer of ours.
#[must_use]
pub fn planned(consumer: &str) -> StreamPlan {
    let mut plans = STREAMS.into_iter();
    // Unwrap safety: asked only with the names above.
    plans
        .find(|plan| plan.consumers.contains(&consumer))
        .expect("a consumer of ours")
}

impl StreamPlan {
    /// `base` with everything this plan says, and no more than `bytes_max` in it; what the plan
    /// does not say stays.
    #[must_use]
    pub fn over(&self, base: Config, name: &str, replicas: usize, bytes_max: i64) -> Config {
        Config {
            name: name.to_owned(),
            subjects: vec![self.subject.to_owned()],
            retention: RetentionPolicy::Limits,
            storage: StorageType::File,
            discard: DiscardPolicy::New,
            max_age: self.max_age,
            max_message_size: MESSAGE_MAX,
            max_bytes: bytes_max,
            duplicate_window: self.duplicate_window,
            num_replicas: replicas,
            ..base
        }
    }

    /// A consumer that begins with what arrived at `since`, and goes away by itself.
    #[must_use]
    pub fn replay(&self, name: &str, since: Timestamp, max_ack_pending: u32) -> pull::Config {
        pull::Config {
            durable_name: None,
            deliver_policy: DeliverPolicy::ByStartTime {
                start_time: since.datetime(),
            },
            inactive_threshold: REPLAY_STAYS,
            ..self.consumer(name, max_ack_pending)
        }
    }

    /// One of this stream's consumers.
    #[must_use]
    pub fn consumer(&self, name: &str, max_ack_pending: u32) -> pull::Config {
        pull::Config {
            durable_name: Some(name.to_owned()),
            name: Some(name.to_owned()),
            filter_subject: self.subject.to_owned(),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            replay_policy: ReplayPolicy::Instant,
            ack_wait: ACK_WAIT,
            max_deliver: -1,
            max_ack_pending: i64::from(max_ack_pending),
            max_waiting: MAX_WAITING,
            ..pull::Config::default()
        }
    }
}
