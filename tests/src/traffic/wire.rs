//! Receipts as the two producers write them (CONTRACTS 3), straight into bytes.

use std::fmt::Write as _;

use bytes::Bytes;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use schema::{MessageId, OperatorId, OperatorMessageId, Timestamp};

use super::{PRIVATE_MARK, expected::Sent};

/// What is written beside the receipt's own words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Envelope<'a> {
    pub(super) operator: OperatorId,
    pub(super) operator_message: &'a OperatorMessageId,
    /// The recipient's number, without the leading `+`.
    pub(super) to: u64,
    pub(super) hint: Option<MessageId>,
}

const HOUR_MICROS: i64 = 3_600_000_000;

/// Unwrap safety of all the writing below: a `String` takes everything.
const TAKES_ALL: &str = "writing to a string";

/// One receipt.
pub(super) fn receipt(rng: &mut ChaCha8Rng, sent: &Sent, envelope: &Envelope<'_>) -> Bytes {
    let mut json = String::with_capacity(480);
    let Envelope {
        operator,
        operator_message,
        ..
    } = envelope;
    write!(
        json,
        r#"{{"eventId":"{}","operatorId":"{operator}""#,
        sent.event_id
    )
    .expect(TAKES_ALL);
    json.push_str(r#","operatorMessageId":""#);
    for letter in operator_message.as_str().chars() {
        if matches!(letter, '"' | '\\') {
            json.push('\\');
        }
        json.push(letter);
    }
    json.push('"');
    if sent.connector {
        connector_form(rng, &mut json, sent);
    } else {
        receipt_form(rng, &mut json, sent, envelope.to);
    }
    if let Some(hint) = envelope.hint {
        write!(json, r#","messageId":"{hint}""#).expect(TAKES_ALL);
    }
    if rng.random_ratio(1, 50) {
        json.push_str(r#","x-carrierExtension":{"tlv":[5120,"01"],"note":null}"#);
    }
    json.push('}');
    Bytes::from(json)
}

/// `stat`, `errorCode`, addresses.
fn receipt_form(rng: &mut ChaCha8Rng, json: &mut String, sent: &Sent, to: u64) {
    let version = if rng.random_ratio(1, 200) {
        "1.1"
    } else {
        "1.0"
    };
    write!(
        json,
        r#","schemaVersion":"{version}","stat":"{}""#,
        sent.word.text()
    )
    .expect(TAKES_ALL);
    error_code(rng, json, "errorCode", sent);
    json.push_str(r#","deliveredAt":"#);
    time(rng, json, sent.implausible.or(sent.delivered));
    if rng.random_ratio(9, 10) {
        write!(
            json,
            r#","sourceAddr":"ACME-{}","destAddr":"+{to}""#,
            to % 97
        )
        .expect(TAKES_ALL);
    }
    if rng.random_ratio(1, 3) {
        write!(
            json,
            r#","rawPayload":{{"short_message":"id:{} text:{PRIVATE_MARK}","dest":"{to}"}}"#,
            to % 1_000,
        )
        .expect(TAKES_ALL);
    }
}

/// `status`, `smppErrorCode`, arrival at the connector.
fn connector_form(rng: &mut ChaCha8Rng, json: &mut String, sent: &Sent) {
    write!(json, r#","version":"1.0","status":"{}""#, sent.word.text()).expect(TAKES_ALL);
    error_code(rng, json, "smppErrorCode", sent);
    // Without a statement the time at the connector counts; without that, too, the time of arrival
    // in the stream. Beside an implausible statement it counts for nothing.
    let (stated, arrival) = match (sent.implausible, sent.delivered) {
        (Some(implausible), arrival) => (Some(implausible), arrival),
        (None, Some(at)) if rng.random_ratio(1, 4) => (None, Some(at)),
        (None, at) => (at, None),
    };
    json.push_str(r#","deliveredAt":"#);
    time(rng, json, stated);
    if arrival.is_some() {
        json.push_str(r#","occurredAt":"#);
        time(rng, json, arrival);
    }
}

fn error_code(rng: &mut ChaCha8Rng, json: &mut String, field: &str, sent: &Sent) {
    match rng.random_range(0..10) {
        0..2 => {}
        2..4 => write!(json, r#","{field}":null"#).expect(TAKES_ALL),
        _ if sent.word.status() == schema::Status::Delivered => {
            write!(json, r#","{field}":"000""#).expect(TAKES_ALL);
        }
        code => write!(json, r#","{field}":"E{code:03}""#).expect(TAKES_ALL),
    }
}

/// RFC 3339, mostly in UTC, sometimes with another offset; `null` for none.
fn time(rng: &mut ChaCha8Rng, json: &mut String, at: Option<Timestamp>) {
    let Some(at) = at else {
        json.push_str("null");
        return;
    };
    let ahead = Timestamp::from_micros(at.micros() + 2 * HOUR_MICROS);
    match ahead {
        Some(local) if rng.random_ratio(1, 10) => {
            let local = local.to_string();
            write!(json, r#""{}+02:00""#, local.trim_end_matches('Z')).expect(TAKES_ALL);
        }
        _ => write!(json, r#""{at}""#).expect(TAKES_ALL),
    }
}
