//! What the actors count (CONTRACTS 11).
//!
//! Recording costs a few atomic additions: an operator's counters are looked up once per receipt
//! or batch and then used directly. Labels never hold anything but our own words and operator
//! ids, and at most [`OPERATORS_MAX`] of those, so that hostile input cannot fill the memory of
//! this process or of Prometheus. Nothing here may ever hold personal data.

mod orphan_rate;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use schema::{OperatorId, Status};

use self::orphan_rate::{OrphanRate, Recent};

/// The most operators that have a label of their own; the rest share [`OTHER`].
pub const OPERATORS_MAX: usize = 1_000;
/// The label of operators beyond [`OPERATORS_MAX`].
pub const OTHER: &str = "other";
/// From arrival to commit, in seconds: our own limits (30 ms, 100 ms), the platform's (500 ms),
/// and the grace period of receipts that come too early.
const LATENCY_SECONDS: [f64; 15] = [
    0.001, 0.002, 0.005, 0.010, 0.020, 0.030, 0.050, 0.100, 0.200, 0.300, 0.500, 1.0, 2.5, 5.0,
    30.0,
];
/// Events per group commit, up to the appender's own limit.
const BATCH_SIZES: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1_000.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperatorLabel {
    operator_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProcessedLabel {
    dlr_status: &'static str,
    operator_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabel {
    dlr_status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabel {
    operation: &'static str,
}

/// One operator's counters.
#[derive(Debug)]
pub struct OperatorMetrics {
    received: Counter,
    duplicates: Counter,
    orphans: Counter,
    over_quota: Counter,
    beyond_limit: Counter,
    /// In the order of [`Status::ALL`].
    processed: [Counter; Status::ALL.len()],
    recent: Arc<Recent>,
}

impl OperatorMetrics {
    /// A valid receipt was read from the stream.
    pub fn received(&self) {
        self.received.inc();
    }

    /// A receipt was there already and added nothing.
    pub fn duplicate(&self) {
        self.duplicates.inc();
    }

    /// A receipt matched no message within the grace period and is recorded as an orphan.
    pub fn orphaned(&self) {
        self.orphans.inc();
        self.recent.note(1, 1);
    }

    /// A receipt without a message was let go: enough orphans of its operator are kept this hour.
    pub fn over_quota(&self) {
        self.over_quota.inc();
    }

    /// A receipt was let go because its message keeps no more of them.
    pub fn beyond_limit(&self) {
        self.beyond_limit.inc();
    }

    /// `receipts` of `status` matched a message and are recorded.
    pub fn processed(&self, status: Status, receipts: u64) {
        self.processed[index(status)].inc_by(receipts);
        self.recent.note(receipts, 0);
    }
}

/// Everything the actors count. Cheap to share; made once per process.
#[derive(Debug)]
pub struct DlrMetrics {
    received: Family<OperatorLabel, Counter>,
    processed: Family<ProcessedLabel, Counter>,
    duplicates: Family<OperatorLabel, Counter>,
    orphans: Family<OperatorLabel, Counter>,
    over_quota: Family<OperatorLabel, Counter>,
    beyond_limit: Family<OperatorLabel, Counter>,
    validation_errors: Family<ReasonLabel, Counter>,
    db_errors: Family<OperationLabel, Counter>,
    processing_duration: Family<StatusLabel, Histogram, fn() -> Histogram>,
    /// The same histograms by status, without a look-up; in the order of [`Status::ALL`].
    duration_of: [Histogram; Status::ALL.len()],
    operators: RwLock<HashMap<OperatorId, Arc<OperatorMetrics>>>,
    other: Arc<OperatorMetrics>,
    recent: Arc<Recent>,
    /// The stated time of a recorded receipt is more than a day off the one that counts.
    pub implausible_time: Counter,
    /// A receipt did not wait out its grace period because too many others did.
    pub grace_cut_short: Counter,
    /// A receipt of a schema version that is not ours; accepted.
    pub foreign_schema_version: Counter,
    /// Error codes that do not look like one and were left out of their receipts.
    pub error_codes_left_out: Counter,
    /// Orphans recorded with their message without what they said of people, whose key is gone.
    pub orphans_without_data: Counter,
    /// Events per transaction of the appender.
    pub append_batch_events: Histogram,
    /// 1 while the consumer exists and can be reached, else 0.
    pub nats_consumer_status: Gauge,
    /// Messages delivered to any process and not yet acknowledged, as the server counts them.
    pub nats_ack_pending: Gauge,
    /// Messages waiting in the stream for delivery, as the server counts them.
    pub nats_pending: Gauge,
}

impl Default for DlrMetrics {
    fn default() -> Self {
        let (received, processed) = (Family::default(), Family::default());
        let (duplicates, orphans) = (Family::default(), Family::default());
        let (over_quota, beyond_limit) = (Family::default(), Family::default());
        let recent = Arc::new(Recent::default());
        let families = Families {
            received: &received,
            processed: &processed,
            duplicates: &duplicates,
            orphans: &orphans,
            over_quota: &over_quota,
            beyond_limit: &beyond_limit,
        };
        let other = Arc::new(families.operator(OTHER, &recent));
        let processing_duration: Family<StatusLabel, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(LATENCY_SECONDS));
        let duration_of = Status::ALL.map(|status| {
            processing_duration.get_or_create_owned(&StatusLabel {
                dlr_status: status.as_str(),
            })
        });
        Self {
            received,
            processed,
            duplicates,
            orphans,
            over_quota,
            beyond_limit,
            validation_errors: Family::default(),
            db_errors: Family::default(),
            processing_duration,
            duration_of,
            operators: RwLock::default(),
            other,
            recent,
            implausible_time: Counter::default(),
            grace_cut_short: Counter::default(),
            foreign_schema_version: Counter::default(),
            error_codes_left_out: Counter::default(),
            orphans_without_data: Counter::default(),
            append_batch_events: Histogram::new(BATCH_SIZES),
            nats_consumer_status: Gauge::default(),
            nats_ack_pending: Gauge::default(),
            nats_pending: Gauge::default(),
        }
    }
}

impl DlrMetrics {
    /// The counters of an operator. Keep the answer for as long as the batch lasts.
    #[must_use]
    pub fn operator(&self, id: OperatorId) -> Arc<OperatorMetrics> {
        let operators = self
            .operators
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = operators.get(&id) {
            return Arc::clone(known);
        }
        let full = operators.len() >= OPERATORS_MAX;
        drop(operators);
        if full {
            Arc::clone(&self.other)
        } else {
            self.admit(id)
        }
    }

    /// A message was refused by validation and terminated. `reason` is one of our own words.
    pub fn validation_error(&self, reason: &'static str) {
        self.validation_errors
            .get_or_create(&ReasonLabel { reason })
            .inc();
    }

    /// An attempt at the database failed; `operation` is the name of the transaction.
    pub fn db_error(&self, operation: &'static str) {
        self.db_errors
            .get_or_create(&OperationLabel { operation })
            .inc();
    }

    /// The time a receipt of `status` took from arrival to commit.
    pub fn processing_took(&self, status: Status, time: Duration) {
        self.duration_of[index(status)].observe(time.as_secs_f64());
    }

    /// Names everything in the registry. Counters get `_total` when they are written.
    pub fn register(&self, registry: &mut Registry) {
        let r = registry;
        r.register(
            "dlr_messages_received",
            "valid receipts read",
            self.received.clone(),
        );
        r.register(
            "dlr_messages_processed",
            "receipts recorded",
            self.processed.clone(),
        );
        r.register(
            "dlr_duplicates",
            "receipts that added nothing",
            self.duplicates.clone(),
        );
        r.register(
            "dlr_orphans",
            "receipts that matched no message",
            self.orphans.clone(),
        );
        r.register(
            "dlr_validation_errors",
            "messages refused",
            self.validation_errors.clone(),
        );
        r.register(
            "dlr_db_errors",
            "failed database attempts",
            self.db_errors.clone(),
        );
        r.register(
            "dlr_processing_duration_seconds",
            "from arrival to commit",
            self.processing_duration.clone(),
        );
        r.register(
            "dlr_implausible_time",
            "stated times more than a day off",
            self.implausible_time.clone(),
        );
        self.register_bounds(r);
        r.register(
            "dlr_foreign_schema_version",
            "receipts of another schema version, accepted",
            self.foreign_schema_version.clone(),
        );
        r.register(
            "dlr_error_codes_left_out",
            "error codes that do not look like one, left out of their receipts",
            self.error_codes_left_out.clone(),
        );
        r.register(
            "dlr_orphans_without_data",
            "orphans recorded with their message without what they said of people",
            self.orphans_without_data.clone(),
        );
        r.register(
            "dlr_append_batch_events",
            "events per transaction of the appender",
            self.append_batch_events.clone(),
        );
        self.register_nats(r);
        r.register_collector(Box::new(OrphanRate(Arc::clone(&self.recent))));
    }

    fn register_bounds(&self, r: &mut Registry) {
        r.register(
            "dlr_receipts_beyond_limit",
            "receipts let go: their message keeps no more",
            self.beyond_limit.clone(),
        );
        r.register(
            "dlr_orphans_over_quota",
            "receipts without a message let go: their operator has enough orphans this hour",
            self.over_quota.clone(),
        );
        r.register(
            "dlr_grace_cut_short",
            "receipts that did not wait because too many others did",
            self.grace_cut_short.clone(),
        );
    }

    fn register_nats(&self, r: &mut Registry) {
        r.register(
            "dlr_nats_consumer_status",
            "1 while the consumer exists and can be reached",
            self.nats_consumer_status.clone(),
        );
        r.register(
            "dlr_nats_ack_pending",
            "delivered and not yet acknowledged",
            self.nats_ack_pending.clone(),
        );
        r.register(
            "dlr_nats_pending",
            "waiting for delivery",
            self.nats_pending.clone(),
        );
    }

    fn admit(&self, id: OperatorId) -> Arc<OperatorMetrics> {
        let mut operators = self
            .operators
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if operators.len() >= OPERATORS_MAX {
            return operators
                .get(&id)
                .map_or_else(|| Arc::clone(&self.other), Arc::clone);
        }
        let families = Families {
            received: &self.received,
            processed: &self.processed,
            duplicates: &self.duplicates,
            orphans: &self.orphans,
            over_quota: &self.over_quota,
            beyond_limit: &self.beyond_limit,
        };
        let new = || Arc::new(families.operator(&id.to_string(), &self.recent));
        Arc::clone(operators.entry(id).or_insert_with(new))
    }
}

fn index(status: Status) -> usize {
    status as usize
}

/// The families with an operator in their labels.
struct Families<'a> {
    received: &'a Family<OperatorLabel, Counter>,
    processed: &'a Family<ProcessedLabel, Counter>,
    duplicates: &'a Family<OperatorLabel, Counter>,
    orphans: &'a Family<OperatorLabel, Counter>,
    over_quota: &'a Family<OperatorLabel, Counter>,
    beyond_limit: &'a Family<OperatorLabel, Counter>,
}

impl Families<'_> {
    fn operator(&self, name: &str, recent: &Arc<Recent>) -> OperatorMetrics {
        let label = OperatorLabel {
            operator_id: name.to_owned(),
        };
        OperatorMetrics {
            received: self.received.get_or_create_owned(&label),
            duplicates: self.duplicates.get_or_create_owned(&label),
            orphans: self.orphans.get_or_create_owned(&label),
            over_quota: self.over_quota.get_or_create_owned(&label),
            beyond_limit: self.beyond_limit.get_or_create_owned(&label),
            processed: Status::ALL.map(|status| {
                self.processed.get_or_create_owned(&ProcessedLabel {
                    dlr_status: status.as_str(),
                    operator_id: name.to_owned(),
                })
            }),
            recent: Arc::clone(recent),
        }
    }
}

#[cfg(test)]
mod tests;
