//! Delivery receipts as carriers' connectors send them (`sms.dlr.inbound`, CONTRACTS 3).
//!
//! Bytes go in, a [`ReceivedReceipt`] or the one reason against it comes out. Nothing of a
//! refused receipt's content is in that reason, so it may be logged and counted.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    Invalid, MessageId, OperatorId, OperatorMessageId, Personal, Reason, SourceEventId, Status,
    Timestamp,
    inbound::{Form, SCHEMA_VERSION, read_time},
    strict_json,
};

/// The largest `rawPayload`, in bytes when serialised.
pub const MAX_RAW_PAYLOAD_BYTES: usize = 16 * 1024;
/// How deep `rawPayload` may nest.
pub const MAX_RAW_PAYLOAD_DEPTH: usize = 8;
/// How far ahead of its arrival a `deliveredAt` is believed, in seconds.
pub const MAX_AHEAD_SECONDS: i64 = 24 * 3600;

/// `sms.dlr.inbound`: both producers' forms. Unknown fields are ignored; a field that is null
/// counts as absent. `stat` (receipt form) counts before `status` (connector form).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("anyOf" = [
    { "properties": { "stat": { "type": "string" }, "deliveredAt": { "type": "string" } },
      "required": ["stat", "deliveredAt"] },
    { "properties": { "stat": { "type": "null" }, "status": { "type": "string" } },
      "required": ["status"] }
]))]
pub struct InboundReceipt {
    /// The producer's id of this message.
    event_id: SourceEventId,
    /// `"1.0"` today; another one is counted, not refused. Receipt form.
    #[serde(default)]
    schema_version: Option<Value>,
    /// The same, connector form.
    #[serde(default)]
    version: Option<Value>,
    /// The carrier's id of (a part of) the message.
    operator_message_id: OperatorMessageId,
    /// The carrier.
    operator_id: OperatorId,
    /// The carrier's word for the status. Receipt form.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,32}$"))]
    stat: Option<String>,
    /// The same, connector form.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,32}$"))]
    status: Option<String>,
    /// The carrier's error code. Receipt form.
    #[serde(default)]
    #[schemars(length(max = 32))]
    error_code: Option<String>,
    /// The same, connector form.
    #[serde(default)]
    #[schemars(length(max = 32))]
    smpp_error_code: Option<String>,
    /// When the carrier says it happened, RFC 3339; null in the connector form: on arrival.
    #[serde(default)]
    #[schemars(extend("format" = "date-time"))]
    delivered_at: Option<String>,
    /// Arrival at the connector, RFC 3339.
    #[serde(default)]
    #[schemars(extend("format" = "date-time"))]
    occurred_at: Option<String>,
    /// The message the connector believes this is about.
    #[serde(default)]
    message_id: Option<MessageId>,
    /// Personal data.
    #[serde(default)]
    #[schemars(length(max = 32))]
    source_addr: Option<String>,
    /// Personal data.
    #[serde(default)]
    #[schemars(length(max = 32))]
    dest_addr: Option<String>,
    /// What the carrier sent, at most 16 KiB and 8 levels. May hold personal data.
    #[serde(default)]
    raw_payload: Option<Map<String, Value>>,
}

/// What one accepted receipt said, without personal data. Part of every receipt's event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptFacts {
    /// The producer's id of the message that brought it.
    pub source_event_id: Uuid,
    /// The carrier.
    pub operator_id: OperatorId,
    /// The carrier's id of (a part of) the message.
    pub operator_message_id: OperatorMessageId,
    /// The carrier's word, as it wrote it.
    pub raw_stat: String,
    /// What the word means.
    pub dlr_status: Status,
    /// The carrier's error code; control characters are replaced by U+FFFD.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// When it happened: as stated, or on arrival where the statement is absent or implausible.
    pub delivered_at: Timestamp,
    /// The implausible statement that `deliveredAt` replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stated_delivered_at: Option<Timestamp>,
    /// Arrival in the stream `SMS_DLR`.
    pub received_at: Timestamp,
}

/// The personal data of a receipt. It is sealed before it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReceiptPrivate {
    /// The sender's address.
    pub source_addr: Option<Personal>,
    /// The recipient's address.
    pub dest_addr: Option<Personal>,
    /// What the carrier sent, JSON.
    pub raw_payload: Option<Personal>,
}

