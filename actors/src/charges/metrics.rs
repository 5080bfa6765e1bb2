//! What the billing actors count (CONTRACTS 11).
//!
//! Labels hold nothing but our own words; nothing here may ever hold personal data.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// From arrival to commit, in seconds: our own limits (30 ms, 300 ms) and the platform's (30 s).
const LATENCY_SECONDS: [f64; 14] = [
    0.001, 0.002, 0.005, 0.010, 0.020, 0.030, 0.050, 0.100, 0.200, 0.300, 0.500, 1.0, 5.0, 30.0,
];
/// To find the versions of one charge, in seconds: our own limit (50 µs) and the platform's (5 ms).
const RESOLVE_SECONDS: [f64; 10] = [
    0.000_000_5,
    0.000_001,
    0.000_002,
    0.000_005,
    0.000_010,
    0.000_025,
    0.000_050,
    0.000_100,
    0.001,
    0.005,
];
/// Events per group commit, up to the appender's own limit.
const BATCH_SIZES: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1_000.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OpLabel {
    op: &'static str,
}

/// Everything the billing actors count. Cheap to share; made once per process.
#[derive(Debug)]
pub struct BillingMetrics {
    ingested: Family<ResultLabel, Counter>,
    validation_errors: Family<ReasonLabel, Counter>,
    pg_errors: Family<OpLabel, Counter>,
    /// Settlements that were charged.
    pub ok: Counter,
    /// Settlements that said nothing new.
    pub duplicate: Counter,
    /// Settlements that contradict the first of their message, once per content.
    pub conflict: Counter,
    /// Settlements whose charge waits to be rated.
    pub held: Counter,
    /// Messages that were refused.
    pub error: Counter,
    /// From arrival in the stream to commit.
    pub ingestion_latency: Histogram,
    /// To find payer, price and cost of one charge in memory.
    pub resolve_latency: Histogram,
    /// Charges that cost more than they earn.
    pub negative_margin: Counter,
    /// Charges whose carrier had no cost when they were recorded.
    pub cost_missing: Counter,
    /// Charges whose cost was in another currency, without an exchange rate, when they were
    /// recorded.
    pub margin_unknown: Counter,
    /// Charges that cost something else since a cost or an exchange rate became known.
    pub reassessed: Counter,
    /// Changes of costs and exchange rates whose charges are not all assessed again.
    pub cost_changes_pending: Gauge,
    /// Settlements of a schema version that is not ours; accepted.
    pub foreign_schema_version: Counter,
    /// Settlements announced again because the first announcement was lost.
    pub announced_again: Counter,
    /// Held charges that were rated later.
    pub held_resolved: Counter,
    /// Charges that wait to be rated, as the table of held charges shows it.
    pub held_charges: Gauge,
    /// Charges that were rated again because a price, a cost or an account moved meanwhile.
    pub rerated: Counter,
    /// Events per transaction of the appender.
    pub append_batch_events: Histogram,
    /// 1 while the consumer exists and can be reached, else 0.
    pub nats_consumer_status: Gauge,
    /// Messages delivered to any process and not yet acknowledged, as the server counts them.
    pub nats_ack_pending: Gauge,
    /// Messages waiting in the stream for delivery, as the server counts them.
    pub nats_consumer_lag: Gauge,
}

impl Default for BillingMetrics {
    fn default() -> Self {
        let ingested: Family<ResultLabel, Counter> = Family::default();
        let result = |result| ingested.get_or_create_owned(&ResultLabel { result });
        Self {
            ok: result("ok"),
            duplicate: result("duplicate"),
            conflict: result("conflict"),
            held: result("held"),
            error: result("error"),
            ingested,
            validation_errors: Family::default(),
            pg_errors: Family::default(),
            ingestion_latency: Histogram::new(LATENCY_SECONDS),
            resolve_latency: Histogram::new(RESOLVE_SECONDS),
            negative_margin: Counter::default(),
            cost_missing: Counter::default(),
            margin_unknown: Counter::default(),
            reassessed: Counter::default(),
            cost_changes_pending: Gauge::default(),
            foreign_schema_version: Counter::default(),
            announced_again: Counter::default(),
            held_resolved: Counter::default(),
            held_charges: Gauge::default(),
            rerated: Counter::default(),
            append_batch_events: Histogram::new(BATCH_SIZES),
            nats_consumer_status: Gauge::default(),
            nats_ack_pending: Gauge::default(),
            nats_consumer_lag: Gauge::default(),
        }
    }
}

