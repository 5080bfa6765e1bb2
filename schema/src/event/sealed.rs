//! Personal data beside an event's payload, encrypted.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One sealed value: `<key id>.<base64url of nonce, ciphertext and tag>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SealedValue(pub String);

/// The sealed personal data of an event, by field. Stored next to the payload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Sealed(pub BTreeMap<String, SealedValue>);

impl Sealed {
    /// The recipient as the orchestrator knows it (E.164), for the webhook.
    pub const TO: &'static str = "to";
    /// The customer's metadata of the message, for the webhook.
    pub const METADATA: &'static str = "metadata";
    /// The receipt's `sourceAddr`.
    pub const SOURCE_ADDR: &'static str = "sourceAddr";
    /// The receipt's `destAddr`.
    pub const DEST_ADDR: &'static str = "destAddr";
    /// The receipt's `rawPayload`.
    pub const RAW_PAYLOAD: &'static str = "rawPayload";

    /// An account's name on its invoices.
    pub const BILLING_NAME: &'static str = "billingName";
    /// An account's address on its invoices.
    pub const BILLING_ADDRESS: &'static str = "billingAddress";

    /// Why an adjustment was proposed or rejected, in the words of who did it.
    pub const REASON: &'static str = "reason";

    /// The stored form; `None` when there is nothing sealed.
    #[must_use]
    pub fn stored(&self) -> Option<String> {
        // Unwrap safety: a map of strings always serialises.
        (!self.0.is_empty()).then(|| serde_json::to_string(self).expect("sealed data serialises"))
    }
}