/// A receipt that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedReceipt {
    /// What it says.
    pub facts: ReceiptFacts,
    /// What nobody may see.
    pub private: ReceiptPrivate,
    /// The message the connector believes it is about; believed only if that message exists.
    pub message_hint: Option<MessageId>,
    /// Whether it names a schema version other than [`SCHEMA_VERSION`].
    pub foreign_schema_version: bool,
}

static FORM: LazyLock<Form> = LazyLock::new(|| {
    Form::of::<InboundReceipt>(&[
        "eventId",
        "schemaVersion",
        "version",
        "operatorMessageId",
        "operatorId",
        "stat",
        "status",
        "errorCode",
        "smppErrorCode",
        "deliveredAt",
        "occurredAt",
        "messageId",
        "sourceAddr",
        "destAddr",
        "rawPayload",
    ])
});

impl ReceivedReceipt {
    /// Checks and reads one message that arrived in the stream at `arrived`.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn parse(bytes: &[u8], arrived: Timestamp) -> Result<Self, Invalid> {
        let inbound: InboundReceipt = FORM.read(bytes, missing_field)?;
        inbound.into_received(arrived)
    }
}

impl InboundReceipt {
    fn into_received(self, arrived: Timestamp) -> Result<ReceivedReceipt, Invalid> {
        let raw_stat = self.stat.or(self.status).ok_or(Invalid::missing("stat"))?;
        let arrival = read_time(self.occurred_at.as_deref(), "occurredAt")?
            .filter(|&at| is_plausible(at, arrived))
            .unwrap_or(arrived);
        let stated = read_time(self.delivered_at.as_deref(), "deliveredAt")?;
        let believed = stated.filter(|&at| is_plausible(at, arrived));
        let facts = ReceiptFacts {
            source_event_id: self.event_id.0,
            operator_id: self.operator_id,
            operator_message_id: self.operator_message_id,
            dlr_status: Status::from_word(&raw_stat),
            raw_stat,
            error_code: self
                .error_code
                .or(self.smpp_error_code)
                .map(without_controls),
            delivered_at: believed.unwrap_or(arrival),
            stated_delivered_at: if believed.is_none() { stated } else { None },
            received_at: arrived,
        };
        Ok(ReceivedReceipt {
            facts,
            private: ReceiptPrivate {
                source_addr: self.source_addr.map(Personal::new),
                dest_addr: self.dest_addr.map(Personal::new),
                raw_payload: self.raw_payload.map(raw_payload_text).transpose()?,
            },
            message_hint: self.message_id,
            foreign_schema_version: [self.schema_version, self.version]
                .into_iter()
                .flatten()
                .any(|version| version != SCHEMA_VERSION),
        })
    }
}

fn is_plausible(at: Timestamp, arrived: Timestamp) -> bool {
    at.date().year() >= 2000 && at.seconds_since(arrived) <= MAX_AHEAD_SECONDS
}

/// Postgres cannot hold U+0000 in a text, and no reader wants the others in theirs.
fn without_controls(text: String) -> String {
    if text.contains(char::is_control) {
        text.replace(char::is_control, "\u{fffd}")
    } else {
        text
    }
}

fn raw_payload_text(payload: Map<String, Value>) -> Result<Personal, Invalid> {
    let refuse = |reason| Invalid {
        reason,
        field: Some("rawPayload"),
    };
    let payload = Value::Object(payload);
    if strict_json::depth(&payload) > MAX_RAW_PAYLOAD_DEPTH {
        return Err(refuse(Reason::RawPayloadTooDeep));
    }
    let text = payload.to_string();
    if text.len() > MAX_RAW_PAYLOAD_BYTES {
        return Err(refuse(Reason::RawPayloadTooLarge));
    }
    Ok(Personal::new(text))
}

/// What is required depends on the form, which a schema tells too clumsily to name one field.
fn missing_field(message: &Map<String, Value>) -> Option<&'static str> {
    let absent = |field: &str| message.get(field).is_none_or(Value::is_null);
    let required = ["eventId", "operatorMessageId", "operatorId"];
    if let Some(field) = required.into_iter().find(|field| absent(field)) {
        return Some(field);
    }
    match (absent("stat"), absent("status")) {
        (true, true) => Some("stat"),
        (false, _) if absent("deliveredAt") => Some("deliveredAt"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
