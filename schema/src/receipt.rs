//! Delivery receipts as carriers' connectors send them (`sms.dlr.inbound`, CONTRACTS 3).
//!
//! Bytes go in, a [`ReceivedReceipt`] or the one reason against it comes out. Nothing of a
//! refused receipt's content is in that reason, so it may be logged and counted.

use std::sync::LazyLock;

use jsonschema::{Validator, error::ValidationErrorKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    MessageId, OperatorId, OperatorMessageId, Personal, Status, Timestamp,
    strict_json::{self, JsonError},
};

/// The largest message accepted, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
/// The largest `rawPayload`, in bytes when serialised.
pub const MAX_RAW_PAYLOAD_BYTES: usize = 16 * 1024;
/// How deep `rawPayload` may nest.
pub const MAX_RAW_PAYLOAD_DEPTH: usize = 8;
/// How far ahead of its arrival a `deliveredAt` is believed, in seconds.
pub const MAX_AHEAD_SECONDS: i64 = 24 * 3600;
/// The schema version both producers write today.
pub const SCHEMA_VERSION: &str = "1.0";

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
    event_id: Uuid,
    /// `"1.0"` today; another one is counted, not refused. Receipt form.
    #[serde(default)]
    schema_version: Option<Value>,
    /// The same, connector form.
    #[serde(default)]
    version: Option<Value>,
    /// The carrier's id of (a part of) the message.
    operator_message_id: OperatorMessageId,
    /// The carrier.
    operator_id: Uuid,
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
    message_id: Option<Uuid>,
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

/// Why a receipt is refused. The name is the metric's `reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Over [`MAX_BYTES`].
    TooLarge,
    /// Not UTF-8.
    NotUtf8,
    /// Not JSON, or nested beyond any sense.
    NotJson,
    /// An object names a key twice.
    RepeatedKey,
    /// A required field is absent or null.
    MissingField,
    /// A field, or the whole, is of another type.
    WrongType,
    /// A text is longer or shorter than allowed.
    BadLength,
    /// A text has characters it must not have.
    BadCharacters,
    /// Not a UUID.
    BadUuid,
    /// Not an RFC 3339 time with an offset.
    BadTime,
    /// `rawPayload` is over [`MAX_RAW_PAYLOAD_BYTES`].
    RawPayloadTooLarge,
    /// `rawPayload` nests beyond [`MAX_RAW_PAYLOAD_DEPTH`].
    RawPayloadTooDeep,
}

impl Reason {
    /// The label of the metric and of the log line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::RepeatedKey => "repeated_key",
            Self::MissingField => "missing_field",
            Self::WrongType => "wrong_type",
            Self::BadLength => "bad_length",
            Self::BadCharacters => "bad_characters",
            Self::BadUuid => "bad_uuid",
            Self::BadTime => "bad_time",
            Self::RawPayloadTooLarge => "raw_payload_too_large",
            Self::RawPayloadTooDeep => "raw_payload_too_deep",
        }
    }
}

/// A refusal: the reason and, where one field is at fault, its name. Never its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("receipt refused: {} ({})", reason.as_str(), field.unwrap_or("whole message"))]
pub struct Invalid {
    /// What is wrong.
    pub reason: Reason,
    /// A field of the contract.
    pub field: Option<&'static str>,
}

impl From<Reason> for Invalid {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            field: None,
        }
    }
}

/// The fields of the contract: a refusal names only these, never a key of the sender's making.
const FIELDS: [&str; 15] = [
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
];

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    let schema = schemars::schema_for!(InboundReceipt).to_value();
    // Unwrap safety: the schema is generated from the type above; a test compiles it.
    jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .expect("the generated schema of InboundReceipt compiles")
});

impl ReceivedReceipt {
    /// Checks and reads one message that arrived in the stream at `arrived`.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn parse(bytes: &[u8], arrived: Timestamp) -> Result<Self, Invalid> {
        if bytes.len() > MAX_BYTES {
            return Err(Reason::TooLarge.into());
        }
        let value = strict_json::parse(bytes).map_err(|error| match error {
            JsonError::NotUtf8 => Reason::NotUtf8,
            JsonError::Syntax => Reason::NotJson,
            JsonError::RepeatedKey => Reason::RepeatedKey,
        })?;
        if !VALIDATOR.is_valid(&value) {
            return Err(first_violation(&value));
        }
        let inbound: InboundReceipt =
            serde_json::from_value(value).map_err(|_| Invalid::from(Reason::WrongType))?;
        inbound.into_received(arrived)
    }
}

impl InboundReceipt {
    fn into_received(self, arrived: Timestamp) -> Result<ReceivedReceipt, Invalid> {
        let raw_stat = self.stat.or(self.status).ok_or(missing("stat"))?;
        let arrival = read_time(self.occurred_at.as_deref(), "occurredAt")?
            .filter(|&at| is_plausible(at, arrived))
            .unwrap_or(arrived);
        let stated = read_time(self.delivered_at.as_deref(), "deliveredAt")?;
        let believed = stated.filter(|&at| is_plausible(at, arrived));
        let facts = ReceiptFacts {
            source_event_id: self.event_id,
            operator_id: OperatorId(self.operator_id),
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
            message_hint: self.message_id.map(MessageId),
            foreign_schema_version: [self.schema_version, self.version]
                .into_iter()
                .flatten()
                .any(|version| version != SCHEMA_VERSION),
        })
    }
}

const fn missing(field: &'static str) -> Invalid {
    Invalid {
        reason: Reason::MissingField,
        field: Some(field),
    }
}

fn read_time(text: Option<&str>, field: &'static str) -> Result<Option<Timestamp>, Invalid> {
    text.map(|text| {
        Timestamp::parse(text).ok_or(Invalid {
            reason: Reason::BadTime,
            field: Some(field),
        })
    })
    .transpose()
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

fn first_violation(value: &Value) -> Invalid {
    let Some(object) = value.as_object() else {
        return Reason::WrongType.into();
    };
    let present = |field: &str| object.get(field).is_some_and(|value| !value.is_null());
    let required = ["eventId", "operatorMessageId", "operatorId"];
    if let Some(field) = required.into_iter().find(|field| !present(field)) {
        return missing(field);
    }
    if !present("stat") && !present("status") {
        return missing("stat");
    }
    if present("stat") && !present("deliveredAt") {
        return missing("deliveredAt");
    }
    VALIDATOR
        .iter_errors(value)
        .find_map(|error| {
            let path = error.instance_path().to_string();
            let field = FIELDS
                .into_iter()
                .find(|field| path.strip_prefix('/') == Some(field))?;
            Some(Invalid {
                reason: reason_of(error.kind(), field),
                field: Some(field),
            })
        })
        .unwrap_or_else(|| Reason::WrongType.into())
}

fn reason_of(kind: &ValidationErrorKind, field: &str) -> Reason {
    match kind {
        ValidationErrorKind::MaxLength { .. } | ValidationErrorKind::MinLength { .. } => {
            Reason::BadLength
        }
        ValidationErrorKind::Pattern { .. } => Reason::BadCharacters,
        ValidationErrorKind::Format { .. } if field.ends_with("At") => Reason::BadTime,
        ValidationErrorKind::Format { .. } => Reason::BadUuid,
        ValidationErrorKind::AnyOf { context } => context
            .iter()
            .flatten()
            .map(|error| reason_of(error.kind(), field))
            .find(|reason| *reason != Reason::WrongType)
            .unwrap_or(Reason::WrongType),
        _ => Reason::WrongType,
    }
}

#[cfg(test)]
mod tests;
