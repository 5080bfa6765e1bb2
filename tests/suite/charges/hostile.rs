//! Bad input on `billing.events` (CONTRACTS 7): terminated, counted by reason, and nothing else
//! happens.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};
use tests::{traffic::Announced, world::Service};

use super::fixture::{Customer, Market, market};
use crate::fixture::run;

/// In every hostile message, so that it is found wherever it must not be.
const MARK: &str = "mark5b2e";
/// What a settlement cannot do without.
const REQUIRED: [&str; 11] = [
    "eventId",
    "eventType",
    "messageId",
    "tenantId",
    "accountId",
    "operatorId",
    "direction",
    "segmentCount",
    "dlrStatus",
    "occurredAt",
    "chargedAt",
];

/// Fields that hold something they must not, and the reason to count.
fn fields() -> Vec<(&'static str, &'static str, Value)> {
    let sql = format!("'; DROP TABLE billing.billing_events; --{MARK}");
    let forged = format!("DELIVERED\n{{\"level\":\"ERROR\",\"event\":\"{MARK}\"}}");
    vec![
        ("bad_uuid", "eventId", json!(MARK)),
        ("bad_uuid", "messageId", json!(sql)),
        ("bad_uuid", "tenantId", json!(format!("{{{MARK}}}"))),
        ("bad_uuid", "accountId", json!(format!("{MARK}\u{0}"))),
        ("bad_uuid", "operatorId", json!("")),
        ("wrong_type", "tenantId", json!(17)),
        ("wrong_type", "accountId", json!({"$ne": MARK})),
        ("unknown_word", "eventType", json!(MARK)),
        ("unknown_word", "direction", json!(forged)),
        ("unknown_word", "direction", json!("mt")),
        ("unknown_word", "direction", json!(["MT", MARK])),
        ("out_of_range", "segmentCount", json!(0)),
        ("out_of_range", "segmentCount", json!(32_768)),
        ("out_of_range", "segmentCount", json!(-1)),
        ("out_of_range", "segmentCount", json!(u64::MAX)),
        ("wrong_type", "segmentCount", json!(1.5)),
        ("wrong_type", "segmentCount", json!("2")),
        ("wrong_type", "segmentCount", json!(true)),
        ("unknown_word", "dlrStatus", json!("UNKNOWN")),
        ("unknown_word", "dlrStatus", json!("ACCEPTED")),
        ("unknown_word", "dlrStatus", json!(sql)),
        ("unknown_word", "dlrStatus", json!(forged)),
        ("wrong_type", "dlrStatus", json!({"$gt": MARK})),
        ("bad_time", "occurredAt", json!("yesterday")),
        ("bad_time", "chargedAt", json!("2026-03-01T12:00:00")),
        ("bad_time", "chargedAt", json!("2026-02-30T12:00:00Z")),
        ("bad_time", "chargedAt", json!(MARK)),
        ("wrong_type", "chargedAt", json!(1_767_225_600)),
        ("wrong_type", "accountTier", json!([MARK])),
        ("wrong_type", "currency", json!(978)),
    ]
}

/// Whole messages that are wrong, and the reason to count.
fn wholes(sound: &str) -> Vec<(&'static str, Vec<u8>)> {
    let open = sound.strip_suffix('}').expect("an object").to_owned();
    let mut oversized = sound.to_owned();
    oversized.push_str(&" ".repeat(64 * 1024 + 1 - sound.len()));
    let cut = sound.as_bytes()[..sound.len() - 20].to_vec();
    let mut broken = sound.as_bytes().to_vec();
    broken[sound.len() - 3] = 0xff;
    let with = |more: &str| format!("{open},{more}}}").into_bytes();
    vec![
        ("too_large", oversized.into_bytes()),
        ("too_large", vec![b'['; 64 * 1024 + 1]),
        ("not_json", Vec::new()),
        ("not_json", cut),
        ("not_json", format!("{sound}{sound}").into_bytes()),
        ("not_json", format!("\u{feff}{sound}").into_bytes()),
        ("not_json", with(&format!("\"x\":{}", "[".repeat(30_000)))),
        ("not_json", with("\"x\":NaN")),
        ("not_json", with(&format!("\"x\":\"{MARK}\u{1}\""))),
        ("not_json", format!("GET /{MARK}\r\n\r\n").into_bytes()),
        ("not_utf8", broken),
        ("not_utf8", [MARK.as_bytes(), &[0xc0, 0xaf]].concat()),
        ("repeated_key", with("\"segmentCount\":9")),
        (
            "repeated_key",
            with(&format!("\"x\":{{\"a\":1,\"a\":\"{MARK}\"}}")),
        ),
        ("wrong_type", format!("[{sound}]").into_bytes()),
        ("wrong_type", format!("\"{MARK}\"").into_bytes()),
        ("wrong_type", b"null".to_vec()),
    ]
}

