//! Money: exact decimals of six places, and the currency they are in.
//!
//! A unit price has at most six places, a charge is a unit price times a whole number of segments,
//! and everything else is a sum of charges: none of that rounds. What does says so: a cost that is
//! converted ([`Amount::converted`]), and invoices, to a currency's minor unit.

use std::{borrow::Cow, fmt, iter::Sum, ops, str::FromStr};

use rust_decimal::{Decimal, RoundingStrategy};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// How many decimal places every amount has.
pub const PLACES: u32 = 6;

/// An exact amount with six decimal places, in a currency that stands beside it. May be negative
/// (a margin). On the wire a decimal string: `"0.045000"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(Decimal);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::from_parts(0, 0, 0, false, PLACES));

    /// The amount, unless it has more than six places that are not zero or is too large to keep
    /// six.
    #[must_use]
    pub fn new(decimal: Decimal) -> Option<Self> {
        let mut exact = decimal;
        exact.rescale(PLACES);
        // A negative zero is zero.
        exact.set_sign_negative(exact.is_sign_negative() && !exact.is_zero());
        (exact == decimal && exact.scale() == PLACES).then_some(Self(exact))
    }

    /// So many millionths.
    #[must_use]
    pub fn from_millionths(millionths: i64) -> Self {
        Self(Decimal::new(millionths, PLACES))
    }

    /// The amount as the database and other libraries take it.
    #[must_use]
    pub const fn decimal(self) -> Decimal {
        self.0
    }

    /// Whether it is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0.is_sign_negative()
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The same value in another currency, of which one of this is `rate`: rounded to six places,
    /// half away from zero. Nothing if that is a million or more: no charge is.
    #[must_use]
    pub fn converted(self, rate: Rate) -> Option<Self> {
        let value = self.0.checked_mul(rate.0)?;
        let strategy = RoundingStrategy::MidpointAwayFromZero;
        let value = value.round_dp_with_strategy(PLACES, strategy);
        Self::new(value).filter(|value| value.0.abs() < Decimal::from(1_000_000))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ops::Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl ops::Sub for Amount {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, ops::Add::add)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Decimal::from_str(&text)
            .ok()
            .and_then(Self::new)
            .ok_or_else(|| D::Error::custom("not a decimal of at most six places"))
    }
}

impl JsonSchema for Amount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^-?[0-9]{1,22}\.[0-9]{6}$",
            "description": "A decimal with six places, in the currency named beside it.",
        })
    }
}

/// What one segment or one message costs: from 0 up to, not including, 100 000, with at most six
/// decimal places. Ten segments at that price still fit `numeric(12,6)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct UnitPrice(Amount);

/// Why a text is no unit price. Never shows the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoUnitPrice {
    /// Not digits with at most one point between them.
    #[error("must be a decimal number such as \"0.045\"")]
    NotDecimal,
    /// Below zero.
    #[error("must not be negative")]
    Negative,
    /// Digits beyond the sixth place.
    #[error("must not have more than 6 decimal places")]
    TooPrecise,
    /// 100 000 or more.
    #[error("must be below 100000")]
    TooLarge,
}

impl UnitPrice {
    /// The price of `count` of them.
    #[must_use]
    pub fn times(self, count: i16) -> Amount {
        Amount(self.0.0 * Decimal::from(count))
    }

    /// The price of one.
    #[must_use]
    pub const fn amount(self) -> Amount {
        self.0
    }
}

impl TryFrom<Amount> for UnitPrice {
    type Error = NoUnitPrice;

    fn try_from(amount: Amount) -> Result<Self, NoUnitPrice> {
        if amount.is_negative() {
            return Err(NoUnitPrice::Negative);
        }
        if amount.0 >= Decimal::from(100_000) {
            return Err(NoUnitPrice::TooLarge);
        }
        Ok(Self(amount))
    }
}

impl FromStr for UnitPrice {
    type Err = NoUnitPrice;

    fn from_str(text: &str) -> Result<Self, NoUnitPrice> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, places) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || !plain(places) {
            return Err(NoUnitPrice::NotDecimal);
        }
        if digits.len() < text.len() {
            return Err(NoUnitPrice::Negative);
        }
        if places.trim_end_matches('0').len() > PLACES as usize {
            return Err(NoUnitPrice::TooPrecise);
        }
        if whole.trim_start_matches('0').len() > PLACES as usize {
            return Err(NoUnitPrice::TooLarge);
        }
        let places = places.trim_end_matches('0');
        let decimal = Decimal::from_str(&format!("{whole}.{places:0<6}"));
        let amount = decimal.ok().and_then(Amount::new);
        amount.ok_or(NoUnitPrice::TooLarge)?.try_into()
    }
}

