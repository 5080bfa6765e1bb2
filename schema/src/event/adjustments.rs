//! What happens to an adjustment of an account's bill. Whose account it is, is the envelope's tenant;
//! who proposed or decided, its principal.
//!
//! The reasons are words of a person and may name one, so they are sealed beside the payload
//! ([`super::Sealed::REASON`]).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AccountId, AdjustmentAmount, AdjustmentId, Currency, MessageId};

/// What is adjusted, all of it, whichever event says it. It never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdjustmentFacts {
    /// The adjustment.
    pub adjustment_id: AdjustmentId,
    /// On which account.
    pub account_id: AccountId,
    /// What the account pays more; less, if it is negative.
    pub amount: AdjustmentAmount,
    /// What it is paid in.
    pub currency: Currency,
    /// The charged message that it is about, if it is about one.
    pub message_id: Option<MessageId>,
}

/// A person, whatever token they came with: two that differ in a part are two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// Who vouches for them: the issuer of their tokens.
    pub issuer: String,
    /// Their name there.
    pub subject: String,
}

/// See [`super::Event::AdjustmentProposed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdjustmentProposed {
    /// What is to be adjusted.
    pub adjustment: AdjustmentFacts,
    /// Who proposes it.
    pub proposed_by: Person,
}

/// See [`super::Event::AdjustmentApproved`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdjustmentApproved {
    /// What is adjusted from now on.
    pub adjustment: AdjustmentFacts,
    /// Who proposed it.
    pub proposed_by: Person,
    /// Who approves it: somebody else.
    pub approved_by: Person,
}

/// See [`super::Event::AdjustmentRejected`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdjustmentRejected {
    /// What is not adjusted.
    pub adjustment: AdjustmentFacts,
    /// Who proposed it.
    pub proposed_by: Person,
    /// Who rejects it; it may be the same person.
    pub rejected_by: Person,
}