impl BillingMetrics {
    /// A message was refused by validation and terminated. `reason` is one of our own words.
    pub fn validation_error(&self, reason: &'static str) {
        self.error.inc();
        let reason = ReasonLabel { reason };
        self.validation_errors.get_or_create(&reason).inc();
    }

    /// An attempt at the database failed; `op` is the name of what was attempted.
    pub fn pg_error(&self, op: &'static str) {
        self.pg_errors.get_or_create(&OpLabel { op }).inc();
    }

    /// The time a settlement took from arrival to commit.
    pub fn ingestion_took(&self, time: Duration) {
        self.ingestion_latency.observe(time.as_secs_f64());
    }

    /// Names everything in the registry. Counters get `_total` when they are written.
    pub fn register(&self, registry: &mut Registry) {
        let r = registry;
        r.register(
            "billing_events_ingested",
            "settlements by what became of them",
            self.ingested.clone(),
        );
        r.register(
            "billing_events_ingestion_latency_seconds",
            "from arrival to commit",
            self.ingestion_latency.clone(),
        );
        r.register(
            "billing_validation_errors",
            "settlements refused",
            self.validation_errors.clone(),
        );
        r.register(
            "billing_foreign_schema_version",
            "settlements of another schema version, accepted",
            self.foreign_schema_version.clone(),
        );
        r.register(
            "billing_announced_again",
            "settlements announced again because the first announcement was lost",
            self.announced_again.clone(),
        );
        r.register(
            "billing_pg_errors",
            "failed attempts at the database",
            self.pg_errors.clone(),
        );
        self.register_rating(r);
        self.register_costs(r);
        self.register_nats(r);
    }

    fn register_rating(&self, r: &mut Registry) {
        r.register(
            "billing_pricing_resolve_latency_seconds",
            "finding payer, price and cost of a charge",
            self.resolve_latency.clone(),
        );
        r.register(
            "billing_held_charges",
            "charges that wait to be rated",
            self.held_charges.clone(),
        );
        r.register(
            "billing_held_resolved",
            "held charges that were rated later",
            self.held_resolved.clone(),
        );
        r.register(
            "billing_rerated",
            "charges rated again because what they rest on moved",
            self.rerated.clone(),
        );
        r.register(
            "billing_append_batch_events",
            "events per transaction of the appender",
            self.append_batch_events.clone(),
        );
    }

    fn register_costs(&self, r: &mut Registry) {
        r.register(
            "billing_negative_margin",
            "charges that cost more than they earn",
            self.negative_margin.clone(),
        );
        r.register(
            "billing_cost_missing",
            "charges whose carrier had no cost",
            self.cost_missing.clone(),
        );
        r.register(
            "billing_margin_unknown",
            "charges whose cost could not be converted",
            self.margin_unknown.clone(),
        );
        r.register(
            "billing_costs_reassessed",
            "charges that cost something else since a cost or a rate became known",
            self.reassessed.clone(),
        );
        r.register(
            "billing_cost_changes_pending",
            "changes of costs and rates whose charges are not all assessed again",
            self.cost_changes_pending.clone(),
        );
    }

    fn register_nats(&self, r: &mut Registry) {
        r.register(
            "billing_nats_consumer_status",
            "1 while the consumer exists and can be reached",
            self.nats_consumer_status.clone(),
        );
        r.register(
            "billing_nats_ack_pending",
            "delivered and not yet acknowledged",
            self.nats_ack_pending.clone(),
        );
        r.register(
            "billing_nats_consumer_lag",
            "waiting for delivery",
            self.nats_consumer_lag.clone(),
        );
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn the_names_are_the_contracts() {
        let metrics = BillingMetrics::default();
        metrics.ok.inc();
        metrics.validation_error("not_json");
        metrics.pg_error("append");
        metrics.ingestion_took(Duration::from_millis(4));
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).expect("encodes");
        for line in [
            "billing_events_ingested_total{result=\"ok\"} 1",
            "billing_events_ingested_total{result=\"duplicate\"} 0",
            "billing_events_ingested_total{result=\"conflict\"} 0",
            "billing_events_ingested_total{result=\"held\"} 0",
            "billing_events_ingested_total{result=\"error\"} 1",
            "billing_validation_errors_total{reason=\"not_json\"} 1",
            "billing_pg_errors_total{op=\"append\"} 1",
            "billing_events_ingestion_latency_seconds_count 1",
            "billing_pricing_resolve_latency_seconds_count 0",
            "billing_negative_margin_total 0",
            "billing_held_charges 0",
            "billing_nats_consumer_lag 0",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is missing in\n{text}"
            );
        }
    }
}