/// Everything hostile, about one message that would be charged.
fn hostile(message: Announced) -> Vec<(&'static str, Bytes)> {
    let mut sound: Value = serde_json::from_slice(&message.payload()).expect("json");
    sound["note"] = json!(MARK);
    let changed = |field: &str, value: Value| {
        let mut changed = sound.clone();
        changed[field] = value;
        Bytes::from(changed.to_string())
    };
    let mut all = Vec::new();
    for (reason, field, value) in fields() {
        all.push((reason, changed(field, value)));
    }
    for field in REQUIRED {
        let mut without = sound.clone();
        without.as_object_mut().expect("an object").remove(field);
        all.push(("missing_field", without.to_string().into()));
        all.push(("missing_field", changed(field, Value::Null)));
    }
    let wholes = wholes(&sound.to_string()).into_iter();
    all.extend(wholes.map(|(reason, bytes)| (reason, bytes.into())));
    all
}

async fn refused(market: &Market, reason: &str) -> i64 {
    let name = format!("billing_validation_errors_total{{reason=\"{reason}\"}}");
    market.total(&name).await
}

/// What nobody may find in the output.
fn nothing_is_told(market: &Market) {
    let log: String = market.nodes.iter().map(Service::log).collect();
    let refusals = log.matches("billing.validation_failed").count();
    assert!(refusals >= 69, "only {refusals} refusals are in the log");
    for secret in [MARK, "DROP TABLE", "$ne", "$gt", "Quillon"] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).expect("every line is one JSON object");
        let named = line["event"].is_string() || line["level"].is_string();
        assert!(named, "{line}");
    }
}

#[test]
fn bad_settlements_are_terminated_counted_by_reason_and_leave_no_trace_of_their_content() {
    run(async {
        let mut market = market().await;
        let customer = Customer::new();
        market.register(customer, &customer.registration()).await;
        market.open_price(&customer.price(30_000)).await;
        market.rest().await;
        let message = customer.message();
        let mut reasons = BTreeMap::<_, i64>::new();
        let all = hostile(message);
        for (reason, _) in &all {
            *reasons.entry(*reason).or_default() += 1;
        }
        assert_eq!(reasons.len(), 10, "every reason there is");
        let mut before = BTreeMap::new();
        for reason in reasons.keys() {
            before.insert(*reason, refused(&market, reason).await);
        }
        let errors = market.ingested("error").await;
        let head = market.head().await;
        let delivered = market.consumer().await.delivered.consumer_sequence;
        let sent = all.len();
        for (_, bytes) in all {
            let strange = market.send_bytes(bytes).await;
            market.expected.strange.insert(strange);
        }
        market.rest().await;
        let consumer = market.consumer().await;
        let delivered = consumer.delivered.consumer_sequence - delivered;
        assert_eq!(usize::try_from(delivered), Ok(sent), "each delivered once");
        assert_eq!((consumer.num_ack_pending, consumer.num_redelivered), (0, 0));
        for (reason, count) in reasons {
            let told = refused(&market, reason).await - before[reason];
            assert_eq!(told, count, "{reason}");
        }
        let told = market.ingested("error").await - errors;
        assert_eq!(usize::try_from(told), Ok(sent));
        assert_eq!(market.head().await, head, "the log has grown");
        assert_eq!(market.history(message.message).await, []);

        // The consumer moves on: a sound one behind all of them is charged.
        market.announce(&[message]).await;
        market.becomes(message.message, ["MessageCharged"]).await;
        nothing_is_told(&market);
        market.balances().await;
    });
}

#[test]
fn odd_but_harmless_settlements_are_charged() {
    run(async {
        let mut market = market().await;
        let customer = Customer::new();
        market.register(customer, &customer.registration()).await;
        market.open_price(&customer.price(30_000)).await;
        let foreign = market.total("billing_foreign_schema_version_total").await;
        let odd = [
            ("accountTier", json!("GALACTIC")),
            ("currency", json!("ZZZ")),
            ("accountTier", Value::Null),
            ("schemaVersion", json!("2.0")),
            ("schemaVersion", json!(7)),
            ("note", json!({"text": [MARK]})),
        ];
        for (field, value) in odd {
            let message = customer.message();
            market.expect(&[message]);
            let mut body: Value = serde_json::from_slice(&message.payload()).expect("json");
            body[field] = value;
            market.send_bytes(body.to_string().into()).await;
            market.becomes(message.message, ["MessageCharged"]).await;
        }
        let told = market.total("billing_foreign_schema_version_total").await - foreign;
        assert_eq!(told, 2);
        market.balances().await;
    });
}
