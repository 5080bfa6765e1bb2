//! Reading what others send: strict JSON, checked against the schema of its type, refused with
//! one reason.
//!
//! Nothing of a refused message's content is in that reason, so it may be logged and counted.

use jsonschema::{Validator, error::ValidationErrorKind};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    Timestamp,
    strict_json::{self, JsonError},
};

/// The largest message accepted, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
/// The schema version all producers write today.
pub const SCHEMA_VERSION: &str = "1.0";

/// Why a message is refused. The name is the metric's `reason`.
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
    /// Not a UUID, or the nil one.
    BadUuid,
    /// Not an RFC 3339 time with an offset.
    BadTime,
    /// A number is outside of its range.
    OutOfRange,
    /// A word that is none of those allowed there.
    UnknownWord,
    /// `rawPayload` is over [`crate::receipt::MAX_RAW_PAYLOAD_BYTES`].
    RawPayloadTooLarge,
    /// `rawPayload` nests beyond [`crate::receipt::MAX_RAW_PAYLOAD_DEPTH`].
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
            Self::OutOfRange => "out_of_range",
            Self::UnknownWord => "unknown_word",
            Self::RawPayloadTooLarge => "raw_payload_too_large",
            Self::RawPayloadTooDeep => "raw_payload_too_deep",
        }
    }
}

/// A refusal: the reason and, where one field is at fault, its name. Never its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("message refused: {} ({})", reason.as_str(), field.unwrap_or("whole message"))]
pub struct Invalid {
    /// The first thing that is wrong with it, for metrics and the log; tells nothing of its
    /// content.
    pub reason: Reason,
    /// A field of the contract.
    pub field: Option<&'static str>,
}

impl Invalid {
    pub(crate) const fn missing(field: &'static str) -> Self {
        Self {
            reason: Reason::MissingField,
            field: Some(field),
        }
    }
}

impl From<Reason> for Invalid {
    fn from(reason: Reason) -> Self {
        Self {
            reason,
            field: None,
        }
    }
}

/// The shape of one kind of message.
pub(crate) struct Form {
    validator: Validator,
    fields: &'static [&'static str],
}

impl Form {
    /// The form of `T`. A refusal names only `fields`, never a key of the sender's making.
    pub(crate) fn of<T: JsonSchema>(fields: &'static [&'static str]) -> Self {
        let schema = schemars::schema_for!(T).to_value();
        // Unwrap safety: the schema is generated from a type of ours; tests compile every one.
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .expect("a generated schema compiles");
        Self { validator, fields }
    }

    /// A message that is of this form. `missing_field` names the required field that is absent,
    /// if one is.
    pub(crate) fn check(
        &self,
        bytes: &[u8],
        missing_field: fn(&Map<String, Value>) -> Option<&'static str>,
    ) -> Result<Value, Invalid> {
        if bytes.len() > MAX_BYTES {
            return Err(Reason::TooLarge.into());
        }
        let value = strict_json::parse(bytes).map_err(|error| match error {
            JsonError::NotUtf8 => Reason::NotUtf8,
            JsonError::Syntax => Reason::NotJson,
            JsonError::RepeatedKey => Reason::RepeatedKey,
        })?;
        if !self.validator.is_valid(&value) {
            return Err(self.first_violation(&value, missing_field));
        }
        Ok(value)
    }

    fn first_violation(
        &self,
        value: &Value,
        missing_field: fn(&Map<String, Value>) -> Option<&'static str>,
    ) -> Invalid {
        let Some(object) = value.as_object() else {
            return Reason::WrongType.into();
        };
        if let Some(field) = missing_field(object) {
            return Invalid::missing(field);
        }
        let named = |error: jsonschema::ValidationError<'_>| {
            let path = error.instance_path().to_string();
            let mut fields = self.fields.iter().copied();
            let field = fields.find(|field| path.strip_prefix('/') == Some(field))?;
            Some(Invalid {
                reason: reason_of(error.kind(), field),
                field: Some(field),
            })
        };
        let violation = self.validator.iter_errors(value).find_map(named);
        violation.unwrap_or_else(|| Reason::WrongType.into())
    }
}

/// The first of these fields that is absent or null.
pub(crate) fn first_absent(
    message: &Map<String, Value>,
    required: &[&'static str],
) -> Option<&'static str> {
    let absent = |field: &str| message.get(field).is_none_or(Value::is_null);
    required.iter().copied().find(|field| absent(field))
}

/// A checked message as its type.
pub(crate) fn typed<T: DeserializeOwned>(message: Value) -> Result<T, Invalid> {
    serde_json::from_value(message).map_err(|_| Reason::WrongType.into())
}

fn reason_of(kind: &ValidationErrorKind, field: &str) -> Reason {
    match kind {
        ValidationErrorKind::MaxLength { .. } | ValidationErrorKind::MinLength { .. } => {
            Reason::BadLength
        }
        ValidationErrorKind::Pattern { .. } => Reason::BadCharacters,
        ValidationErrorKind::Minimum { .. } | ValidationErrorKind::Maximum { .. } => {
            Reason::OutOfRange
        }
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => {
            Reason::UnknownWord
        }
        ValidationErrorKind::Format { .. } if field.ends_with("At") => Reason::BadTime,
        // Only the nil id is named as what a field must not hold.
        ValidationErrorKind::Format { .. } | ValidationErrorKind::Not { .. } => Reason::BadUuid,
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            context
                .iter()
                .flatten()
                .map(|error| reason_of(error.kind(), field))
                .find(|reason| *reason != Reason::WrongType)
                .unwrap_or(Reason::WrongType)
        }
        _ => Reason::WrongType,
    }
}

/// Reads an RFC 3339 time of the field `field`.
pub(crate) fn read_time(
    text: Option<&str>,
    field: &'static str,
) -> Result<Option<Timestamp>, Invalid> {
    text.map(|text| {
        Timestamp::parse(text).ok_or(Invalid {
            reason: Reason::BadTime,
            field: Some(field),
        })
    })
    .transpose()
}
