//! What happens when somebody asks for data that is not theirs. Who asked is the envelope's
//! principal; whose data it is, its tenant and account.
//!
//! Nothing in here is a text of the caller's: the id of the request is ours, and endpoints and
//! codes are words of the program.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{AccountId, Pseudonym, Timestamp};

/// See [`super::Event::CrossAccountRead`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CrossAccountRead {
    /// What was asked.
    pub endpoint: String,
    /// Whose data was read; absent where a list may hold that of many.
    pub account_id: Option<AccountId>,
    /// The tenant of who asked.
    pub caller_tenant: Pseudonym,
    /// The request, as our own log lines name it.
    pub request_id: Uuid,
}

/// See [`super::Event::AccessRefused`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessRefused {
    /// What was asked.
    pub endpoint: String,
    /// Whose data was wanted; it may not exist. Absent where a list was wanted.
    pub account_id: Option<AccountId>,
    /// The tenant of who asked.
    pub caller_tenant: Pseudonym,
    /// The request, as our own log lines name it; of several, the first that was refused.
    pub request_id: Uuid,
    /// The code of the refusal.
    pub code: String,
    /// How many calls this stands for: one, or all that the same caller repeated within the
    /// minute after it.
    pub calls: u32,
    /// When the last of them was refused.
    pub until: Timestamp,
    /// Whose data the others wanted, as far as that is kept: the first twenty.
    pub more_account_ids: Vec<AccountId>,
}
