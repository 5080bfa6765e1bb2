//! Receipts that must be refused, each in one way and for one reason (CONTRACTS 3).
//!
//! A row below is a sound receipt with one thing wrong, and the reason the metric must name.

use schema::{Reason, inbound::MAX_BYTES, receipt::MAX_RAW_PAYLOAD_BYTES};

/// One thing that is wrong.
enum Fault {
    /// A field holds this JSON text.
    Holds(&'static str, &'static str),
    /// A field holds a text of so many characters.
    Long(&'static str, usize),
    /// A field is not there.
    Without(&'static str),
    /// The whole text is changed.
    Whole(fn(&str) -> Vec<u8>),
}

use Fault::{Holds, Long, Whole, Without};

const WAYS: [(Reason, Fault); 34] = [
    (Reason::TooLarge, Whole(oversized)),
    (Reason::NotUtf8, Whole(broken_utf8)),
    (Reason::NotUtf8, Whole(|_| vec![0xff, 0xfe, 0x00])),
    (Reason::NotJson, Whole(|_| Vec::new())),
    (Reason::NotJson, Whole(truncated)),
    (
        Reason::NotJson,
        Whole(|text| format!("{text}{text}").into_bytes()),
    ),
    (
        Reason::NotJson,
        Whole(|_| b"GET / HTTP/1.1\r\n\r\n".to_vec()),
    ),
    (Reason::NotJson, Whole(|_| vec![b'['; 10_000])),
    (Reason::RepeatedKey, Whole(repeated_key)),
    (Reason::MissingField, Without("eventId")),
    (Reason::MissingField, Without("operatorMessageId")),
    (Reason::MissingField, Without("deliveredAt")),
    (Reason::MissingField, Holds("operatorId", "null")),
    (Reason::MissingField, Holds("stat", "null")),
    (
        Reason::WrongType,
        Whole(|text| format!("[{text}]").into_bytes()),
    ),
    (Reason::WrongType, Whole(|_| b"null".to_vec())),
    (Reason::WrongType, Holds("operatorMessageId", "17")),
    (Reason::WrongType, Holds("stat", "{\"$ne\":null}")),
    (Reason::WrongType, Holds("rawPayload", "\"text\"")),
    (Reason::BadLength, Long("errorCode", 33)),
    (Reason::BadLength, Long("sourceAddr", 33)),
    (Reason::BadCharacters, Long("operatorMessageId", 65)),
    (
        Reason::BadCharacters,
        Holds("operatorMessageId", "\"a\\u0000b\""),
    ),
    (
        Reason::BadCharacters,
        Holds("operatorMessageId", "\"\u{e9}\""),
    ),
    (
        Reason::BadCharacters,
        Holds("stat", "\"'; DROP TABLE orch.sms_messages; --\""),
    ),
    (
        Reason::BadCharacters,
        Holds("stat", "\"DELIVRD\\n{\\\"level\\\":\\\"ERROR\\\"}\""),
    ),
    (Reason::BadUuid, Holds("eventId", "\"not-a-uuid\"")),
    (
        Reason::BadUuid,
        Holds("operatorId", "\"6d1f3f600a3e4f0e8a582b1d7b0f3c11\""),
    ),
    (Reason::BadUuid, Holds("messageId", "\"\"")),
    (
        Reason::BadTime,
        Holds("deliveredAt", "\"2026-03-01T12:00:00\""),
    ),
    (
        Reason::BadTime,
        Holds("deliveredAt", "\"2026-02-30T12:00:00Z\""),
    ),
    (Reason::BadTime, Holds("occurredAt", "\"yesterday\"")),
    (Reason::RawPayloadTooLarge, Whole(large_raw_payload)),
    (Reason::RawPayloadTooDeep, Holds("rawPayload", DEEP)),
];

/// Nine levels.
const DEEP: &str = r#"{"a":[[[[[[[{}]]]]]]]}"#;

/// How many ways there are.
pub(super) const WAYS_COUNT: usize = WAYS.len();

/// The sound receipt, by field and JSON text.
pub(super) struct Sound<'a> {
    pub(super) event_id: &'a str,
    pub(super) operator_id: &'a str,
    pub(super) operator_message_id: &'a str,
    pub(super) delivered_at: &'a str,
}

/// A receipt that is wrong in the `way`-th way, and the reason to refuse it.
pub(super) fn receipt(way: usize, sound: &Sound<'_>) -> (Reason, Vec<u8>) {
    let quoted = |text: &str| format!("\"{text}\"");
    let mut fields = vec![
        ("eventId", quoted(sound.event_id)),
        ("schemaVersion", quoted("1.0")),
        ("operatorMessageId", quoted(sound.operator_message_id)),
        ("operatorId", quoted(sound.operator_id)),
        ("stat", quoted("DELIVRD")),
        ("deliveredAt", quoted(sound.delivered_at)),
    ];
    let (reason, fault) = &WAYS[way % WAYS_COUNT];
    match fault {
        Holds(field, json) => set(&mut fields, field, (*json).to_owned()),
        Long(field, length) => set(&mut fields, field, quoted(&"9".repeat(*length))),
        Without(field) => fields.retain(|(name, _)| name != field),
        Whole(change) => return (*reason, change(&object(&fields))),
    }
    (*reason, object(&fields).into_bytes())
}

fn set(fields: &mut Vec<(&'static str, String)>, field: &'static str, json: String) {
    fields.retain(|(name, _)| *name != field);
    fields.push((field, json));
}

fn object(fields: &[(&str, String)]) -> String {
    let members: Vec<_> = fields
        .iter()
        .map(|(name, json)| format!("\"{name}\":{json}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn oversized(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(MAX_BYTES + 1, b' ');
    bytes
}

fn broken_utf8(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    let place = bytes.len() - 2;
    bytes[place] = 0xc3;
    bytes
}

fn truncated(text: &str) -> Vec<u8> {
    text.as_bytes()[..text.len() / 2].to_vec()
}

fn with_member(text: &str, member: &str) -> Vec<u8> {
    let open = text.strip_suffix('}').unwrap_or(text);
    format!("{open},{member}}}").into_bytes()
}

fn repeated_key(text: &str) -> Vec<u8> {
    with_member(text, r#""stat":"FAILED""#)
}

fn large_raw_payload(text: &str) -> Vec<u8> {
    with_member(
        text,
        &format!(
            r#""rawPayload":{{"x":"{}"}}"#,
            "y".repeat(MAX_RAW_PAYLOAD_BYTES)
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use schema::{ReceivedReceipt, Timestamp};

    use super::*;

    #[test]
    fn each_way_is_refused_for_its_reason_and_all_reasons_occur() {
        let arrived = Timestamp::parse("2026-03-01T12:00:00Z").expect("valid");
        let sound = Sound {
            event_id: "0b8f6a34-3c1e-4a9c-9b3e-1f2a3b4c5d6e",
            operator_id: "6d1f3f60-0a3e-4f0e-8a58-2b1d7b0f3c11",
            operator_message_id: "A-17",
            delivered_at: "2026-03-01T11:59:58Z",
        };
        let mut reasons = BTreeSet::new();
        for way in 0..WAYS_COUNT {
            let (reason, bytes) = receipt(way, &sound);
            let refused = ReceivedReceipt::parse(&bytes, arrived).expect_err("invalid");
            assert_eq!(refused.reason, reason, "way {way}");
            reasons.insert(reason);
        }
        assert_eq!(reasons.len(), 12);
    }
}
