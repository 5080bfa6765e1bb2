//! What callers say of an account.

use std::borrow::Cow;

use actors::{accounts::commands::AccountDetails, accounts::decide::AccountPrivate};
use schema::{
    AccountId, AccountTier, CountryCode, InvoiceLanguage, PaymentDays, Personal, PostalAddress,
    TaxCategory, TaxRate, TenantId, Timestamp,
    event::{AccountFacts, AccountTax},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{
    http::problem::{Code, Problem},
    rest::fields::CurrencyCode,
};

/// What an account is to be.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AccountBody {
    /// Whose it is; the first to say so has it for good.
    tenant_id: TenantId,
    /// The first instant at which it is like this; now, if none is given. It lasts until the next
    /// beginning that was told, earlier or later.
    pub(super) effective_from: Option<Timestamp>,
    /// What it has subscribed to.
    account_tier: AccountTier,
    /// What it pays in.
    currency: CurrencyCode,
    /// The name it is invoiced under.
    legal_name: Text<200>,
    /// Who reads its invoices.
    contact_name: Option<Text<200>>,
    /// Where its invoices go.
    address: AddressBody,
    /// Its VAT id, with the letters of its country.
    vat_id: Option<VatId>,
    /// The customer's own reference on its invoices, as a rule the number of an order.
    purchase_order: Option<Text<100>>,
    /// How many days after its date an invoice is due.
    #[serde(default)]
    payment_terms_days: PaymentDays,
    /// The language of its invoices.
    #[serde(default)]
    invoice_language: InvoiceLanguage,
    /// The tax on its invoices.
    tax: TaxBody,
}

/// Where invoices go.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "NewAddress")]
struct AddressBody {
    /// Street, house, floor, post box: from the most to the least exact.
    lines: Lines,
    /// The postal code.
    postal_code: Option<Text<20>>,
    /// The town.
    city: Text<100>,
    /// State, county or province.
    region: Option<Text<100>>,
    /// The country.
    country: CountryCode,
}

/// The tax on invoices: something in category `S`, nothing in the others.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "NewTax", extend("anyOf" = [
    {
        "properties": {
            "category": { "const": "S" },
            "rate": { "pattern": "[1-9]" },
        },
        "required": ["rate"],
    },
    {
        "properties": {
            "category": { "not": { "const": "S" } },
            "rate": { "pattern": r"^[0.]*$" },
        },
    },
]))]
struct TaxBody {
    /// Why it is taxed or is not, EN 16931.
    category: TaxCategory,
    /// In percent; zero if none is given.
    #[serde(default = "untaxed")]
    #[schemars(default = "untaxed")]
    rate: TaxRate,
    /// Whose tax it is.
    country: CountryCode,
}

const fn untaxed() -> TaxRate {
    TaxRate::ZERO
}

impl AccountBody {
    /// What the account is to be.
    ///
    /// # Errors
    /// The tax rate is not one of the category.
    pub(super) fn details(self, account_id: AccountId) -> Result<AccountDetails, Problem> {
        let TaxBody {
            category,
            rate,
            country,
        } = self.tax;
        if !category.allows(rate) {
            let refused = Problem::new(Code::InvalidField).at("/tax/rate");
            return Err(refused.because("above 0 in category S, 0 in the others"));
        }
        Ok(AccountDetails {
            tenant: self.tenant_id,
            account: AccountFacts {
                account_id,
                account_tier: self.account_tier,
                currency: self.currency.0,
                payment_terms_days: self.payment_terms_days,
                invoice_language: self.invoice_language,
                tax: AccountTax {
                    category,
                    rate,
                    country,
                },
            },
            private: AccountPrivate {
                legal_name: Some(self.legal_name.0),
                contact_name: self.contact_name.map(|text| text.0),
                address: Some(PostalAddress {
                    lines: self.address.lines.0,
                    postal_code: self.address.postal_code.map(|text| text.0),
                    city: self.address.city.0,
                    region: self.address.region.map(|text| text.0),
                    country: self.address.country,
                }),
                vat_id: self.vat_id.map(|id| id.0),
                purchase_order: self.purchase_order.map(|text| text.0),
            },
            effective_from: self.effective_from,
        })
    }
}

/// A text of one line that may be a person's, of at most `MAX` characters. It has no `Debug`.
struct Text<const MAX: usize>(Personal);

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Personal::new(String::deserialize(deserializer)?);
        if is_printable(text.expose(), MAX) {
            Ok(Self(text))
        } else {
            Err(D::Error::custom("not a printable text of that length"))
        }
    }
}

/// Whether something of it can be seen, and nothing of it moves anything.
fn is_printable(text: &str, max: usize) -> bool {
    let seen = text.chars().any(|c| !c.is_whitespace());
    let still = !text.chars().any(char::is_control);
    seen && still && text.chars().count() <= max
}

impl<const MAX: usize> JsonSchema for Text<MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Text{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": MAX,
            "allOf": [
                { "pattern": r"\S" },
                { "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$" },
            ],
        })
    }
}

/// One to four lines of an address.
struct Lines(Vec<Personal>);

/// The most lines of an address.
const LINES_MAX: usize = 4;

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let lines = Vec::<Text<100>>::deserialize(deserializer)?;
        if (1..=LINES_MAX).contains(&lines.len()) {
            Ok(Self(lines.into_iter().map(|line| line.0).collect()))
        } else {
            Err(D::Error::custom("not one to four lines"))
        }
    }
}

impl JsonSchema for Lines {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Lines".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": Text::<100>::json_schema(generator),
            "minItems": 1,
            "maxItems": LINES_MAX,
        })
    }
}

/// A VAT id: the two letters of a country, then digits, letters, `+` and `*`.
struct VatId(Personal);

impl<'de> Deserialize<'de> for VatId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Personal::new(String::deserialize(deserializer)?);
        if is_vat_id(text.expose()) {
            Ok(Self(text))
        } else {
            Err(D::Error::custom("not of the form of a VAT id"))
        }
    }
}

fn is_vat_id(text: &str) -> bool {
    let form = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '+' || c == '*';
    let letters = text.chars().take(2).all(|c| c.is_ascii_uppercase());
    letters && text.chars().all(form) && (4..=15).contains(&text.len())
}

impl JsonSchema for VatId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "VatId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[A-Z]{2}[A-Z0-9+*]{2,13}$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_printable_and_short() {
        let long = "é".repeat(10);
        for good in ["A", "Example GmbH", "O'Neil \"; --", &long] {
            assert!(is_printable(good, 12), "{good:?}");
        }
        let long = "é".repeat(13);
        for wrong in ["", " \u{a0} ", "a\tb", "a\nb", "a\u{7f}", "a\u{85}b", &long] {
            assert!(!is_printable(wrong, 12), "{wrong:?}");
        }
    }

    #[test]
    fn what_the_schema_of_an_account_accepts_is_taken_and_nothing_else() {
        let account = AccountId(uuid::Uuid::from_u128(4));
        crate::http::body::keeps_to_its_schema(|body: AccountBody| body.details(account).is_ok());
    }
}
