//! Values in bodies that say more exactly what is wrong with them than their types do.

use std::{borrow::Cow, collections::BTreeSet, fmt::Display, marker::PhantomData, str::FromStr};

use schema::{Currency, Direction, Rate, Status, UnitPrice};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::http::problem::{Code, Problem};

/// A decimal as somebody wrote it, which is to be a `T`.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct DecimalText<T> {
    text: String,
    #[serde(skip)]
    kind: PhantomData<fn() -> T>,
}

/// A unit price as somebody wrote it.
pub(super) type PriceText = DecimalText<UnitPrice>;

/// An exchange rate as somebody wrote it.
pub(super) type RateText = DecimalText<Rate>;

impl<T> DecimalText<T>
where
    T: FromStr<Err: Display>,
{
    /// What it says.
    ///
    /// # Errors
    /// It is no `T`; `field` is told, and why.
    pub(super) fn read(&self, field: &'static str) -> Result<T, Problem> {
        self.text.parse().map_err(|error: T::Err| {
            Problem::new(Code::InvalidField)
                .at(field)
                .because(error.to_string())
        })
    }
}

impl<T: JsonSchema> JsonSchema for DecimalText<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A currency as somebody names it. The document lists those there are, so that callers can choose.
#[derive(Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(super) struct CurrencyCode(pub(super) Currency);

impl JsonSchema for CurrencyCode {
    fn schema_name() -> Cow<'static, str> {
        "CurrencyCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes: Vec<_> = every_code().filter(|code| is_currency(code)).collect();
        json_schema!({
            "type": "string",
            "enum": codes,
            "description": "A currency code of ISO 4217.",
        })
    }
}

/// `AAA` to `ZZZ`.
fn every_code() -> impl Iterator<Item = String> {
    let letters = || 'A'..='Z';
    letters().flat_map(move |a| {
        letters().flat_map(move |b| letters().map(move |c| String::from_iter([a, b, c])))
    })
}

fn is_currency(code: &str) -> bool {
    Currency::parse(code).is_some()
}

/// Final statuses, which a price charges for or a cost is due for: at least one, each once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct FinalStatuses(pub(super) BTreeSet<Status>);

impl Default for FinalStatuses {
    fn default() -> Self {
        Self(final_statuses().collect())
    }
}

impl<'de> Deserialize<'de> for FinalStatuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = Vec::<Status>::deserialize(deserializer)?;
        let set: BTreeSet<_> = list.iter().copied().collect();
        let good = !set.is_empty() && set.len() == list.len();
        if good && set.iter().all(|status| status.is_final()) {
            Ok(Self(set))
        } else {
            Err(D::Error::custom("at least one final status, each once"))
        }
    }
}

impl JsonSchema for FinalStatuses {
    fn schema_name() -> Cow<'static, str> {
        "FinalStatuses".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<_> = final_statuses().map(Status::as_str).collect();
        json_schema!({
            "type": "array",
            "items": { "type": "string", "enum": words },
            "minItems": 1,
            "uniqueItems": true,
            "description": "Final statuses: at least one, each once.",
        })
    }
}

fn final_statuses() -> impl Iterator<Item = Status> {
    Status::ALL.into_iter().filter(|status| status.is_final())
}

/// A field that may be left out and cannot be null. To be used with `default`.
pub(super) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Whether, where nothing is said.
pub(super) const fn yes() -> bool {
    true
}

/// Which way messages go where nothing is said.
pub(super) const fn to_handsets() -> Direction {
    Direction::Mt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_says_what_is_wrong_with_it_and_not_what_it_is() {
        let price = |text: &str| {
            let text: PriceText = serde_json::from_value(text.into()).expect("a text");
            text.read("/unitPrice")
        };
        assert!(price("0.045").is_ok());
        for wrong in ["-77", "0.00000077", "777777", "77,7"] {
            let problem = price(wrong).expect_err("refused");
            assert_eq!(problem.code(), Code::InvalidField);
            let told = String::from_utf8(problem.document(uuid::Uuid::nil())).expect("UTF-8");
            assert!(
                told.contains("/unitPrice") && !told.contains("77"),
                "{told}"
            );
        }
    }

    #[test]
    fn the_document_lists_the_currencies_there_are() {
        let schema = CurrencyCode::json_schema(&mut SchemaGenerator::default()).to_value();
        let codes = schema["enum"].as_array().expect("a list");
        assert!(codes.len() > 150 && codes.contains(&"EUR".into()));
        assert!(!codes.contains(&"ABC".into()));
    }

    #[test]
    fn every_status_of_a_set_is_final_and_named_once() {
        let read = |text: &str| serde_json::from_str::<FinalStatuses>(text);
        let set = read(r#"["DELIVERED","FAILED"]"#).expect("good").0;
        assert_eq!(set.len(), 2);
        assert_eq!(FinalStatuses::default().0.len(), 5);
        for wrong in ["[]", r#"["UNKNOWN"]"#, r#"["FAILED","FAILED"]"#, r#"["x"]"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
