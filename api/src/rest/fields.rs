//! Values in bodies that say more exactly what is wrong with them than their types do.

use std::{borrow::Cow, collections::BTreeSet};

use schema::{Currency, Direction, Status, UnitPrice};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::http::problem::{Code, Problem};

/// A unit price as somebody wrote it.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct PriceText(String);

impl PriceText {
    /// The price.
    ///
    /// # Errors
    /// It is none; `field` is told, and why.
    pub(super) fn price(&self, field: &'static str) -> Result<UnitPrice, Problem> {
        let price = self.0.parse::<UnitPrice>();
        price.map_err(|error| {
            Problem::new(Code::InvalidField)
                .at(field)
                .because(error.to_string())
        })
    }
}

impl JsonSchema for PriceText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        UnitPrice::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        UnitPrice::json_schema(generator)
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

/// The final statuses that are charged for: at least one, each once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct BillableStatuses(pub(super) BTreeSet<Status>);

impl Default for BillableStatuses {
    fn default() -> Self {
        Self(final_statuses().collect())
    }
}

impl<'de> Deserialize<'de> for BillableStatuses {
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

impl JsonSchema for BillableStatuses {
    fn schema_name() -> Cow<'static, str> {
        "BillableStatuses".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<_> = final_statuses().map(Status::as_str).collect();
        json_schema!({
            "type": "array",
            "items": { "type": "string", "enum": words },
            "minItems": 1,
            "uniqueItems": true,
            "description": "The final statuses that are charged for.",
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
        let price = |text: &str| PriceText(text.to_owned()).price("/unitPrice");
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
    fn every_billable_status_is_final_and_named_once() {
        let read = |text: &str| serde_json::from_str::<BillableStatuses>(text);
        let set = read(r#"["DELIVERED","FAILED"]"#).expect("good").0;
        assert_eq!(set.len(), 2);
        assert_eq!(BillableStatuses::default().0.len(), 5);
        for wrong in ["[]", r#"["UNKNOWN"]"#, r#"["FAILED","FAILED"]"#, r#"["x"]"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
