//! The amount of an adjustment: money that a person wrote, in either direction.

use std::{borrow::Cow, fmt, str::FromStr};

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::money::{Amount, PLACES};

/// How many digits stand before the point at most.
const DIGITS: usize = 9;

/// What an account pays more or, negative, less: never zero, below 1 000 000 000 either way, with at
/// most six decimal places. In a currency that stands beside it. On the wire a decimal string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AdjustmentAmount(Amount);

/// Why a text is no amount of an adjustment. Never shows the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAdjustmentAmount {
    /// Not digits with at most one point between them, after a sign or none.
    #[error("must be a decimal number such as \"-12.50\"")]
    NotDecimal,
    /// Digits beyond the sixth place.
    #[error("must not have more than 6 decimal places")]
    TooPrecise,
    /// 1 000 000 000 or more, either way.
    #[error("must be below 1000000000 either way")]
    TooLarge,
    /// Nothing would be adjusted.
    #[error("must not be zero")]
    Zero,
}

impl AdjustmentAmount {
    /// The amount as it is added up.
    #[must_use]
    pub const fn amount(self) -> Amount {
        self.0
    }
}

impl TryFrom<Amount> for AdjustmentAmount {
    type Error = NoAdjustmentAmount;

    fn try_from(amount: Amount) -> Result<Self, NoAdjustmentAmount> {
        if amount == Amount::ZERO {
            return Err(NoAdjustmentAmount::Zero);
        }
        if amount.decimal().abs() >= Decimal::from(1_000_000_000) {
            return Err(NoAdjustmentAmount::TooLarge);
        }
        Ok(Self(amount))
    }
}

impl FromStr for AdjustmentAmount {
    type Err = NoAdjustmentAmount;

    fn from_str(text: &str) -> Result<Self, NoAdjustmentAmount> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, places) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || !plain(places) {
            return Err(NoAdjustmentAmount::NotDecimal);
        }
        let (whole, places) = (whole.trim_start_matches('0'), places.trim_end_matches('0'));
        if places.len() > PLACES as usize {
            return Err(NoAdjustmentAmount::TooPrecise);
        }
        if whole.len() > DIGITS {
            return Err(NoAdjustmentAmount::TooLarge);
        }
        let sign = &text[..text.len() - digits.len()];
        let decimal = Decimal::from_str(&format!("{sign}0{whole}.{places:0<6}"));
        let amount = decimal.ok().and_then(Amount::new);
        amount.ok_or(NoAdjustmentAmount::TooLarge)?.try_into()
    }
}

impl fmt::Display for AdjustmentAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for AdjustmentAmount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for AdjustmentAmount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AdjustmentAmount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "allOf": [
                { "pattern": r"^-?0*[0-9]{1,9}(\.[0-9]{1,6}0*)?$" },
                { "pattern": "[1-9]" },
            ],
            "description": "A decimal that is not zero, from -999999999.999999 up to \
                            999999999.999999, in the currency named beside it.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adjustment_is_signed_and_never_zero() {
        let read = |text: &str| text.parse::<AdjustmentAmount>();
        for (text, told) in [
            ("-12.5", "-12.500000"),
            ("0.000001", "0.000001"),
            ("007", "7.000000"),
            ("-999999999.9999990", "-999999999.999999"),
        ] {
            assert_eq!(read(text).expect("good").to_string(), told);
        }
        for (wrong, why) in [
            ("0", NoAdjustmentAmount::Zero),
            ("-0.000000", NoAdjustmentAmount::Zero),
            ("1000000000", NoAdjustmentAmount::TooLarge),
            ("-1000000000", NoAdjustmentAmount::TooLarge),
            ("0.0000001", NoAdjustmentAmount::TooPrecise),
            ("+1", NoAdjustmentAmount::NotDecimal),
            ("--1", NoAdjustmentAmount::NotDecimal),
            ("1e3", NoAdjustmentAmount::NotDecimal),
            ("1.", NoAdjustmentAmount::NotDecimal),
            (".5", NoAdjustmentAmount::NotDecimal),
            ("", NoAdjustmentAmount::NotDecimal),
            ("-", NoAdjustmentAmount::NotDecimal),
            ("1,5", NoAdjustmentAmount::NotDecimal),
        ] {
            assert_eq!(read(wrong), Err(why), "{wrong}");
        }
    }
}
