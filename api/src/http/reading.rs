//! Input becomes a type here, and a fault knows its place.
//!
//! Two small `serde` formats: a JSON value that was parsed already, and the texts of a query or a
//! path. Both say where something is wrong and in which of a few ways; neither ever says what was
//! sent, which the formats of `serde_json` and `serde_urlencoded` do.

mod json;
mod texts;

use std::fmt::Display;

use serde::{
    Deserialize,
    de::{Expected, IntoDeserializer, Unexpected, value::StrDeserializer},
};
use serde_json::Value;

use json::Json;
use texts::Texts;

/// What is wrong with some input, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at {path:?}")]
pub(super) struct Fault {
    /// In which way it is wrong.
    pub kind: FaultKind,
    /// Where, as a JSON pointer. Only names that the reading type knows are in it.
    pub path: String,
}

/// The ways in which input can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FaultKind {
    /// It has something that nobody asked for.
    #[error("unknown")]
    Unknown,
    /// Something needed is not there.
    #[error("missing")]
    Missing,
    /// It says the same thing twice.
    #[error("repeated")]
    Repeated,
    /// Another kind of value is needed, such as a text instead of a number.
    #[error("wrong type")]
    WrongType,
    /// The value is none of these.
    #[error("none of {0:?}")]
    NotOneOf(&'static [&'static str]),
    /// The value is not of the form that the document describes.
    #[error("malformed")]
    Malformed,
}

impl Fault {
    fn here(kind: FaultKind) -> Self {
        Self {
            kind,
            path: String::new(),
        }
    }

    fn under(mut self, step: impl Display) -> Self {
        self.path = format!("/{step}{}", self.path);
        self
    }
}

impl serde::de::Error for Fault {
    fn custom<T: Display>(_: T) -> Self {
        Self::here(FaultKind::Malformed)
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::here(FaultKind::WrongType)
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::here(FaultKind::NotOneOf(expected))
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self::here(FaultKind::Unknown)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::here(FaultKind::Missing).under(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::here(FaultKind::Repeated).under(field)
    }
}

/// Reads a `T` from a JSON value.
///
/// # Errors
/// The first fault found.
pub(super) fn json<'a, T: Deserialize<'a>>(value: &'a Value) -> Result<T, Fault> {
    T::deserialize(Json(value))
}

/// Reads a `T` from names and texts, each name at most once.
///
/// # Errors
/// The first fault found.
pub(super) fn texts<'a, T: Deserialize<'a>>(pairs: &'a [(String, String)]) -> Result<T, Fault> {
    T::deserialize(Texts::of(pairs))
}

/// A text that names a field or a choice.
fn name(text: &str) -> StrDeserializer<'_, Fault> {
    text.into_deserializer()
}

#[cfg(test)]
mod tests {
    use schema::{AccountId, Timestamp};
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Wish {
        account_id: AccountId,
        count: Option<u8>,
        colour: Option<Colour>,
        at: Option<Timestamp>,
        #[serde(default)]
        parts: Vec<Part>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
        Green,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Part {
        name: String,
    }

    const ID: &str = "6f1d2b7e-0000-4000-8000-000000000001";

    fn fault(value: &Value) -> (FaultKind, String) {
        let fault = json::<Wish>(value).expect_err("refused");
        (fault.kind, fault.path)
    }

    #[test]
    fn a_body_is_read_as_it_is_meant() {
        let value = json!({
            "accountId": ID, "count": 3, "colour": "red",
            "at": "2026-01-01T00:00:00Z", "parts": [{"name": "a"}],
        });
        let wish: Wish = json(&value).expect("good");
        assert_eq!((wish.count, wish.colour), (Some(3), Some(Colour::Red)));
        let none: Wish = json(&json!({"accountId": ID, "count": null})).expect("good");
        assert_eq!(none.count, None);
    }

    #[test]
    fn a_fault_in_a_body_knows_its_place_and_not_its_content() {
        let wrong = |value: Value| fault(&value);
        let at = |path: &str| path.to_owned();
        let part = json!({"accountId": ID, "parts": [{"name": "a"}, {"name": 7}]});
        assert_eq!(wrong(part), (FaultKind::WrongType, at("/parts/1/name")));
        let unknown = json!({"accountId": ID, "parts": [{"nome": "a"}]});
        assert_eq!(wrong(unknown), (FaultKind::Unknown, at("/parts/0")));
        assert_eq!(wrong(json!({})), (FaultKind::Missing, at("/accountId")));
        assert_eq!(wrong(json!(null)), (FaultKind::WrongType, at("")));
        let colour = json!({"accountId": ID, "colour": "blue"});
        let colours = FaultKind::NotOneOf(&["red", "green"]);
        assert_eq!(wrong(colour), (colours, at("/colour")));
        for count in [json!(256), json!(-1), json!(1e30), json!(0.5)] {
            let (_, path) = wrong(json!({"accountId": ID, "count": count}));
            assert_eq!(path, "/count");
        }
        let nul = json!({"accountId": ID, "parts": [{"name": "a\0b"}]});
        assert_eq!(wrong(nul), (FaultKind::Malformed, at("/parts/0/name")));
    }

    #[test]
    fn parameters_are_texts_that_mean_more() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let pairs = [
            pair("accountId", ID),
            pair("count", "3"),
            pair("colour", "green"),
        ];
        let wish: Wish = texts(&pairs).expect("good");
        assert_eq!((wish.count, wish.colour), (Some(3), Some(Colour::Green)));
        for (name, value, path) in [
            ("count", "+-3", "/count"),
            ("count", "99999999999999999999", "/count"),
            ("colour", "red\0", "/colour"),
            ("at", "2026-01-01", "/at"),
            ("hunter2", "1", ""),
        ] {
            let pairs = [pair("accountId", ID), pair(name, value)];
            let fault = texts::<Wish>(&pairs).expect_err("refused");
            assert_eq!(fault.path, path, "{name}={value}");
            assert!(!fault.to_string().contains("hunter2"));
        }
    }
}
