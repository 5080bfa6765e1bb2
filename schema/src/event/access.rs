//! What happens when somebody asks for data that is not theirs. Who asked is the envelope's
//! principal; whose data it is, its tenant and account.
//!
//! Nothing that callers of the API send is in here: the id of the request is ours, and endpoints and
//! codes are words of the program. The one text of a person is the reason for opening what is sealed,
//! and who gives it works with the database themselves.

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

/// See [`super::Event::PersonalDataRevealed`]. It never holds what was revealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonalDataRevealed {
    /// Why, in the words of who asked.
    pub reason: String,
    /// The kind of the stream whose data it is.
    pub category: String,
    /// That stream.
    pub stream_id: Uuid,
    /// What was to be opened, by event.
    pub revealed: Vec<RevealedFields>,
    /// Whose data it is; absent where nobody knows.
    pub account_id: Option<AccountId>,
    /// The request, made up for it.
    pub request_id: Uuid,
}

/// The sealed fields of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevealedFields {
    /// Where the event stands in the log.
    pub position: i64,
    /// Their names.
    pub fields: Vec<String>,
}
