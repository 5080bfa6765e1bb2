//! What happens to prices, costs and exchange rates. A version is opened and closed, never edited.
//!
//! The tenant whose own price it is stands in the envelope, as a pseudonym; a platform price has
//! none. Who opened or closed it is the envelope's principal.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    AccountTier, Currency, Direction, ExchangeRateId, OperatorCostId, OperatorId, Period,
    PricingModel, PricingTableId, Rate, Status, Timestamp, UnitPrice,
};

/// See [`super::Event::PriceOpened`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PriceOpened {
    /// The version.
    pub pricing_table_id: PricingTableId,
    /// For accounts of this tier.
    pub account_tier: AccountTier,
    /// For messages through this carrier.
    pub operator_id: OperatorId,
    /// Going this way.
    pub direction: Direction,
    /// For accounts that pay in this currency.
    pub currency: Currency,
    /// What is paid.
    pub terms: PriceTerms,
    /// When it is in effect.
    #[serde(flatten)]
    pub period: Period,
    /// The request that opened it: the same again is a repeat.
    pub request: Uuid,
}

/// What is paid under one version of a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PriceTerms {
    /// What the unit price is multiplied with.
    pub pricing_model: PricingModel,
    /// The price of one.
    pub unit_price: UnitPrice,
    /// The final statuses that are charged for.
    pub billable_statuses: BTreeSet<Status>,
}

/// See [`super::Event::PriceClosed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PriceClosed {
    /// The version.
    pub pricing_table_id: PricingTableId,
    /// The first instant at which it is not in effect any more.
    pub effective_to: Timestamp,
}

/// See [`super::Event::CostOpened`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CostOpened {
    /// The version.
    pub operator_cost_id: OperatorCostId,
    /// The carrier.
    pub operator_id: OperatorId,
    /// For messages going this way.
    pub direction: Direction,
    /// What is taken.
    pub terms: CostTerms,
    /// When it is in effect.
    #[serde(flatten)]
    pub period: Period,
    /// The request that opened it: the same again is a repeat.
    pub request: Uuid,
}

/// What a carrier takes under one version of a cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CostTerms {
    /// For one segment.
    pub cost_per_segment: UnitPrice,
    /// In this currency.
    pub currency: Currency,
    /// The final statuses for which it is taken: all where a carrier takes it for every message it
    /// accepted, the delivered one where it takes it for what reached a handset.
    pub due_statuses: BTreeSet<Status>,
}

/// See [`super::Event::CostClosed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CostClosed {
    /// The version.
    pub operator_cost_id: OperatorCostId,
    /// The first instant at which it is not in effect any more.
    pub effective_to: Timestamp,
}

/// See [`super::Event::ExchangeRateOpened`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeRateOpened {
    /// The version.
    pub exchange_rate_id: ExchangeRateId,
    /// What is converted.
    pub base_currency: Currency,
    /// What it is converted to.
    pub quote_currency: Currency,
    /// At which rate.
    pub terms: RateTerms,
    /// When it is in effect.
    #[serde(flatten)]
    pub period: Period,
    /// The request that opened it: the same again is a repeat.
    pub request: Uuid,
}

/// What one unit of a currency is in another under one version of an exchange rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RateTerms {
    /// So much of the quote currency.
    pub rate: Rate,
}

/// See [`super::Event::ExchangeRateClosed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeRateClosed {
    /// The version.
    pub exchange_rate_id: ExchangeRateId,
    /// The first instant at which it is not in effect any more.
    pub effective_to: Timestamp,
}