impl fmt::Display for UnitPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for UnitPrice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for UnitPrice {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "UnitPrice".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^0*[0-9]{1,5}(\.[0-9]{1,6}0*)?$",
            "description": "A decimal from 0 up to 99999.999999, in the currency named beside it.",
        })
    }
}

/// What one unit of a currency is in another: above zero, at most ten digits before the point and
/// ten behind it. On the wire a decimal string: `"0.9215"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Rate(Decimal);

/// The texts that are rates: with a digit that is not 0, before the point or behind it.
const PATTERN: &str = concat!(
    r"^0*([1-9][0-9]{0,9}(\.[0-9]{1,10}0*)?",
    r"|0\.([1-9][0-9]{0,9}|0[1-9][0-9]{0,8}|00[1-9][0-9]{0,7}",
    r"|000[1-9][0-9]{0,6}|0000[1-9][0-9]{0,5}|00000[1-9][0-9]{0,4}",
    r"|000000[1-9][0-9]{0,3}|0000000[1-9][0-9]{0,2}|00000000[1-9][0-9]{0,1}",
    r"|000000000[1-9])0*)$",
);

/// Why a text is no exchange rate. Never shows the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRate {
    /// Not digits with at most one point between them.
    #[error("must be a decimal number such as \"0.9215\"")]
    NotDecimal,
    /// Zero, or below it.
    #[error("must be above zero")]
    NotPositive,
    /// Digits beyond the tenth place.
    #[error("must not have more than 10 decimal places")]
    TooPrecise,
    /// Too many digits before the point.
    #[error("must be below 10000000000")]
    TooLarge,
}

impl Rate {
    /// How many digits it has at most, before the point and behind it.
    const DIGITS: usize = 10;

    /// The rate as the database and other libraries take it.
    #[must_use]
    pub const fn decimal(self) -> Decimal {
        self.0
    }
}

impl TryFrom<Decimal> for Rate {
    type Error = NoRate;

    fn try_from(decimal: Decimal) -> Result<Self, NoRate> {
        decimal.normalize().to_string().parse()
    }
}

impl FromStr for Rate {
    type Err = NoRate;

    fn from_str(text: &str) -> Result<Self, NoRate> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, places) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || !plain(places) {
            return Err(NoRate::NotDecimal);
        }
        if digits.len() < text.len() {
            return Err(NoRate::NotPositive);
        }
        let (whole, places) = (whole.trim_start_matches('0'), places.trim_end_matches('0'));
        if places.len() > Self::DIGITS {
            return Err(NoRate::TooPrecise);
        }
        if whole.len() > Self::DIGITS {
            return Err(NoRate::TooLarge);
        }
        let decimal = Decimal::from_str(&format!("0{whole}.{places:0<1}"));
        // Unwrap safety: at most twenty digits.
        let decimal = decimal.expect("a decimal").normalize();
        if decimal.is_zero() {
            return Err(NoRate::NotPositive);
        }
        Ok(Self(decimal))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Rate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": PATTERN,
            "description": "A decimal above zero: what one unit of the base currency is in the quote currency.",
        })
    }
}

/// A currency of ISO 4217 that is in circulation and has a minor unit. Funds, metals, codes for
/// testing and what was superseded by another currency are none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The currency with this code of three capital letters, if there is one.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let letters: [u8; 3] = code.as_bytes().try_into().ok()?;
        if !letters.iter().all(u8::is_ascii_uppercase) {
            return None;
        }
        let listed = iso_currency::Currency::from_code(code)?;
        // The flags are: a fund, special (metals, units of account, tests), superseded.
        let circulates = listed.flags().is_empty() && listed.exponent().is_some();
        circulates.then_some(Self(letters))
    }

    /// How many decimal places its minor unit has: 2 for a cent, 0 where there is none smaller.
    #[must_use]
    pub fn minor_units(&self) -> u32 {
        let listed = iso_currency::Currency::from_code(self.as_str());
        let places = listed.and_then(iso_currency::Currency::exponent);
        // Unwrap safety: only currencies with a minor unit are made.
        places.expect("a currency in circulation").into()
    }

    /// Its code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Unwrap safety: three ASCII letters.
        std::str::from_utf8(&self.0).expect("a currency code is ascii")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&code).ok_or_else(|| D::Error::custom("not a currency code of ISO 4217"))
    }
}

