//! What happens when a settled message is charged, and when what it costs is assessed again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, AccountTier, Amount, Currency, ExchangeRateId, MessageId, OperatorCostId,
    OperatorId, Position, PricingModel, PricingTableId, Pseudonym, Rate, Settlement, Timestamp,
    UnitPrice,
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
    /// The currency it is charged in.
    pub currency: Currency,
    /// The time that chose the versions: when the message was settled, or when its settlement
    /// arrived if that was before.
    pub rated_at: Timestamp,
    /// The version of the price.
    pub price: AppliedPrice,
    /// Whether the message's status is one that the price charges for. If not, the customer's
    /// price is zero and the cost still counts.
    pub billed: bool,
    /// What the customer pays.
    pub customer_price: Amount,
    /// What the carrier takes, as it was known when this was recorded.
    pub assessment: CostAssessment,
    /// `chargedAt` was further ahead of the arrival than clocks may be apart.
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
    /// In this currency.
    pub currency: Currency,
}

/// A version of an exchange rate as it was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppliedRate {
    /// Which version.
    pub exchange_rate_id: ExchangeRateId,
    /// What one unit of the cost's currency is in the charge's.
    pub rate: Rate,
}

/// What a charged message costs, by what is known at one time of costs and exchange rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CostAssessment {
    /// The version of the cost; absent where the carrier has none, which is for review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<AppliedCost>,
    /// Whether the carrier takes it for the message's status. If not, the cost is zero.
    pub due: bool,
    /// What the carrier takes, in the currency of the cost; zero without a cost.
    pub operator_cost: Amount,
    /// The version of the exchange rate; absent where nothing is to be converted, or nobody entered
    /// one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<AppliedRate>,
    /// What the carrier takes, in the currency of the charge; absent without an exchange rate that
    /// it takes, for none is guessed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub converted_cost: Option<Amount>,
    /// The price less that cost. May be negative. Absent where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<Amount>,
}

/// See [`super::Event::CostsAssessed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CostsAssessed {
    /// Where in the log a version of a cost or an exchange rate was opened or closed, which made it
    /// necessary.
    pub cause: Position,
    /// The carrier of all these messages.
    pub operator_id: OperatorId,
    /// The currency they are charged in.
    pub currency: Currency,
    /// The charges, all of this event's tenant.
    pub charges: Vec<AssessedCharge>,
}

/// What one charged message costs, by what is known now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssessedCharge {
    /// The message.
    pub message_id: MessageId,
    /// Where in the log it was charged.
    pub position: Position,
    /// On which account.
    pub account_id: AccountId,
    /// The time that chose the versions.
    pub rated_at: Timestamp,
    /// What it costs.
    pub assessment: CostAssessment,
    /// What it was taken to cost before.
    pub replaced: ReplacedAssessment,
}

/// What of an assessment is in sums, which it leaves when it is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplacedAssessment {
    /// The carrier had no cost.
    pub cost_missing: bool,
    /// The cost in the currency of the charge, where it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub converted_cost: Option<Amount>,
    /// The margin, where it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<Amount>,
}

/// See [`super::Event::AssessmentAdvanced`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssessmentAdvanced {
    /// Where in the log the change stands whose charges are assessed again.
    pub cause: Position,
    /// How far through these charges this is; absent once all are done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<AssessmentCursor>,
    /// How many charges were looked at so far.
    pub examined: i64,
    /// How many of them cost something else now.
    pub changed: i64,
}

/// A place among charges, in the order in which they are assessed again.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct AssessmentCursor {
    /// The carrier.
    pub operator_id: OperatorId,
    /// The time that chose the versions.
    pub rated_at: Timestamp,
    /// Where in the log the message was charged.
    pub position: Position,
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
    /// The message has more segments than are charged.
    SegmentsOutOfRange,
}

impl HoldReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [
        Self::AccountUnknown,
        Self::NoPrice,
        Self::SegmentsOutOfRange,
    ];

    /// The word used on the wire, in the log and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountUnknown => "ACCOUNT_UNKNOWN",
            Self::NoPrice => "NO_PRICE",
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
    /// What it contradicts.
    pub first: FirstSettlement,
    /// The names of the fields in which it differs from the first.
    pub differs: Vec<String>,
}

/// The settlement of a message that counts, because it came first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FirstSettlement {
    /// Whose message it is.
    pub tenant: Pseudonym,
    /// The account that is to pay.
    pub account_id: AccountId,
    /// What it said.
    pub settlement: Settlement,
}
