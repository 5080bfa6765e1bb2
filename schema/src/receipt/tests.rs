//! Each form is read, each rule of CONTRACTS 3 refuses, and nothing of the content leaks.

use serde_json::{Value, json};

use super::*;
use crate::{conformance::reader_keeps_to, inbound::MAX_BYTES};

/// The id that names nothing.
const NIL: &str = "00000000-0000-0000-0000-000000000000";

fn arrived() -> Timestamp {
    Timestamp::parse("2026-03-01T12:00:00Z").expect("valid")
}

fn receipt_form() -> Value {
    json!({
        "eventId": "0b8f6a34-3c1e-4a9c-9b3e-1f2a3b4c5d6e",
        "schemaVersion": "1.0",
        "operatorMessageId": "A-17",
        "operatorId": "6d1f3f60-0a3e-4f0e-8a58-2b1d7b0f3c11",
        "stat": "DELIVRD",
        "errorCode": "000",
        "deliveredAt": "2026-03-01T13:59:58+02:00",
        "sourceAddr": "ACME",
        "destAddr": "+4915112345678",
        "rawPayload": { "b": 1, "a": [true] }
    })
}

fn connector_form() -> Value {
    json!({
        "eventId": "0b8f6a34-3c1e-4a9c-9b3e-1f2a3b4c5d6e",
        "version": "1.0",
        "operatorMessageId": "A-17",
        "operatorId": "6d1f3f60-0a3e-4f0e-8a58-2b1d7b0f3c11",
        "status": "enroute",
        "smppErrorCode": null,
        "deliveredAt": null,
        "occurredAt": "2026-03-01T11:59:59Z",
        "messageId": "018f6a34-3c1e-7a9c-9b3e-1f2a3b4c5d6e"
    })
}

fn parse(value: &Value) -> Result<ReceivedReceipt, Invalid> {
    ReceivedReceipt::parse(value.to_string().as_bytes(), arrived())
}

fn with(mut value: Value, field: &str, content: Value) -> Value {
    value[field] = content;
    value
}

#[track_caller]
fn refused(value: &Value, reason: Reason, field: &'static str) {
    assert_eq!(
        parse(value),
        Err(Invalid {
            reason,
            field: Some(field)
        })
    );
}

