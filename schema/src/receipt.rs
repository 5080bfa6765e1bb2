//! Delivery receipts as carriers' connectors send them (`sms.dlr.inbound`, CONTRACTS 3).
//!
//! Bytes go in, a [`ReceivedReceipt`] or the one reason against it comes out. Nothing of a
//! refused receipt's content is in that reason, so it may be logged and counted.

use std::sync::LazyLock;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json, value::RawValue};
use uuid::Uuid;

use crate::{
    Invalid, MessageId, OperatorId, OperatorMessageId, Personal, Reason, SourceEventId, Status,
    Timestamp,
    inbound::{Form, SCHEMA_VERSION, read_time, typed},
    strict_json,
};

/// The largest `rawPayload`, in bytes as it was sent.
pub const MAX_RAW_PAYLOAD_BYTES: usize = 16 * 1024;
/// How deep `rawPayload` may nest.
pub const MAX_RAW_PAYLOAD_DEPTH: usize = 8;
/// How far the carrier's time may be from the one that counts before it is implausible, in seconds.
pub const PLAUSIBLE_SECONDS: i64 = 24 * 3600;

/// What only the connector form knows. A message with both forms' words is read as of the receipt
/// form, and these fields are not looked at, whatever they hold.
const CONNECTOR_ONLY: [&str; 5] = [
    "version",
    "status",
    "smppErrorCode",
    "occurredAt",
    "messageId",
];

/// `sms.dlr.inbound`: both producers' forms. Unknown fields are ignored; a field that is null
/// counts as absent. With both `stat` (receipt form) and `status` (connector form), `stat` counts
/// and what only the connector form knows is not looked at.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("anyOf" = [
    { "properties": { "stat": { "type": "string" }, "deliveredAt": { "type": "string" } },
      "required": ["stat", "deliveredAt"] },
    { "properties": { "stat": { "type": "null" }, "status": { "type": "string" } },
      "required": ["status"] }
]))]
#[schemars(transform = connector_only_alone)]
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
    /// The carrier's error code. What has other characters than `A-Za-z0-9_.:-` is left out, the
    /// receipt counts. Receipt form.
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
    /// What the carrier sent, at most 16 KiB and 8 levels; kept as it is sent. May hold personal
    /// data.
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
    /// The carrier's error code, of `A-Za-z0-9_.:-`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// When it happened: as stated, on arrival where nothing is, and in any case not before its
    /// message was handed in and not after its arrival.
    pub delivered_at: Timestamp,
    /// What was stated, where `deliveredAt` is another time.
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
    /// What the carrier sent: JSON, as it was sent.
    pub raw_payload: Option<Personal>,
}

/// A receipt that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedReceipt {
    /// What may be stored and shown as it is.
    pub facts: ReceiptFacts,
    /// Personal data: sealed before it is stored, never logged.
    pub private: ReceiptPrivate,
    /// The message the connector believes it is about; believed only if that message exists and
    /// agrees with the receipt.
    pub message_hint: Option<MessageId>,
    /// Whether it names a schema version other than [`SCHEMA_VERSION`].
    pub foreign_schema_version: bool,
    /// Whether it names an error code that does not look like one and so is left out.
    pub error_code_left_out: bool,
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
        let mut message = FORM.check(bytes, missing_field)?;
        if let Some(fields) = message.as_object_mut().filter(|fields| says_both(fields)) {
            fields.retain(|name, _| !CONNECTOR_ONLY.contains(&name.as_str()));
        }
        let inbound: InboundReceipt = typed(message)?;
        let raw_payload = match &inbound.raw_payload {
            Some(payload) => Some(as_sent(payload, bytes)?),
            None => None,
        };
        inbound.into_received(raw_payload, arrived)
    }
}

/// Whether a message has both forms' words for the status.
fn says_both(message: &Map<String, Value>) -> bool {
    let says = |word| message.get(word).is_some_and(|word| !word.is_null());
    says("stat") && says("status")
}

/// Lets what is said of the connector's own fields hold only where it is looked at.
fn connector_only_alone(schema: &mut Schema) {
    let mut alone = Map::new();
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for field in CONNECTOR_ONLY {
            alone.extend(properties.remove_entry(field));
        }
    }
    let both = json!({
        "properties": { "stat": { "type": "string" }, "status": { "not": { "type": "null" } } },
        "required": ["stat", "status"],
    });
    schema.insert("if".to_owned(), both);
    schema.insert("else".to_owned(), json!({ "properties": alone }));
}

