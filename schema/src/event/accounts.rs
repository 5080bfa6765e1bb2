//! What happens to an account. Whose it is, is the envelope's tenant.
//!
//! The name and the address on invoices may be a person's, so they are sealed beside the payload
//! ([`super::Sealed::BILLING_NAME`], [`super::Sealed::BILLING_ADDRESS`]).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AccountId, AccountTier, Currency};

/// What is known of an account, all of it, whichever event says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountFacts {
    /// The account.
    pub account_id: AccountId,
    /// What it has subscribed to.
    pub account_tier: AccountTier,
    /// What it pays in.
    pub currency: Currency,
}

/// See [`super::Event::AccountRegistered`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountRegistered {
    /// The account.
    pub account: AccountFacts,
}

/// See [`super::Event::AccountChanged`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountChanged {
    /// The account as it is now.
    pub account: AccountFacts,
}
