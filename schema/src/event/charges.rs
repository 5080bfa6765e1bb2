//! What happens when a settled message is charged.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AccountTier, Amount, Currency, OperatorCostId, PricingModel, PricingTableId, Settlement,
    Timestamp, UnitPrice,
};

/// See [`super::Event::MessageCharged`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageCharged {
    /// What was charged.
    pub settlement: Settlement,
    /// What said who pays.
    pub payer: PayerSource,
    /// The account's tier that chose the price.
    pub account_tier: AccountTier,
    /// The currency of every amount in here.
    pub currency: Currency,
    /// The time that chose the versions: when the message was settled, or when its settlement
    /// arrived if that lies implausibly far before it.
    pub rated_at: Timestamp,
    /// The version of the price.
    pub price: AppliedPrice,
    /// The version of the cost; absent where the carrier has none, which is for review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<AppliedCost>,
    /// Whether the message's status is one that the price charges for. If not, the customer's
    /// price is zero and the cost still counts.
    pub billed: bool,
    /// What the customer pays.
    pub customer_price: Amount,
    /// What the carrier takes; zero without a cost.
    pub operator_cost: Amount,
    /// The price less the cost. May be negative.
    pub margin: Amount,
    /// `chargedAt` was too far ahead of our clock to be believed.
    pub clock_skew: bool,
    /// The settlement arrived long after `chargedAt`.
    pub late: bool,
}

/// What said by which tier and in which currency a message is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PayerSource {
    /// The account's registration. What its settlement states of it is of no account.
    Registered,
    /// The settlement, for nobody had registered the account for that time.
    Stated,
}

/// A version of a price as it was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppliedPrice {
    /// Which version.
    pub pricing_table_id: PricingTableId,
    /// Whether it is the tenant's own, not the platform's.
    pub own: bool,
    /// What the unit price was multiplied with.
    pub pricing_model: PricingModel,
    /// The price of one.
    pub unit_price: UnitPrice,
}

/// A version of a cost as it was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppliedCost {
    /// Which version.
    pub operator_cost_id: OperatorCostId,
    /// What the carrier takes for one segment.
    pub cost_per_segment: UnitPrice,
}

/// See [`super::Event::ChargeHeld`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChargeHeld {
    /// What waits to be charged.
    pub settlement: Settlement,
    /// What said who pays, as far as it is known.
    pub payer: PayerSource,
    /// The tier a price was sought for, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_tier: Option<AccountTier>,
    /// The currency a price was sought in, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The time a price was sought for.
    pub rated_at: Timestamp,
    /// What it waits for.
    pub reason: HoldReason,
}

/// Why a charge is held.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HoldReason {
    /// Nobody registered the account, and the settlement names no tier or no currency.
    AccountUnknown,
    /// No price is in effect.
    NoPrice,
    /// The carrier's cost is in another currency than the price. Exchange rates are not guessed.
    CurrencyMismatch,
    /// The message has more segments than are charged.
    SegmentsOutOfRange,
}

impl HoldReason {
    /// Every reason.
    pub const ALL: [Self; 4] = [
        Self::AccountUnknown,
        Self::NoPrice,
        Self::CurrencyMismatch,
        Self::SegmentsOutOfRange,
    ];

    /// The word used on the wire, in the log and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountUnknown => "ACCOUNT_UNKNOWN",
            Self::NoPrice => "NO_PRICE",
            Self::CurrencyMismatch => "CURRENCY_MISMATCH",
            Self::SegmentsOutOfRange => "SEGMENTS_OUT_OF_RANGE",
        }
    }
}

/// See [`super::Event::ChargeConflictRecorded`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChargeConflictRecorded {
    /// What the second settlement said; its tenant and account are this event's.
    pub settlement: Settlement,
    /// The names of the fields in which it differs from the first.
    pub differs: Vec<String>,
}
