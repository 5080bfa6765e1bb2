//! The address on an account's invoices: several parts that may each tell of a person, and the
//! country. It is sealed as one text, so that nobody mixes the parts of two addresses.

use serde::{Deserialize, Serialize};

use crate::{CountryCode, Personal};

/// An address by its parts. It has no `Display` and no `Serialize`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostalAddress {
    /// Street, house, floor, post box: from the most to the least exact.
    pub lines: Vec<Personal>,
    /// The postal code, in countries that have one.
    pub postal_code: Option<Personal>,
    /// The town.
    pub city: Personal,
    /// State, county or province, where it belongs to an address.
    pub region: Option<Personal>,
    /// The country.
    pub country: CountryCode,
}

/// The parts as they are written into the sealed text.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written<T> {
    lines: Vec<T>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    postal_code: Option<T>,
    city: T,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    region: Option<T>,
    country: CountryCode,
}

const fn none<T>() -> Option<T> {
    None
}

impl PostalAddress {
    /// The text that is sealed: JSON, the same for the same address.
    #[must_use]
    pub fn text(&self) -> Personal {
        let written = Written {
            lines: self.lines.iter().map(Personal::expose).collect(),
            postal_code: self.postal_code.as_ref().map(Personal::expose),
            city: self.city.expose(),
            region: self.region.as_ref().map(Personal::expose),
            country: self.country,
        };
        // Unwrap safety: a plain struct of texts always serialises.
        Personal::new(serde_json::to_string(&written).expect("an address serialises"))
    }

    /// The address that was sealed as `text`; nothing if it is none.
    #[must_use]
    pub fn parse(text: &Personal) -> Option<Self> {
        let written: Written<String> = serde_json::from_str(text.expose()).ok()?;
        Some(Self {
            lines: written.lines.into_iter().map(Personal::new).collect(),
            postal_code: written.postal_code.map(Personal::new),
            city: Personal::new(written.city),
            region: written.region.map(Personal::new),
            country: written.country,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_back_from_its_text_and_is_never_printed() {
        let personal = |text: &str| Personal::new(text.to_owned());
        let address = PostalAddress {
            lines: vec![personal("12 St James's Square"), personal("\"Attic\"")],
            postal_code: None,
            city: personal("London"),
            region: Some(personal("Greater London")),
            country: CountryCode::parse("GB").expect("exists"),
        };
        assert_eq!(PostalAddress::parse(&address.text()), Some(address.clone()));
        let printed = format!("{address:?}");
        assert!(!printed.contains("London") && !printed.contains("Attic"));
        assert_eq!(PostalAddress::parse(&personal("London")), None);
    }
}