#[test]
fn the_receipt_form_is_read() {
    let receipt = parse(&receipt_form()).expect("valid");
    assert_eq!(receipt.facts.dlr_status, Status::Delivered);
    assert_eq!(receipt.facts.raw_stat, "DELIVRD");
    assert_eq!(receipt.facts.error_code.as_deref(), Some("000"));
    assert_eq!(
        receipt.facts.delivered_at.to_string(),
        "2026-03-01T11:59:58.000000Z"
    );
    assert_eq!(receipt.facts.stated_delivered_at, None);
    assert_eq!(
        receipt.private.dest_addr,
        Some(Personal::new("+4915112345678".into()))
    );
    assert_eq!(
        receipt.private.raw_payload,
        Some(Personal::new(r#"{"a":[true],"b":1}"#.into()))
    );
    assert!(!receipt.foreign_schema_version);
}

#[test]
fn the_connector_form_is_read_and_null_means_on_arrival() {
    let receipt = parse(&connector_form()).expect("valid");
    assert_eq!(receipt.facts.dlr_status, Status::Unknown);
    assert_eq!(
        receipt.facts.delivered_at.to_string(),
        "2026-03-01T11:59:59.000000Z"
    );
    assert!(receipt.message_hint.is_some());
    let bare = with(connector_form(), "occurredAt", Value::Null);
    assert_eq!(parse(&bare).expect("valid").facts.delivered_at, arrived());
}

#[test]
fn stat_counts_before_status_and_a_null_stat_does_not() {
    let both = with(receipt_form(), "status", json!("EXPIRED"));
    assert_eq!(
        parse(&both).expect("valid").facts.dlr_status,
        Status::Delivered
    );
    let null = with(connector_form(), "stat", Value::Null);
    assert_eq!(parse(&null).expect("valid").facts.raw_stat, "enroute");
}

#[test]
fn unknown_fields_and_foreign_versions_are_tolerated() {
    let extra = with(receipt_form(), "somethingNew", json!({ "x": [1] }));
    assert!(parse(&extra).is_ok());
    for version in [json!("2.0"), json!(2)] {
        let foreign = with(receipt_form(), "schemaVersion", version);
        assert!(parse(&foreign).expect("tolerated").foreign_schema_version);
    }
}

#[test]
fn nothing_happened_after_its_arrival_and_what_was_stated_is_kept() {
    let late = "2026-03-01T12:00:01Z";
    for form in [
        with(receipt_form(), "deliveredAt", json!(late)),
        with(connector_form(), "occurredAt", json!(late)),
    ] {
        let facts = parse(&form).expect("valid").facts;
        assert_eq!(facts.delivered_at, arrived());
        assert_eq!(facts.stated_delivered_at, Timestamp::parse(late));
        assert!(!facts.is_implausible(arrived()));
    }
    let early = with(receipt_form(), "deliveredAt", json!("1999-12-31T23:59:59Z"));
    let facts = parse(&early).expect("valid").facts;
    assert_eq!(
        facts.stated_delivered_at, None,
        "its message is not known yet"
    );
}

#[test]
fn nothing_happened_before_its_message_was_handed_in() {
    let at = |text| Timestamp::parse(text).expect("valid");
    let facts = parse(&receipt_form()).expect("valid").facts;
    let (stated, enqueued) = (facts.delivered_at, at("2026-03-01T11:59:59Z"));
    let moved = facts.clone().not_before(enqueued);
    assert_eq!(moved.delivered_at, enqueued);
    assert_eq!(moved.stated_delivered_at, Some(stated));
    let back = moved.not_before(at("2026-03-01T11:00:00Z"));
    assert_eq!(back, facts, "what was stated counts again where it may");
    let ahead = facts.not_before(at("2026-03-01T12:00:30Z"));
    assert_eq!(
        ahead.delivered_at,
        arrived(),
        "the arrival counts before a fast clock"
    );
}

#[test]
fn a_time_more_than_a_day_off_is_implausible() {
    for (stated, implausible) in [
        ("2026-03-02T12:00:00Z", false),
        ("2026-03-02T12:00:01Z", true),
        ("2026-02-28T11:00:00Z", false),
        ("2026-02-28T10:59:59Z", true),
        ("0001-01-01T00:00:00Z", true),
    ] {
        let form = with(receipt_form(), "deliveredAt", json!(stated));
        let facts = parse(&form).expect("valid").facts;
        let enqueued = Timestamp::parse("2026-03-01T11:00:00Z").expect("valid");
        assert_eq!(facts.is_implausible(enqueued), implausible, "{stated}");
    }
}

#[test]
fn an_error_code_that_does_not_look_like_one_is_left_out_and_the_receipt_counts() {
    for odd in ["+4915112345678", "a\u{0}b", "no route", "é", "", "a/b"] {
        let receipt = parse(&with(receipt_form(), "errorCode", json!(odd))).expect("counts");
        assert_eq!(receipt.facts.error_code, None, "{odd:?}");
        assert!(receipt.error_code_left_out, "{odd:?}");
    }
    for (form, field) in [
        (receipt_form(), "errorCode"),
        (connector_form(), "smppErrorCode"),
    ] {
        let receipt = parse(&with(form.clone(), field, json!("ESME_R:0x0.1-b"))).expect("valid");
        assert_eq!(receipt.facts.error_code.as_deref(), Some("ESME_R:0x0.1-b"));
        assert!(!receipt.error_code_left_out);
        let none = parse(&with(form, field, Value::Null)).expect("valid");
        assert_eq!(
            (none.facts.error_code, none.error_code_left_out),
            (None, false)
        );
    }
}

#[test]
fn with_both_words_the_connectors_fields_are_not_looked_at() {
    let both = with(receipt_form(), "status", json!({ "$ne": null }));
    let alone = parse(&receipt_form()).expect("valid");
    for (field, content) in [
        ("version", json!("7")),
        ("smppErrorCode", json!(["x".repeat(99)])),
        ("occurredAt", json!("yesterday")),
        ("messageId", json!("nobody")),
        ("messageId", json!("018f6a34-3c1e-7a9c-9b3e-1f2a3b4c5d6e")),
    ] {
        assert_eq!(
            parse(&with(both.clone(), field, content)).as_ref(),
            Ok(&alone)
        );
    }
    // Without the second word they are looked at.
    refused(
        &with(receipt_form(), "messageId", json!("nobody")),
        Reason::BadUuid,
        "messageId",
    );
}

#[test]
fn a_raw_payload_is_kept_as_it_is_sent() {
    let sent = r#"{ "z": 0.10, "n": 1e400,"a":[12345678901234567890123.0] ,"\u00e9": "\u0000"}"#;
    let mut text = receipt_form();
    text["rawPayload"] = json!("HERE");
    let text = text.to_string().replace("\"HERE\"", sent);
    let receipt = ReceivedReceipt::parse(text.as_bytes(), arrived()).expect("valid");
    assert_eq!(
        receipt.private.raw_payload,
        Some(Personal::new(sent.into()))
    );
    let escaped = text.replace("rawPayload", "raw\\u0050ayload");
    let same = ReceivedReceipt::parse(escaped.as_bytes(), arrived()).expect("valid");
    assert_eq!(same, receipt);
}

#[test]
fn an_optional_field_that_is_null_counts_as_absent() {
    let optional = [
        "schemaVersion",
        "version",
        "status",
        "errorCode",
        "smppErrorCode",
        "occurredAt",
        "messageId",
        "sourceAddr",
        "destAddr",
        "rawPayload",
    ];
    for field in optional {
        let mut absent = receipt_form();
        absent.as_object_mut().expect("an object").remove(field);
        let null = with(receipt_form(), field, Value::Null);
        assert_eq!(parse(&null), parse(&absent), "{field}");
    }
}

#[test]
fn what_the_schema_of_receipts_accepts_is_taken_and_nothing_else() {
    let schema = schemars::schema_for!(InboundReceipt).to_value();
    reader_keeps_to(&schema, |bytes| {
        ReceivedReceipt::parse(bytes, arrived()).is_ok()
    });
}

#[test]
fn a_missing_or_null_required_field_is_named() {
    for field in [
        "eventId",
        "operatorMessageId",
        "operatorId",
        "stat",
        "deliveredAt",
    ] {
        let mut without = receipt_form();
        without.as_object_mut().expect("object").remove(field);
        refused(&without, Reason::MissingField, field);
        refused(
            &with(receipt_form(), field, Value::Null),
            Reason::MissingField,
            field,
        );
    }
}

#[test]
fn wrong_types_sizes_characters_and_formats_are_named() {
    let cases = [
        ("eventId", json!(7), Reason::WrongType),
        ("eventId", json!("not-a-uuid"), Reason::BadUuid),
        (
            "operatorId",
            json!("6d1f3f600a3e4f0e8a582b1d7b0f3c11"),
            Reason::BadUuid,
        ),
        ("eventId", json!(NIL), Reason::BadUuid),
        ("operatorId", json!(NIL), Reason::BadUuid),
        ("messageId", json!(NIL), Reason::BadUuid),
        ("operatorMessageId", json!(""), Reason::BadCharacters),
        ("operatorMessageId", json!("x\u{0}y"), Reason::BadCharacters),
        (
            "operatorMessageId",
            json!("x".repeat(65)),
            Reason::BadCharacters,
        ),
        ("stat", json!("DELIVRD\n"), Reason::BadCharacters),
        ("stat", json!("'; DROP TABLE x; --"), Reason::BadCharacters),
        ("errorCode", json!("9".repeat(33)), Reason::BadLength),
        ("errorCode", json!(["9"]), Reason::WrongType),
        ("deliveredAt", json!("2026-03-01T12:00:00"), Reason::BadTime),
        ("deliveredAt", json!("yesterday"), Reason::BadTime),
        ("occurredAt", json!("2026-03-01"), Reason::BadTime),
        ("messageId", json!("x"), Reason::BadUuid),
        ("sourceAddr", json!("1".repeat(33)), Reason::BadLength),
        ("destAddr", json!(4_915_112_345_678_u64), Reason::WrongType),
        ("rawPayload", json!([]), Reason::WrongType),
        (
            "rawPayload",
            json!({ "x": "y".repeat(17_000) }),
            Reason::RawPayloadTooLarge,
        ),
        (
            "rawPayload",
            json!({"1":{"2":{"3":{"4":{"5":{"6":{"7":{"8":{}}}}}}}}}),
            Reason::RawPayloadTooDeep,
        ),
    ];
    for (field, content, reason) in cases {
        refused(&with(receipt_form(), field, content), reason, field);
    }
}

#[test]
fn what_is_not_a_json_object_is_refused_whole() {
    let cases: [(&[u8], Reason); 6] = [
        (b"", Reason::NotJson),
        (b"{\"eventId\":", Reason::NotJson),
        (b"\xff\xfe", Reason::NotUtf8),
        (b"[]", Reason::WrongType),
        (b"{\"a\":1,\"a\":1}", Reason::RepeatedKey),
        (&vec![b' '; MAX_BYTES + 1], Reason::TooLarge),
    ];
    for (bytes, reason) in cases {
        assert_eq!(ReceivedReceipt::parse(bytes, arrived()), Err(reason.into()));
    }
}

#[test]
fn a_refusal_never_repeats_content() {
    let secret = "+4915199999999-SECRET";
    let bad = with(
        with(receipt_form(), "destAddr", json!([secret])),
        secret,
        json!(secret),
    );
    let refusal = parse(&bad).expect_err("wrong type");
    assert!(!format!("{refusal} {refusal:?}").contains("SECRET"));
}
