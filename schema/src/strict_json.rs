//! JSON as the contracts want it: UTF-8, every key once per object, bounded depth.
//!
//! `serde_json` keeps the last of two equal keys; two readers of one receipt could then disagree
//! about what it said, so here a repeated key makes the text invalid.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

const REPEATED_KEY: &str = "repeated key";

/// Why a text is not acceptable JSON. Says nothing of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not UTF-8.
    #[error("not utf-8")]
    NotUtf8,
    /// Not JSON, or nested deeper than the parser goes (128).
    #[error("not json")]
    Syntax,
    /// An object names a key twice.
    #[error("an object names a key twice")]
    RepeatedKey,
}

/// Reads one JSON value and nothing after it.
///
/// # Errors
/// Says in which of three ways the bytes are not acceptable JSON.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|_| JsonError::NotUtf8)?;
    match serde_json::from_str::<Strict>(text) {
        Ok(Strict(value)) => Ok(value),
        Err(error) if error.is_data() => Err(JsonError::RepeatedKey),
        Err(_) => Err(JsonError::Syntax),
    }
}

/// How deep `value` nests: a scalar is 0, an object or array of scalars 1.
#[must_use]
pub fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => return 0,
    };
    1 + inner.unwrap_or(0)
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Strict(value))) = members.next_entry::<String, Strict>()? {
            if object.insert(key, value).is_some() {
                return Err(A::Error::custom(REPEATED_KEY));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_given_twice_is_refused_at_any_depth() {
        assert_eq!(parse(br#"{"a":1,"a":2}"#), Err(JsonError::RepeatedKey));
        assert_eq!(
            parse(br#"[{"x":{"a":1,"\u0061":2}}]"#),
            Err(JsonError::RepeatedKey)
        );
    }

    #[test]
    fn broken_text_is_told_apart() {
        assert_eq!(parse(b"{\"a\":\"\xff\"}"), Err(JsonError::NotUtf8));
        assert_eq!(parse(b"{\"a\":1} tail"), Err(JsonError::Syntax));
        assert_eq!(parse(b""), Err(JsonError::Syntax));
        assert_eq!(
            parse("[".repeat(100_000).as_bytes()),
            Err(JsonError::Syntax)
        );
    }

    #[test]
    fn depth_counts_containers() {
        let value = parse(br#"{"a":[{"b":1}],"c":2}"#).expect("valid");
        assert_eq!(depth(&value), 3);
        assert_eq!(depth(&Value::Null), 0);
    }
}
