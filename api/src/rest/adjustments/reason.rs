//! A reason as somebody writes it.

use std::borrow::Cow;

use schema::Personal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};

/// How many characters it has at least and at most.
const LENGTH: std::ops::RangeInclusive<usize> = 3..=500;

/// A text of 3 to 500 characters, which may have several lines. It may name a person, so it has no `Debug`.
pub(super) struct Reason(pub(super) Personal);

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Personal::new(String::deserialize(deserializer)?);
        if is_printable(text.expose()) {
            Ok(Self(text))
        } else {
            Err(D::Error::custom("not a printable text of that length"))
        }
    }
}

/// Whether something of it can be seen, and nothing of it moves anything but the line.
fn is_printable(text: &str) -> bool {
    let seen = text.chars().any(|c| !c.is_whitespace());
    let still = text.chars().all(|c| c == '\n' || !c.is_control());
    seen && still && LENGTH.contains(&text.chars().count())
}

impl JsonSchema for Reason {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Reason".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": LENGTH.start(),
            "maxLength": LENGTH.end(),
            "allOf": [
                { "pattern": r"\S" },
                { "pattern": r"^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]*$" },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_printable_and_neither_short_nor_long() {
        let (most, more) = ("é".repeat(500), "é".repeat(501));
        for good in ["abc", "two\nlines", "Ada was charged twice", &most] {
            assert!(is_printable(good), "{good:?}");
        }
        for wrong in ["", "ab", " \n ", "a\tb", "abc\u{7f}", "abc\0", &more] {
            assert!(!is_printable(wrong), "{wrong:?}");
        }
    }
}
