//! Bad input (CONTRACTS 3): terminated, counted by reason, and nothing else happens.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};
use tests::world::WorldOptions;

use super::fixture::{Desk, Sms, connector_receipt, desk, receipt, settled_as, sms, untouched};
use crate::fixture::{place, run};

/// In every hostile message, so that it is found wherever it must not be.
const MARK: &str = "mark7f3a";

/// Nested `levels` deep, as JSON text.
fn nested(levels: usize) -> String {
    format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels))
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).expect("json")
}

/// Fields that hold something they must not, and the reason to count.
fn fields() -> Vec<(&'static str, &'static str, Value)> {
    let sql = format!("'; DROP TABLE orch.sms_messages; --{MARK}");
    let forged = format!("DELIVRD\n{{\"level\":\"ERROR\",\"event\":\"{MARK}\"}}");
    vec![
        ("bad_uuid", "eventId", json!(MARK)),
        ("bad_uuid", "operatorId", json!(format!("{{{MARK}}}"))),
        ("bad_uuid", "messageId", json!(sql)),
        ("wrong_type", "operatorMessageId", json!([MARK])),
        ("wrong_type", "operatorMessageId", json!(17)),
        ("bad_characters", "operatorMessageId", json!("")),
        (
            "bad_characters",
            "operatorMessageId",
            json!(format!("{MARK}\u{0}")),
        ),
        (
            "bad_characters",
            "operatorMessageId",
            json!(format!("{MARK}\u{7f}")),
        ),
        (
            "bad_characters",
            "operatorMessageId",
            json!(format!("{MARK}\r\nX: y")),
        ),
        (
            "bad_characters",
            "operatorMessageId",
            json!(format!("{MARK}\u{e9}")),
        ),
        ("bad_characters", "operatorMessageId", json!(MARK.repeat(9))),
        ("bad_characters", "stat", json!(sql)),
        ("bad_characters", "stat", json!(forged)),
        ("bad_characters", "stat", json!("")),
        ("bad_characters", "stat", json!(MARK.repeat(5))),
        ("wrong_type", "stat", json!({"$ne": MARK})),
        ("wrong_type", "stat", json!(true)),
        ("bad_length", "errorCode", json!(MARK.repeat(5))),
        ("wrong_type", "errorCode", json!(8)),
        ("bad_length", "sourceAddr", json!(MARK.repeat(5))),
        ("bad_length", "destAddr", json!("+99912345678901".repeat(3))),
        ("bad_time", "deliveredAt", json!("2026-03-01T12:00:00")),
        ("bad_time", "deliveredAt", json!("2026-02-30T12:00:00Z")),
        ("bad_time", "deliveredAt", json!(MARK)),
        ("wrong_type", "deliveredAt", json!(1_767_225_600)),
        ("bad_time", "occurredAt", json!("yesterday")),
        ("wrong_type", "rawPayload", json!(MARK)),
        ("wrong_type", "rawPayload", json!([{"a": MARK}])),
        ("raw_payload_too_deep", "rawPayload", value(&nested(9))),
        (
            "raw_payload_too_large",
            "rawPayload",
            json!({"a": "x".repeat(16 * 1024)}),
        ),
    ]
}

/// Whole messages that are wrong, and the reason to count.
fn wholes(sms: &Sms) -> Vec<(&'static str, Vec<u8>)> {
    let sound = receipt(sms).with("sourceAddr", json!(MARK)).text();
    let open = sound.strip_suffix('}').expect("an object").to_owned();
    let mut oversized = sound.clone();
    oversized.push_str(&" ".repeat(64 * 1024 + 1 - sound.len()));
    let mut cut = sound.clone().into_bytes();
    cut.truncate(sound.len() - 20);
    let mut broken = sound.clone().into_bytes();
    broken[sound.len() - 3] = 0xff;
    vec![
        ("too_large", oversized.into_bytes()),
        ("too_large", vec![b'['; 64 * 1024 + 1]),
        ("not_json", Vec::new()),
        ("not_json", cut),
        ("not_json", format!("{sound}{sound}").into_bytes()),
        ("not_json", format!("\u{feff}{sound}").into_bytes()),
        (
            "not_json",
            format!("{open},\"x\":{}}}", "[".repeat(30_000)).into_bytes(),
        ),
        ("not_json", format!("{open},\"x\":NaN}}").into_bytes()),
        (
            "not_json",
            format!("{open},\"x\":\"{MARK}\u{1}\"}}").into_bytes(),
        ),
        (
            "not_json",
            format!("GET /{MARK} HTTP/1.1\r\n\r\n").into_bytes(),
        ),
        ("not_utf8", broken),
        ("not_utf8", [MARK.as_bytes(), &[0xc0, 0xaf]].concat()),
        (
            "repeated_key",
            format!("{open},\"stat\":\"FAILED\"}}").into_bytes(),
        ),
        (
            "repeated_key",
            format!("{open},\"rawPayload\":{{\"a\":1,\"a\":\"{MARK}\"}}}}").into_bytes(),
        ),
        ("wrong_type", format!("[{sound}]").into_bytes()),
        ("wrong_type", format!("\"{MARK}\"").into_bytes()),
        ("wrong_type", b"null".to_vec()),
    ]
}

