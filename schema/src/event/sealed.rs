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

    /// The name an account is invoiced under.
    pub const LEGAL_NAME: &'static str = "legalName";
    /// Who reads an account's invoices.
    pub const CONTACT_NAME: &'static str = "contactName";
    /// The address on an account's invoices ([`crate::PostalAddress::text`]).
    pub const BILLING_ADDRESS: &'static str = "billingAddress";
    /// An account's VAT id; that of a sole trader names a person.
    pub const VAT_ID: &'static str = "vatId";
    /// What a customer wants to read on invoices, as a rule the number of an order.
    pub const PURCHASE_ORDER: &'static str = "purchaseOrder";

    /// Why an adjustment was proposed or rejected, in the words of who did it.
    pub const REASON: &'static str = "reason";

    /// The stored form; `None` when there is nothing sealed.
    #[must_use]
    pub fn stored(&self) -> Option<String> {
        // Unwrap safety: a map of strings always serialises.
        (!self.0.is_empty()).then(|| serde_json::to_string(self).expect("sealed data serialises"))
    }
}
