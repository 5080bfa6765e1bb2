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
    pub(super) billed: bool,
    pub(super) customer_price: Millionths,
    pub(super) assessment: Assessment,
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
    pub(super) currency: Box<str>,
}

/// The version of an exchange rate that a charge names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct AppliedRate {
    pub(super) exchange_rate_id: Uuid,
    pub(super) rate: Rate,
}

/// What a charge costs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct Assessment {
    pub(super) cost: Option<AppliedCost>,
    pub(super) due: bool,
    pub(super) operator_cost: Millionths,
    pub(super) exchange: Option<AppliedRate>,
    pub(super) converted_cost: Option<Millionths>,
    pub(super) margin: Option<Millionths>,
}

/// `CostsAssessed`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct Assessed {
    pub(super) cause: i64,
    pub(super) operator_id: Uuid,
    pub(super) currency: Box<str>,
    pub(super) charges: Vec<AssessedCharge>,
}

/// One charge that was assessed again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct AssessedCharge {
    pub(super) message_id: Uuid,
    pub(super) position: i64,
    pub(super) account_id: Uuid,
    pub(super) rated_at: Timestamp,
    pub(super) assessment: Assessment,
    pub(super) replaced: Replaced,
}

/// What an assessment takes the place of.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct Replaced {
    pub(super) cost_missing: bool,
    pub(super) converted_cost: Option<Millionths>,
    pub(super) margin: Option<Millionths>,
}

/// `AssessmentAdvanced`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Advanced {
    pub(super) cause: i64,
    pub(super) through: Option<serde_json::Value>,
}

/// An exchange rate, in ten-thousand-millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate(i128);

impl Rate {
    /// How many make one.
    const UNIT: i128 = 10_000_000_000;

    /// So much in the other currency, rounded half away from zero; nothing from a million on.
    pub(super) fn of(self, amount: Millionths) -> Option<Millionths> {
        let exact = amount.0 * self.0;
        let (whole, rest) = (exact / Self::UNIT, exact % Self::UNIT);
        let up = if rest.abs() * 2 >= Self::UNIT {
            rest.signum()
        } else {
            0
        };
        let converted = Millionths(whole + up);
        (converted.0.abs() < 1_000_000_000_000).then_some(converted)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        let whole: i128 = whole.parse().ok()?;
        let places: i128 = format!("{places:0<10}").parse().ok()?;
        Some(Self(whole * Self::UNIT + places))
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("no rate"))
    }
}

#[cfg(test)]
impl serde::Serialize for Rate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (whole, places) = (self.0 / Self::UNIT, self.0 % Self::UNIT);
        serializer.collect_str(&format_args!("{whole}.{places:010}"))
    }
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
    pub(super) first: FirstSettlement,
    pub(super) differs: Vec<Box<str>>,
}

/// What a contradiction contradicts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct FirstSettlement {
    pub(super) tenant: Uuid,
    pub(super) account_id: Uuid,
    pub(super) settlement: Settlement,
}

/// `AccountRegistered` and `AccountChanged`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct Account {
    pub(super) account: AccountFacts,
    #[serde(rename = "effectiveFrom")]
    pub(super) from: Timestamp,
}

/// What a version says of an account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountFacts {
    pub(super) account_id: Uuid,
    pub(super) account_tier: Box<str>,
    pub(super) currency: Box<str>,
    pub(super) payment_terms_days: i16,
    pub(super) invoice_language: Box<str>,
    pub(super) tax: Tax,
}

/// The tax on an account's invoices.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct Tax {
    pub(super) category: Box<str>,
    pub(super) rate: Box<str>,
    pub(super) country: Box<str>,
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
    pub(super) due_statuses: Vec<Status>,
}

/// `ExchangeRateOpened`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(rename_all = "camelCase")]
pub(super) struct RateOpened {
    pub(super) exchange_rate_id: Uuid,
    pub(super) base_currency: Box<str>,
    pub(super) quote_currency: Box<str>,
    pub(super) terms: RateTerms,
    pub(super) effective_from: Timestamp,
    pub(super) effective_to: Option<Timestamp>,
}

/// What one unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct RateTerms {
    pub(super) rate: Rate,
}

/// `PriceClosed`, `CostClosed` and `ExchangeRateClosed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
pub(super) struct Closed {
    #[serde(
        alias = "pricingTableId",
        alias = "operatorCostId",
        alias = "exchangeRateId"
    )]
    pub(super) id: Uuid,
    #[serde(rename = "effectiveTo")]
    pub(super) effective_to: Timestamp,
}

/// `PriceSheetApplied` and `CostSheetApplied`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
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
