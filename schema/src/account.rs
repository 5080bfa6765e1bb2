//! The terms an account is invoiced by: when it pays, in which language it is written to, which tax
//! is due. Nothing here is personal data.

use std::{borrow::Cow, fmt, str::FromStr};

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The most days that may be given to pay.
const DAYS_MAX: u16 = 365;
/// The highest tax rate, in hundredths of a percent.
const RATE_MAX: u16 = 10_000;

/// Every country of ISO 3166-1 by its two letters.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ \
    BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE \
    DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR \
    GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP \
    KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT \
    MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW \
    PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG \
    TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// A country of ISO 3166-1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// The country with this code of two capital letters, if there is one.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let letters = code.as_bytes().try_into().ok()?;
        Self::all()
            .any(|known| known == code)
            .then_some(Self(letters))
    }

    /// Its code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Unwrap safety: two ASCII letters.
        std::str::from_utf8(&self.0).expect("a country code is ascii")
    }

    fn all() -> impl Iterator<Item = &'static str> {
        COUNTRIES.split_ascii_whitespace()
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for CountryCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CountryCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&code).ok_or_else(|| D::Error::custom("not a country code of ISO 3166-1"))
    }
}

impl JsonSchema for CountryCode {
    fn schema_name() -> Cow<'static, str> {
        "CountryCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes: Vec<_> = Self::all().collect();
        json_schema!({
            "type": "string",
            "enum": codes,
            "description": "A country by its two letters, ISO 3166-1.",
        })
    }
}

/// How many days after its date an invoice is due: 0 to 365.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct PaymentDays(u16);

impl PaymentDays {
    /// So many days; nothing if that is too long.
    #[must_use]
    pub fn new(days: u16) -> Option<Self> {
        (days <= DAYS_MAX).then_some(Self(days))
    }

    /// How many.
    #[must_use]
    pub const fn days(self) -> u16 {
        self.0
    }
}

impl Default for PaymentDays {
    fn default() -> Self {
        Self(30)
    }
}

impl<'de> Deserialize<'de> for PaymentDays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let days = u16::deserialize(deserializer)?;
        Self::new(days).ok_or_else(|| D::Error::custom("more than 365 days"))
    }
}

impl JsonSchema for PaymentDays {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "PaymentDays".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": DAYS_MAX })
    }
}

/// The language of an invoice, BCP 47.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum InvoiceLanguage {
    /// German.
    De,
    /// English.
    #[default]
    En,
    /// Spanish.
    Es,
    /// French.
    Fr,
    /// Italian.
    It,
    /// Dutch.
    Nl,
    /// Polish.
    Pl,
    /// Portuguese.
    Pt,
}

impl InvoiceLanguage {
    /// All there are.
    pub const ALL: [Self; 8] = [
        Self::De,
        Self::En,
        Self::Es,
        Self::Fr,
        Self::It,
        Self::Nl,
        Self::Pl,
        Self::Pt,
    ];

    /// Its tag.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::De => "de",
            Self::En => "en",
            Self::Es => "es",
            Self::Fr => "fr",
            Self::It => "it",
            Self::Nl => "nl",
            Self::Pl => "pl",
            Self::Pt => "pt",
        }
    }

    /// The language with this tag.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == tag)
    }
}

/// Why and how an account is taxed: the VAT category codes of EN 16931 (UNCL 5305).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum TaxCategory {
    /// The standard rate, or a reduced one.
    S,
    /// Zero rated.
    Z,
    /// Exempt.
    E,
    /// Reverse charge: the customer owes the tax.
    AE,
    /// A supply to another country of the European Economic Area.
    K,
    /// An export, untaxed.
    G,
    /// Not subject to tax.
    O,
}

impl TaxCategory {
    /// All there are.
    pub const ALL: [Self; 7] = [
        Self::S,
        Self::Z,
        Self::E,
        Self::AE,
        Self::K,
        Self::G,
        Self::O,
    ];

