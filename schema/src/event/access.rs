//! What happens when somebody asks for the data of an account that is not theirs. Who asked is
//! the envelope's principal; whose data it is, its tenant and account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AccountId, Pseudonym};

/// See [`super::Event::CrossAccountRead`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CrossAccountRead {
    /// What was asked.
    pub endpoint: String,
    /// Whose data was read.
    pub account_id: AccountId,
    /// The tenant of who asked.
    pub caller_tenant: Pseudonym,
    /// The request, as its answer named it.
    pub request_id: String,
}

/// See [`super::Event::AccessRefused`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessRefused {
    /// What was asked.
    pub endpoint: String,
    /// Whose data was wanted; it may not exist.
    pub account_id: AccountId,
    /// The tenant of who asked.
    pub caller_tenant: Pseudonym,
    /// The request, as its answer named it.
    pub request_id: String,
    /// The code of the refusal.
    pub code: String,
}
