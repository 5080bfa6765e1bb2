//! What happens to an account. Whose it is, is the envelope's tenant.
//!
//! Each event tells of one version of the account. A version begins at its `effectiveFrom` and
//! lasts until the next one begins; told again with the same beginning, it takes the place of the
//! one before. What may be a person's is sealed beside the payload ([`super::Sealed::LEGAL_NAME`]
//! and what follows it there).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, AccountTier, CountryCode, Currency, InvoiceLanguage, PaymentDays, TaxCategory,
    TaxRate, Timestamp,
};

/// What a version says of an account, all of it, whichever event tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountFacts {
    /// The account.
    pub account_id: AccountId,
    /// What it has subscribed to.
    pub account_tier: AccountTier,
    /// What it pays in.
    pub currency: Currency,
    /// How many days after its date an invoice is due.
    pub payment_terms_days: PaymentDays,
    /// The language of its invoices.
    pub invoice_language: InvoiceLanguage,
    /// The tax on its invoices.
    pub tax: AccountTax,
}

/// The tax on an account's invoices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountTax {
    /// Why it is taxed, or is not.
    pub category: TaxCategory,
    /// In percent; zero in every category but `S`.
    pub rate: TaxRate,
    /// Whose tax it is.
    pub country: CountryCode,
}

/// See [`super::Event::AccountRegistered`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountRegistered {
    /// What the version says.
    pub account: AccountFacts,
    /// When it begins.
    pub effective_from: Timestamp,
}

/// See [`super::Event::AccountChanged`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountChanged {
    /// What the version says.
    pub account: AccountFacts,
    /// When it begins.
    pub effective_from: Timestamp,
}
