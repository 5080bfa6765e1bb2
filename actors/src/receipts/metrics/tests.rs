//! The names Prometheus sees, and that nobody can make them countless.

use prometheus_client::encoding::text::encode;
use schema::OperatorId;
use uuid::Uuid;

use super::*;

fn text(metrics: &DlrMetrics) -> String {
    let mut registry = Registry::default();
    metrics.register(&mut registry);
    let mut text = String::new();
    encode(&mut text, &registry).expect("encodes");
    text
}

#[test]
fn the_names_are_the_contracts() {
    let metrics = DlrMetrics::default();
    let operator = metrics.operator(OperatorId(Uuid::from_u128(7)));
    operator.received();
    operator.duplicate();
    operator.orphaned();
    operator.processed(Status::Delivered, 3);
    metrics.validation_error("not_json");
    metrics.db_error("append");
    metrics.processing_took(Status::Delivered, Duration::from_millis(4));
    let text = text(&metrics);
    let id = "operator_id=\"00000000-0000-0000-0000-000000000007\"";
    for line in [
        format!("dlr_messages_received_total{{{id}}} 1"),
        format!("dlr_messages_processed_total{{dlr_status=\"DELIVERED\",{id}}} 3"),
        format!("dlr_duplicates_total{{{id}}} 1"),
        format!("dlr_orphans_total{{{id}}} 1"),
        "dlr_validation_errors_total{reason=\"not_json\"} 1".into(),
        "dlr_db_errors_total{operation=\"append\"} 1".into(),
        "dlr_processing_duration_seconds_count{dlr_status=\"DELIVERED\"} 1".into(),
        "dlr_implausible_time_total 0".into(),
        "dlr_nats_consumer_status 0".into(),
        "dlr_nats_ack_pending 0".into(),
        "dlr_orphan_rate 0.25".into(),
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is missing in\n{text}"
        );
    }
}

#[test]
fn a_flood_of_operators_shares_one_label() {
    let metrics = DlrMetrics::default();
    for id in 0..3_000 {
        metrics.operator(OperatorId(Uuid::from_u128(id))).received();
    }
    metrics.operator(OperatorId(Uuid::from_u128(5))).received();
    let text = text(&metrics);
    let series: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("dlr_messages_received_total{"))
        .collect();
    assert_eq!(series.len(), OPERATORS_MAX + 1);
    assert!(series.contains(&"dlr_messages_received_total{operator_id=\"other\"} 2000"));
}
