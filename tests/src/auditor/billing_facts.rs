//! What the log says of charges, prices, costs and accounts, as the auditor reads it: from JSON,
//! with money in whole millionths.

use schema::{
    AccountTier, Category, CostKey, Currency, Direction, EventId, MessageId, OperatorId, PriceKey,
    Pseudonym, Status, StreamId, Timestamp,
};
use serde::Deserialize;
use uuid::Uuid;

use super::facts::{Body, LogEvent};
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

const fn one() -> i64 {
    1
}

impl Body {
    /// Reads what billing has stored under `name` in a stream of `category`.
    pub(super) fn of_billing(category: Category, name: &str, payload: &str) -> Option<Self> {
        fn read<'a, T: Deserialize<'a>>(payload: &'a str) -> Option<T> {
            serde_json::from_str(payload).ok()
        }
        match (category, name) {
            (Category::Charge, "MessageCharged") => {
                read(payload).map(|it| Self::Charged(Box::new(it)))
            }
            (Category::Charge, "ChargeHeld") => read(payload).map(|it| Self::Held(Box::new(it))),
            (Category::Charge, "ChargeConflictRecorded") => {
                read(payload).map(|it| Self::Conflict(Box::new(it)))
            }
            (Category::Account, "AccountRegistered" | "AccountChanged") => {
                read(payload).map(|it: Account| Self::Account(it.account))
            }
            (Category::Price, "PriceOpened") => {
                read(payload).map(|it| Self::PriceOpened(Box::new(it)))
            }
            (Category::Price, "PriceClosed") => read(payload).map(Self::PriceClosed),
            (Category::Price, "CostOpened") => {
                read(payload).map(|it| Self::CostOpened(Box::new(it)))
            }
            (Category::Price, "CostClosed") => read(payload).map(Self::CostClosed),
            (Category::Audit, "CrossAccountRead") => read(payload)
                .filter(|it: &Looked| it.code.is_none())
                .map(|it| Self::Looked(Box::new(it))),
            (Category::Audit, "AccessRefused") => read(payload)
                .filter(|it: &Looked| it.code.is_some())
                .map(|it| Self::Looked(Box::new(it))),
            (Category::Invoice, _) => Some(Self::Elsewhere),
            _ => None,
        }
    }
}

impl LogEvent {
    /// The settlement it is about, if it is about one.
    pub(super) fn settlement(&self) -> Option<&Settlement> {
        match &self.body {
            Body::Charged(charged) => Some(&charged.settlement),
            Body::Held(held) => Some(&held.settlement),
            Body::Conflict(conflict) => Some(&conflict.settlement),
            _ => None,
        }
    }

    /// Stream and event id of a fact of billing, as far as they follow from what happened.
    pub(super) fn derived_in_billing(&self) -> Option<(Uuid, Uuid)> {
        let stream = match &self.body {
            Body::Charged(charged) => {
                let message = charged.settlement.message_id;
                return Some((message, EventId::of_charge(MessageId(message)).0));
            }
            Body::Held(held) => {
                let message = held.settlement.message_id;
                return Some((message, EventId::of_held_charge(MessageId(message)).0));
            }
            Body::Conflict(conflict) => conflict.settlement.message_id,
            Body::Account(account) => account.account_id,
            Body::Looked(looked) => looked.request_id,
            Body::PriceOpened(opened) => price_stream(self.tenant, opened)?,
            Body::CostOpened(opened) => cost_stream(opened)?,
            _ => return None,
        };
        Some((stream, self.event_id))
    }
}

fn price_stream(tenant: Option<Uuid>, opened: &PriceOpened) -> Option<Uuid> {
    let key = PriceKey {
        tenant: tenant.map(Pseudonym),
        account_tier: AccountTier::parse(&opened.account_tier)?,
        operator_id: OperatorId(opened.operator_id),
        direction: Direction::parse(&opened.direction)?,
        currency: Currency::parse(&opened.currency)?,
    };
    Some(StreamId::price(&key).id)
}

fn cost_stream(opened: &CostOpened) -> Option<Uuid> {
    let key = CostKey {
        operator_id: OperatorId(opened.operator_id),
        direction: Direction::parse(&opened.direction)?,
    };
    Some(StreamId::cost(&key).id)
}
