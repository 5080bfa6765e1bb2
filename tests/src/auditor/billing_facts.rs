//! What the log says of charges, prices, costs and accounts, as the auditor reads it: from JSON,
//! with money in whole millionths.

use schema::{Status, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

use crate::money::Millionths;

/// A settled message, as billing heard of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct Settlement {
    pub(super) source_event_id: Uuid,
    pub(super) message_id: Uuid,
    pub(super) operator_id: Uuid,
    pub(super) direction: Box<str>,
    pub(super) segment_count: i16,
    pub(super) dlr_status: Status,
    pub(super) occurred_at: Timestamp,
    pub(super) charged_at: Timestamp,
    pub(super) stated_tier: Option<Box<str>>,
    pub(super) stated_currency: Option<Box<str>>,
    pub(super) received_at: Timestamp,
}

/// `MessageCharged`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct Charged {
    pub(super) settlement: Settlement,
    pub(super) payer: Box<str>,
    pub(super) account_tier: Box<str>,
    pub(super) currency: Box<str>,
    pub(super) rated_at: Timestamp,
    pub(super) price: AppliedPrice,
    pub(super) cost: Option<AppliedCost>,
    pub(super) billed: bool,
    pub(super) customer_price: Millionths,
    pub(super) operator_cost: Millionths,
    pub(super) margin: Millionths,
    pub(super) clock_skew: bool,
    pub(super) late: bool,
}

/// The version of a price that a charge names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct AppliedPrice {
    pub(super) pricing_table_id: Uuid,
    pub(super) own: bool,
    pub(super) pricing_model: Box<str>,
    pub(super) unit_price: Millionths,
}

/// The version of a cost that a charge names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct AppliedCost {
    pub(super) operator_cost_id: Uuid,
    pub(super) cost_per_segment: Millionths,
}

/// `ChargeHeld`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct Held {
    pub(super) settlement: Settlement,
    pub(super) payer: Box<str>,
    pub(super) account_tier: Option<Box<str>>,
    pub(super) currency: Option<Box<str>>,
    pub(super) rated_at: Timestamp,
    pub(super) reason: Box<str>,
}

/// `ChargeConflictRecorded`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct Conflict {
    pub(super) settlement: Settlement,
    pub(super) differs: Vec<Box<str>>,
}

/// `AccountRegistered` and `AccountChanged`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct Account {
    pub(super) account: AccountFacts,
}

/// What is known of an account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountFacts {
    pub(super) account_id: Uuid,
    pub(super) account_tier: Box<str>,
    pub(super) currency: Box<str>,
}

/// `PriceOpened`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct PriceOpened {
    pub(super) pricing_table_id: Uuid,
    pub(super) account_tier: Box<str>,
    pub(super) operator_id: Uuid,
    pub(super) direction: Box<str>,
    pub(super) currency: Box<str>,
    pub(super) terms: PriceTerms,
    pub(super) effective_from: Timestamp,
    pub(super) effective_to: Option<Timestamp>,
}

/// What is paid.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct PriceTerms {
    pub(super) pricing_model: Box<str>,
    pub(super) unit_price: Millionths,
    pub(super) billable_statuses: Vec<Status>,
}

/// `CostOpened`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct CostOpened {
    pub(super) operator_cost_id: Uuid,
    pub(super) operator_id: Uuid,
    pub(super) direction: Box<str>,
    pub(super) terms: CostTerms,
    pub(super) effective_from: Timestamp,
    pub(super) effective_to: Option<Timestamp>,
}

/// What is taken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct CostTerms {
    pub(super) cost_per_segment: Millionths,
    pub(super) currency: Box<str>,
}

/// `PriceClosed` and `CostClosed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct Closed {
    #[serde(alias = "pricingTableId", alias = "operatorCostId")]
    pub(super) id: Uuid,
    #[serde(rename = "effectiveTo")]
    pub(super) effective_to: Timestamp,
}

/// `PriceSheetApplied` and `CostSheetApplied`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SheetApplied {
    /// Whether it is a sheet of prices; else it is one of costs.
    #[serde(skip)]
    pub(super) of_prices: bool,
    pub(super) sheet_id: Box<str>,
    pub(super) lines: usize,
    pub(super) opened: usize,
    pub(super) closed: usize,
    pub(super) unchanged: usize,
}

/// `CrossAccountRead` and `AccessRefused`; only the second has a code, and may be of many calls.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct Looked {
    pub(super) endpoint: Box<str>,
    pub(super) account_id: Option<Uuid>,
    pub(super) caller_tenant: Uuid,
    pub(super) request_id: Uuid,
    pub(super) code: Option<Box<str>>,
    #[serde(default = "one")]
    pub(super) calls: i64,
    #[serde(default)]
    pub(super) more_account_ids: Vec<Uuid>,
}

/// `PersonalDataRevealed`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Disclosed {
    pub(super) reason: Box<str>,
    pub(super) revealed: Vec<RevealedFields>,
    pub(super) request_id: Uuid,
}

/// What was opened of one event.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct RevealedFields {
    pub(super) position: i64,
    pub(super) fields: Vec<Box<str>>,
}

impl Disclosed {
    /// Whether it says why, and of what.
    pub(super) fn is_told(&self) -> bool {
        let named = |one: &RevealedFields| one.position > 0 && !one.fields.is_empty();
        (3..=500).contains(&self.reason.chars().count())
            && !self.revealed.is_empty()
            && self.revealed.iter().all(named)
    }
}

const fn one() -> i64 {
    1
}
