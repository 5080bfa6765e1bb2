//! The streams of CONTRACTS 2 as data, and how consumers read them.

use std::time::Duration;

use async_nats::jetstream::{
    consumer::{AckPolicy, DeliverPolicy, ReplayPolicy, pull},
    stream::{Config, DiscardPolicy, RetentionPolicy, StorageType},
};
use schema::{Timestamp, published};

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
}

/// Receipts, as connectors publish them.
pub const SMS_DLR: StreamPlan = StreamPlan {
    name: "SMS_DLR",
    subject: "sms.dlr.inbound",
    max_age: HOUR.saturating_mul(72),
    duplicate_window: MINUTE.saturating_mul(2),
};

/// Settled messages, to be charged.
pub const BILLING_EVENTS: StreamPlan = StreamPlan {
    name: "BILLING_EVENTS",
    subject: published::BILLING_EVENTS,
    max_age: DAY.saturating_mul(7),
    duplicate_window: MINUTE.saturating_mul(10),
};

/// Changes of a message's status, for customers' webhooks.
pub const WEBHOOK_DISPATCH: StreamPlan = StreamPlan {
    name: "WEBHOOK_DISPATCH",
    subject: published::WEBHOOK_DISPATCH,
    max_age: HOUR.saturating_mul(72),
    duplicate_window: MINUTE.saturating_mul(10),
};

/// Receipts that matched no message.
pub const SMS_DLR_UNMATCHED: StreamPlan = StreamPlan {
    name: "SMS_DLR_UNMATCHED",
    subject: published::SMS_DLR_UNMATCHED,
    max_age: DAY.saturating_mul(30),
    duplicate_window: MINUTE.saturating_mul(10),
};

/// Invoices that were made.
pub const BILLING_INVOICES: StreamPlan = StreamPlan {
    name: "BILLING_INVOICES",
    subject: "billing.invoice.generated",
    max_age: DAY.saturating_mul(7),
    duplicate_window: MINUTE.saturating_mul(10),
};

/// Tenants that were erased.
pub const TENANT_EVENTS: StreamPlan = StreamPlan {
    name: "TENANT_EVENTS",
    subject: "tenant.erased",
    max_age: DAY.saturating_mul(30),
    duplicate_window: MINUTE.saturating_mul(10),
};

/// All streams.
pub const STREAMS: [StreamPlan; 6] = [
    SMS_DLR,
    BILLING_EVENTS,
    WEBHOOK_DISPATCH,
    SMS_DLR_UNMATCHED,
    BILLING_INVOICES,
    TENANT_EVENTS,
];

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
