//! What happens to messages and orphans when receipts come.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{EventId, MessageId, ReceiptFacts, Status};

/// See [`super::Event::ReceiptRecorded`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptRecorded {
    /// What the receipt said.
    pub receipt: ReceiptFacts,
    /// Whether it is the message's first, and so changed its status to `UNKNOWN`.
    pub changed_status: bool,
}

/// See [`super::Event::MessageSettled`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageSettled {
    /// What the receipt said; its status is the message's.
    pub receipt: ReceiptFacts,
    /// SMS segments to bill, as the orchestrator counted them.
    pub segment_count: i16,
}

/// See [`super::Event::LateReceiptRecorded`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LateReceiptRecorded {
    /// What the receipt said.
    pub receipt: ReceiptFacts,
    /// The status the message already had and keeps.
    pub settled_as: Status,
}

/// See [`super::Event::ReceiptOrphaned`]. Its event id is the orphan's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptOrphaned {
    /// What the receipt said.
    pub receipt: ReceiptFacts,
    /// The connector's guess, believed as soon as that message exists and agrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_hint: Option<MessageId>,
}

/// See [`super::Event::OrphanMatched`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrphanMatched {
    /// The orphan.
    pub orphan_id: EventId,
    /// The message it belongs to.
    pub message_id: MessageId,
    /// The event in the message's stream that now holds the receipt; none if that message keeps no
    /// more receipts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_id: Option<EventId>,
}