impl JsonSchema for Currency {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[A-Z]{3}$",
            "description": "A currency code of ISO 4217.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Result<String, NoUnitPrice> {
        text.parse::<UnitPrice>().map(|price| price.to_string())
    }

    #[test]
    fn a_unit_price_keeps_six_places_and_never_rounds() {
        assert_eq!(price("0.045").as_deref(), Ok("0.045000"));
        assert_eq!(price("7").as_deref(), Ok("7.000000"));
        assert_eq!(price("0.1234560000").as_deref(), Ok("0.123456"));
        assert_eq!(price("99999.999999").as_deref(), Ok("99999.999999"));
        assert_eq!(price("0.0000001"), Err(NoUnitPrice::TooPrecise));
        assert_eq!(price("100000"), Err(NoUnitPrice::TooLarge));
        assert_eq!(price(&"9".repeat(90)), Err(NoUnitPrice::TooLarge));
        assert_eq!(price("-0.01"), Err(NoUnitPrice::Negative));
        for refused in [
            "", ".", "1.", ".5", "1e3", "1,5", "+1", "0x1", "NaN", " 1", "١",
        ] {
            assert_eq!(price(refused), Err(NoUnitPrice::NotDecimal), "{refused:?}");
        }
    }

    #[test]
    fn ten_segments_at_the_highest_price_are_exact() {
        let highest: UnitPrice = "99999.999999".parse().expect("valid");
        assert_eq!(highest.times(10).to_string(), "999999.999990");
    }

    #[test]
    fn amounts_add_up_exactly_and_may_be_negative() {
        let tenth = Amount::from_millionths(100_000);
        let sum: Amount = [tenth; 3].into_iter().sum();
        assert_eq!(sum.to_string(), "0.300000");
        let loss = tenth - sum;
        assert_eq!(
            (loss.to_string().as_str(), loss.is_negative()),
            ("-0.200000", true)
        );
        assert_eq!(
            serde_json::to_string(&loss).expect("serialises"),
            r#""-0.200000""#
        );
        let read: Amount = serde_json::from_str(r#""-0.2""#).expect("reads");
        assert_eq!(read, loss);
        assert!(serde_json::from_str::<Amount>(r#""0.0000001""#).is_err());
        assert!(serde_json::from_str::<Amount>("0.1").is_err(), "no floats");
        assert!(!(loss - loss).is_negative(), "no negative zero");
    }

    #[test]
    fn a_rate_is_above_zero_and_never_rounded() {
        let rate = |text: &str| text.parse::<Rate>().map(|rate| rate.to_string());
        assert_eq!(rate("0.9215").as_deref(), Ok("0.9215"));
        assert_eq!(rate("1").as_deref(), Ok("1"));
        assert_eq!(rate("0150.50").as_deref(), Ok("150.5"));
        for (text, why) in [
            ("0", NoRate::NotPositive),
            ("0.0000", NoRate::NotPositive),
            ("-1", NoRate::NotPositive),
            ("1.00000000001", NoRate::TooPrecise),
            ("10000000000", NoRate::TooLarge),
            ("", NoRate::NotDecimal),
            ("1e2", NoRate::NotDecimal),
            ("1,5", NoRate::NotDecimal),
        ] {
            assert_eq!(rate(text), Err(why), "{text:?}");
        }
    }

    #[test]
    fn a_converted_amount_is_rounded_half_away_from_zero() {
        let convert = |millionths, rate: &str| {
            let rate = rate.parse().expect("a rate");
            let converted = Amount::from_millionths(millionths).converted(rate);
            converted.map(|amount| amount.to_string())
        };
        assert_eq!(convert(20_000, "0.92").as_deref(), Some("0.018400"));
        assert_eq!(convert(1, "0.5").as_deref(), Some("0.000001"));
        assert_eq!(convert(1, "0.4999999999").as_deref(), Some("0.000000"));
        assert_eq!(convert(-1, "0.5").as_deref(), Some("-0.000001"));
        assert_eq!(convert(3, "0.5").as_deref(), Some("0.000002"));
        assert_eq!(
            convert(1_000_000, "999999").as_deref(),
            Some("999999.000000")
        );
        assert_eq!(convert(1_000_000, "1000000"), None);
    }

    #[test]
    fn a_currency_is_one_in_circulation_with_a_minor_unit() {
        for (code, places) in [("EUR", 2), ("JPY", 0), ("XOF", 0), ("KWD", 3), ("XCG", 2)] {
            let currency = Currency::parse(code).expect(code);
            assert_eq!((currency.as_str(), currency.minor_units()), (code, places));
        }
        for refused in ["eur", "EU", "EURO", "ZZZ", "E\0R", ""] {
            assert_eq!(Currency::parse(refused), None, "{refused:?}");
        }
        // No currency, for tests, a metal, a unit of account, a fund, two that were superseded.
        for refused in [
            "XXX", "XTS", "XAU", "XDR", "CHE", "HRK", "ZWL", "ANG", "DEM",
        ] {
            assert_eq!(Currency::parse(refused), None, "{refused:?}");
        }
    }
}
