//! Money as tests and auditor count it: whole millionths of a currency's unit.
//!
//! On purpose not the services' own type: a mistake there must not be repeated here.

use std::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign, Neg, Sub},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

const UNIT: i128 = 1_000_000;

/// An amount, exact to a millionth; negative where more is lost than earned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millionths(pub i128);

impl Millionths {
    /// Reads `-0.045` and the like: a sign, digits, and at most six decimals.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, places) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
        if !plain(whole) || !plain(places) || places.len() > 6 || whole.len() > 24 {
            return None;
        }
        let whole: i128 = whole.parse().ok()?;
        let places: i128 = format!("{places:0<6}").parse().ok()?;
        let amount = Self(whole * UNIT + places);
        Some(if digits == text { amount } else { -amount })
    }

    /// So many of it.
    #[must_use]
    pub fn times(self, count: i16) -> Self {
        Self(self.0 * i128::from(count))
    }
}

impl fmt::Display for Millionths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, places) = (self.0.abs() / UNIT, self.0.abs() % UNIT);
        f.pad(&format!("{sign}{whole}.{places:06}"))
    }
}

impl Add for Millionths {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Millionths {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Millionths {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Millionths {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sum for Millionths {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Add::add)
    }
}

impl Serialize for Millionths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Millionths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not an amount of six decimals"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_as_it_is_written() {
        for (text, millionths) in [
            ("0.045000", 45_000),
            ("-0.000001", -1),
            ("999999.999990", 999_999_999_990),
            ("-12.500000", -12_500_000),
        ] {
            assert_eq!(Millionths::parse(text), Some(Millionths(millionths)));
            assert_eq!(Millionths(millionths).to_string(), text);
        }
        assert_eq!(Millionths::parse("7"), Some(Millionths(7_000_000)));
        assert_eq!(Millionths::parse("0.5"), Some(Millionths(500_000)));
        for text in ["", ".", "1.", ".5", "+1", "1e3", "0.0000001", "--1"] {
            assert_eq!(Millionths::parse(text), None, "{text}");
        }
    }

    #[test]
    fn nothing_is_rounded() {
        let third = Millionths::parse("0.333333").expect("valid");
        let sum: Millionths = [third; 3].into_iter().sum();
        assert_eq!(sum, third.times(3));
        assert_eq!(sum.to_string(), "0.999999");
        assert_eq!((sum - sum - third).to_string(), "-0.333333");
    }
}
