//! What Tollbook publishes (CONTRACTS 5). These are other types than the events in the log: the
//! log may grow without asking anyone, these are promised to other teams.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use crate::{
    AccountId, MessageId, OperatorId, OperatorMessageId, Personal, Status, TenantId, Timestamp,
};

/// The subject of [`BillingEvent`].
pub const BILLING_EVENTS: &str = "billing.events";
/// The subject of [`WebhookDispatch`].
pub const WEBHOOK_DISPATCH: &str = "webhook.dispatch";
/// The subject of [`UnmatchedReceipt`].
pub const SMS_DLR_UNMATCHED: &str = "sms.dlr.unmatched";
/// The header of an announcement that is made again because the first one was lost.
pub const ANNOUNCED_AGAIN: &str = "X-Announced-Again";
/// The schema version all of them carry.
pub const SCHEMA_VERSION: &str = "1.0";

/// `billing.events`: a message is settled. Once per message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BillingEvent {
    /// `"1.0"`.
    pub schema_version: String,
    /// Derived from the settlement; a repeat has the same.
    pub event_id: Uuid,
    /// `"DLR_TERMINAL"`.
    pub event_type: String,
    /// The message.
    pub message_id: MessageId,
    /// Whose message.
    pub tenant_id: TenantId,
    /// On which account.
    pub account_id: AccountId,
    /// Through which carrier.
    pub operator_id: OperatorId,
    /// `"MT"`.
    pub direction: String,
    /// SMS segments. Billing charges 1 to 10 and holds the charge of more.
    #[schemars(range(min = 1))]
    pub segment_count: i16,
    /// One of the five final statuses.
    pub dlr_status: Status,
    /// When the message reached that status.
    pub occurred_at: Timestamp,
    /// The same; what decides the price.
    pub charged_at: Timestamp,
    /// The account's tier where the orchestrator tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_tier: Option<String>,
    /// ISO 4217, where the orchestrator tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// `webhook.dispatch`: a message's status changed. Holds personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookDispatch {
    /// `"1.0"`.
    pub schema_version: String,
    /// Derived from the receipt that changed the status; a repeat has the same.
    pub event_id: Uuid,
    /// On which account.
    pub account_id: AccountId,
    /// The message.
    pub message_id: MessageId,
    /// The new status, `UNKNOWN` included.
    pub dlr_status: Status,
    /// The recipient, E.164. Personal data.
    #[serde(serialize_with = "on_the_wire")]
    #[schemars(with = "String")]
    pub to: Personal,
    /// Through which carrier.
    pub operator_id: OperatorId,
    /// When the message reached that status.
    pub occurred_at: Timestamp,
    /// What the customer attached to the message.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "all_on_the_wire"
    )]
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub metadata: Option<BTreeMap<String, Personal>>,
}

/// `sms.dlr.unmatched`: a receipt matched no message in its grace period. Once per orphan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnmatchedReceipt {
    /// `"1.0"`.
    pub schema_version: String,
    /// Derived from the orphan; a repeat has the same.
    pub event_id: Uuid,
    /// The orphan, as in `dlr.orphaned_receipts`.
    pub orphan_id: Uuid,
    /// The carrier.
    pub operator_id: OperatorId,
    /// The id nobody knew.
    pub operator_message_id: OperatorMessageId,
    /// The carrier's word.
    pub stat: String,
    /// What it means.
    pub dlr_status: Status,
    /// When it happened.
    pub delivered_at: Timestamp,
    /// When it reached us.
    pub received_at: Timestamp,
}

/// The one place where personal data is written out: into the webhook's message.
fn on_the_wire<S: Serializer>(personal: &Personal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(personal.expose())
}

#[expect(clippy::ref_option, reason = "serde passes the field as it is")]
fn all_on_the_wire<S: Serializer>(
    metadata: &Option<BTreeMap<String, Personal>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match metadata {
        None => serializer.serialize_none(),
        Some(members) => {
            serializer.collect_map(members.iter().map(|(key, value)| (key, value.expose())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_shows_the_number_on_the_wire_and_nowhere_else() {
        let dispatch = WebhookDispatch {
            schema_version: SCHEMA_VERSION.into(),
            event_id: Uuid::nil(),
            account_id: AccountId(Uuid::nil()),
            message_id: MessageId(Uuid::nil()),
            dlr_status: Status::Unknown,
            to: Personal::new("+491".into()),
            operator_id: OperatorId(Uuid::nil()),
            occurred_at: Timestamp::parse("2026-03-01T00:00:00Z").expect("valid"),
            metadata: Some([("ref".to_owned(), Personal::new("r-1".into()))].into()),
        };
        let wire = serde_json::to_value(&dispatch).expect("serialises");
        assert_eq!(
            (&wire["to"], &wire["metadata"]["ref"]),
            (&"+491".into(), &"r-1".into())
        );
        let debug = format!("{dispatch:?}");
        assert!(!debug.contains("+491") && !debug.contains("r-1"), "{debug}");
    }
}
