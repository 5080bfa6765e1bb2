//! Settlements announced on `billing.events` without any receipt before: for tests and benches of
//! billing alone.

use bytes::Bytes;
use schema::{AccountId, MessageId, OperatorId, Status, TenantId, Timestamp};
use serde_json::json;
use uuid::Uuid;

/// The subject they are announced on.
pub const SUBJECT: &str = "billing.events";

/// One announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    /// Its own id.
    pub event_id: Uuid,
    /// The message.
    pub message: MessageId,
    /// Whose.
    pub tenant: TenantId,
    /// On which account.
    pub account: AccountId,
    /// Through which carrier.
    pub operator: OperatorId,
    /// SMS segments.
    pub segments: i16,
    /// The final status.
    pub status: Status,
    /// When it was settled; what decides the price.
    pub charged_at: Timestamp,
    /// The tier it names, if it names one.
    pub tier: Option<&'static str>,
    /// The currency it names, if it names one.
    pub currency: Option<&'static str>,
}

impl Announced {
    /// The message on the wire.
    #[must_use]
    pub fn payload(&self) -> Bytes {
        let mut message = json!({
            "schemaVersion": "1.0",
            "eventId": self.event_id,
            "eventType": "DLR_TERMINAL",
            "messageId": self.message,
            "tenantId": self.tenant,
            "accountId": self.account,
            "operatorId": self.operator,
            "direction": "MT",
            "segmentCount": self.segments,
            "dlrStatus": self.status,
            "occurredAt": self.charged_at,
            "chargedAt": self.charged_at,
        });
        if let Some(tier) = self.tier {
            message["accountTier"] = json!(tier);
        }
        if let Some(currency) = self.currency {
            message["currency"] = json!(currency);
        }
        Bytes::from(message.to_string())
    }
}