/// Everything hostile, about one message that exists.
fn hostile(sms: &Sms) -> Vec<(&'static str, Bytes)> {
    let mut all: Vec<(&str, Bytes)> = fields()
        .into_iter()
        .map(|(reason, field, value)| (reason, receipt(sms).with(field, value).bytes()))
        .collect();
    for field in [
        "eventId",
        "operatorId",
        "operatorMessageId",
        "stat",
        "deliveredAt",
    ] {
        all.push(("missing_field", receipt(sms).without(field).bytes()));
        all.push((
            "missing_field",
            receipt(sms).with(field, Value::Null).bytes(),
        ));
    }
    all.push((
        "missing_field",
        connector_receipt(sms).without("status").bytes(),
    ));
    all.extend(
        wholes(sms)
            .into_iter()
            .map(|(reason, bytes)| (reason, bytes.into())),
    );
    all
}

async fn refused(desk: &Desk, reason: &str) -> i64 {
    let name = format!("dlr_validation_errors_total{{reason=\"{reason}\"}}");
    desk.service.metric(&name).await.unwrap_or_default()
}

/// Sends everything hostile; every message of it is answered once, for its reason.
async fn attack(desk: &Desk, sms: &Sms, times: i64) {
    let before = desk.consumer().await.delivered.consumer_sequence;
    let hostile = hostile(sms);
    let (mut reasons, mut last) = (BTreeMap::<_, i64>::new(), 0);
    let sent = u64::try_from(hostile.len()).expect("few");
    for (reason, bytes) in hostile {
        *reasons.entry(reason).or_default() += 1;
        last = desk.send_bytes(bytes).await;
    }
    assert_eq!(reasons.len(), 12, "every reason there is");
    desk.answered(last).await;
    let consumer = desk.consumer().await;
    assert_eq!(
        consumer.delivered.consumer_sequence - before,
        sent,
        "each delivered once"
    );
    assert_eq!((consumer.num_ack_pending, consumer.num_redelivered), (0, 0));
    for (reason, count) in reasons {
        assert_eq!(refused(desk, reason).await, count * times, "{reason}");
    }
}

#[test]
fn bad_input_is_terminated_counted_by_reason_and_leaves_no_trace_of_its_content() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let mut desk = Desk::in_world(place.world).await;
        let sms = desk.message().await;
        attack(&desk, &sms, 1).await;
        assert_eq!(desk.head().await, 0, "the log has grown");
        assert_eq!(desk.effects(&sms).await, untouched());

        // Without a database nothing can be asked of it, and nothing needs to be.
        desk.world.postgres.stop_immediate().await.expect("stops");
        attack(&desk, &sms, 2).await;
        desk.world.postgres.start_again().await.expect("starts");

        // The consumer moves on: a sound receipt behind all that has its effects.
        desk.database = desk.world.admin().await.expect("postgres");
        desk.receives(&receipt(&sms)).await;
        assert_eq!(desk.effects(&sms).await, settled_as("DELIVRD", "DELIVERED"));
        assert_eq!(desk.head().await, 1);

        let log = desk.service.log();
        let refusals = log.matches("dlr.validation_failed").count();
        assert!(refusals >= 100, "only {refusals} refusals are in the log");
        for secret in [
            MARK,
            "DROP TABLE",
            "HTTP/1.1",
            "99912345678901",
            &sms.to[1..],
            "$ne",
        ] {
            let line = log.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret} is in the log");
        }
        for line in log.lines() {
            let line: Value = serde_json::from_str(line).expect("every line is one JSON object");
            assert!(
                line["event"].is_string() || line["level"].is_string(),
                "{line}"
            );
        }
    });
}

#[test]
fn no_phone_number_or_payload_of_a_sound_receipt_is_in_the_log_the_table_or_the_metrics() {
    run(async {
        let desk = desk().await;
        let mut places = Vec::new();
        let (known, nobody) = (desk.message().await, sms());
        for sms in [&known, &nobody] {
            let private = receipt(sms)
                .with("sourceAddr", json!("+99900000777001"))
                .with(
                    "rawPayload",
                    json!({"text": "private-words-9c1e", "to": sms.to}),
                );
            places.push(desk.send(&private).await);
        }
        desk.done(places[1]).await;
        assert_eq!(
            desk.effects(&known).await,
            settled_as("DELIVRD", "DELIVERED")
        );
        assert_eq!(desk.orphans(&nobody).await.len(), 1);
        let tables = "select coalesce(string_agg(t, ' '), '') from (
            select e::text as t from eventlog.event e union all
            select r::text from dlr.delivery_receipts r union all
            select o::text from dlr.orphaned_receipts o) all_rows";
        let row = desk.database.query_one(tables, &[]).await.expect("reads");
        let metrics = desk.service.get("/metrics").await.expect("metrics");
        let health = desk.service.get("/health").await.expect("health");
        let places = [row.get(0), desk.service.log(), metrics, health];
        for secret in [
            "99900000777001",
            "private-words-9c1e",
            &known.to[1..],
            &nobody.to[1..],
        ] {
            for place in &places {
                assert!(!place.is_empty() && !place.contains(secret), "{secret}");
            }
        }
    });
}