    /// Its code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::Z => "Z",
            Self::E => "E",
            Self::AE => "AE",
            Self::K => "K",
            Self::G => "G",
            Self::O => "O",
        }
    }

    /// The category with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == code)
    }

    /// Whether tax is due at this rate: something where the category is taxed, else nothing.
    #[must_use]
    pub fn allows(self, rate: TaxRate) -> bool {
        (self == Self::S) != (rate == TaxRate::ZERO)
    }
}

/// A tax rate in percent, 0 to 100, of at most two decimal places. On the wire `"19.00"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaxRate(u16);

impl TaxRate {
    /// No tax.
    pub const ZERO: Self = Self(0);

    /// The rate in percent as the database takes it.
    #[must_use]
    pub fn percent(self) -> Decimal {
        Decimal::new(self.0.into(), 2)
    }

    /// The rate of so many percent; nothing if it is none.
    #[must_use]
    pub fn of_percent(percent: Decimal) -> Option<Self> {
        percent.normalize().to_string().parse().ok()
    }
}

/// Why a text is no tax rate. Never shows the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a percentage from 0 to 100 with at most 2 decimal places, such as \"19.00\"")]
pub struct NoTaxRate;

impl FromStr for TaxRate {
    type Err = NoTaxRate;

    fn from_str(text: &str) -> Result<Self, NoTaxRate> {
        let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str, most| {
            let digits = part.bytes().all(|b| b.is_ascii_digit());
            digits && (1..=most).contains(&part.len())
        };
        if !digits(whole, 3) || !digits(places, 2) {
            return Err(NoTaxRate);
        }
        let hundredths = format!("{whole}{places:0<2}");
        let hundredths: u32 = hundredths.parse().map_err(|_| NoTaxRate)?;
        let hundredths = u16::try_from(hundredths).ok();
        let rate = hundredths.filter(|hundredths| *hundredths <= RATE_MAX);
        rate.map(Self).ok_or(NoTaxRate)
    }
}

impl fmt::Display for TaxRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl fmt::Debug for TaxRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for TaxRate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TaxRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for TaxRate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TaxRate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^(0?[0-9]{1,2}(\.[0-9]{1,2})?|100(\.0{1,2})?)$",
            "description": "A percentage from 0 to 100 with at most two decimal places.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tax_rate_is_a_percentage_of_two_places_and_never_rounded() {
        let rate = |text: &str| text.parse::<TaxRate>().map(|rate| rate.to_string());
        for (good, shown) in [
            ("19", "19.00"),
            ("7.7", "7.70"),
            ("0", "0.00"),
            ("8.05", "8.05"),
            ("007", "7.00"),
            ("100.00", "100.00"),
        ] {
            assert_eq!(rate(good).as_deref(), Ok(shown));
        }
        for wrong in [
            "", "100.01", "101", "19.005", "-1", "+1", "1.", ".5", "1e1", "19%", "١", "0019",
        ] {
            assert_eq!(rate(wrong), Err(NoTaxRate), "{wrong:?}");
        }
        let percent: TaxRate = "19".parse().expect("a rate");
        assert_eq!(TaxRate::of_percent(percent.percent()), Some(percent));
    }

    #[test]
    fn tax_is_due_in_the_category_that_is_taxed_and_in_no_other() {
        let taxed: TaxRate = "19".parse().expect("a rate");
        for category in TaxCategory::ALL {
            let due = category == TaxCategory::S;
            assert_eq!(category.allows(taxed), due, "{category:?}");
            assert_eq!(category.allows(TaxRate::ZERO), !due, "{category:?}");
            assert_eq!(TaxCategory::parse(category.as_str()), Some(category));
        }
    }

    #[test]
    fn a_country_is_one_that_exists() {
        assert_eq!(CountryCode::all().count(), 249);
        assert!(CountryCode::parse("DE").is_some());
        for refused in ["de", "D", "DEU", "XX", "EU", "D\u{e9}", ""] {
            assert_eq!(CountryCode::parse(refused), None, "{refused:?}");
        }
    }
}