impl InboundReceipt {
    fn into_received(
        self,
        raw_payload: Option<Personal>,
        arrived: Timestamp,
    ) -> Result<ReceivedReceipt, Invalid> {
        let raw_stat = self.stat.or(self.status).ok_or(Invalid::missing("stat"))?;
        let connector = read_time(self.occurred_at.as_deref(), "occurredAt")?;
        let stated = read_time(self.delivered_at.as_deref(), "deliveredAt")?.or(connector);
        let delivered_at = stated.unwrap_or(arrived);
        let stated_code = self.error_code.or(self.smpp_error_code);
        let error_code_left_out = stated_code.as_deref().is_some_and(|code| !is_code(code));
        let error_code = stated_code.filter(|_| !error_code_left_out);
        let facts = ReceiptFacts {
            source_event_id: self.event_id.0,
            operator_id: self.operator_id,
            operator_message_id: self.operator_message_id,
            dlr_status: Status::from_word(&raw_stat),
            raw_stat,
            error_code,
            delivered_at,
            stated_delivered_at: None,
            received_at: arrived,
        };
        // It happened when it arrived at the latest; when at the earliest, its message will tell.
        let facts = facts.not_before(delivered_at);
        Ok(ReceivedReceipt {
            facts,
            private: ReceiptPrivate {
                source_addr: self.source_addr.map(Personal::new),
                dest_addr: self.dest_addr.map(Personal::new),
                raw_payload,
            },
            message_hint: self.message_id,
            foreign_schema_version: [self.schema_version, self.version]
                .into_iter()
                .flatten()
                .any(|version| version != SCHEMA_VERSION),
            error_code_left_out,
        })
    }
}

impl ReceiptFacts {
    /// The same receipt of something that cannot have happened before `earliest`, nor after the
    /// receipt arrived: a time stated beyond that counts as the nearer of the two, and is kept.
    #[must_use]
    pub fn not_before(mut self, earliest: Timestamp) -> Self {
        let stated = self.stated();
        self.delivered_at = self.dated(earliest);
        self.stated_delivered_at = (stated != self.delivered_at).then_some(stated);
        self
    }

    /// Whether a clock must be wrong: what was stated is far from the time that counts if nothing
    /// happened before `earliest`.
    #[must_use]
    pub fn is_implausible(&self, earliest: Timestamp) -> bool {
        let off = self.dated(earliest).seconds_since(self.stated());
        off.abs() > PLAUSIBLE_SECONDS
    }

    fn stated(&self) -> Timestamp {
        self.stated_delivered_at.unwrap_or(self.delivered_at)
    }

    fn dated(&self, earliest: Timestamp) -> Timestamp {
        self.stated().max(earliest).min(self.received_at)
    }
}

/// Whether a text looks like an error code. Anything else may be somebody's number or words.
fn is_code(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    !text.is_empty() && text.bytes().all(plain)
}

/// `rawPayload` as the text of the message has it, digit by digit.
fn as_sent(payload: &Map<String, Value>, message: &[u8]) -> Result<Personal, Invalid> {
    /// The one field that is looked at.
    #[derive(Deserialize)]
    struct AsSent<'a> {
        #[serde(borrow, rename = "rawPayload")]
        raw_payload: &'a RawValue,
    }
    let refuse = |reason| Invalid {
        reason,
        field: Some("rawPayload"),
    };
    let inner = payload.values().map(strict_json::depth).max();
    if 1 + inner.unwrap_or(0) > MAX_RAW_PAYLOAD_DEPTH {
        return Err(refuse(Reason::RawPayloadTooDeep));
    }
    let sent = serde_json::from_slice::<AsSent<'_>>(message);
    let text = sent.map_err(|_| refuse(Reason::NotJson))?.raw_payload.get();
    if text.len() > MAX_RAW_PAYLOAD_BYTES {
        return Err(refuse(Reason::RawPayloadTooLarge));
    }
    Ok(Personal::new(text.to_owned()))
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
