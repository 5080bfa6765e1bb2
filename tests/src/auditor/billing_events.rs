//! Which events of the log are billing's, and what follows from what they say.

use schema::{
    AccountTier, AdjustmentId, Category, CostKey, Currency, Direction, EventId, ExchangeRateKey,
    MessageId, OperatorId, PriceKey, Pseudonym, SheetId, StreamId, Timestamp,
};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    adjustment_facts::{Adjustment, Stage},
    billing_facts::{
        CostOpened, Disclosed, Looked, PriceOpened, RateOpened, Settlement, SheetApplied,
    },
    facts::{Body, LogEvent},
};

/// What an erasure is asked for with.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "that the times are there is what counts")]
struct ErasureRequested {
    source_event_id: Uuid,
    erased_at: Timestamp,
    received_at: Timestamp,
}

/// What is said of one that was done.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "that it is there is what counts")]
struct Erased {
    erased_at: Timestamp,
    rows: u64,
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
                read(payload).map(Self::Account)
            }
            (Category::Price, "PriceOpened") => {
                read(payload).map(|it| Self::PriceOpened(Box::new(it)))
            }
            (Category::Price, "PriceClosed") => read(payload).map(Self::PriceClosed),
            (Category::Price, "CostOpened") => {
                read(payload).map(|it| Self::CostOpened(Box::new(it)))
            }
            (Category::Price, "CostClosed") => read(payload).map(Self::CostClosed),
            (Category::Sheet, "PriceSheetApplied" | "CostSheetApplied") => {
                read(payload).map(|it| {
                    let of_prices = name == "PriceSheetApplied";
                    Self::SheetApplied(Box::new(SheetApplied { of_prices, ..it }))
                })
            }
            (Category::Adjustment, _) => {
                Adjustment::read(name, payload).map(|it| Self::Adjustment(Box::new(it)))
            }
            (Category::Price, "ExchangeRateOpened") => {
                read(payload).map(|it| Self::RateOpened(Box::new(it)))
            }
            (Category::Price, "ExchangeRateClosed") => read(payload).map(Self::RateClosed),
            (Category::Assessment, "CostsAssessed") => {
                read(payload).map(|it| Self::Assessed(Box::new(it)))
            }
            (Category::Assessment, "AssessmentAdvanced") => read(payload).map(Self::Advanced),
            (Category::Audit, "CrossAccountRead") => read(payload)
                .filter(|it: &Looked| it.code.is_none())
                .map(|it| Self::Looked(Box::new(it))),
            (Category::Audit, "AccessRefused") => read(payload)
                .filter(|it: &Looked| it.code.is_some())
                .map(|it| Self::Looked(Box::new(it))),
            (Category::Tenant, "ErasureRequested") => {
                read(payload).map(|it: ErasureRequested| Self::ErasureRequested(it.source_event_id))
            }
            (Category::Tenant, "TenantErased") => read(payload).map(|_: Erased| Self::Erased),
            (Category::Audit, "PersonalDataRevealed") => read(payload)
                .filter(Disclosed::is_told)
                .map(|it| Self::Revealed(Box::new(it))),
            (Category::Statement, "OperatorStatementCompared") => {
                read(payload).map(|it| Self::Compared(Box::new(it)))
            }
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
            Body::Account(told) => told.account.account_id,
            Body::Adjustment(adjustment) => {
                let id = adjustment.facts.adjustment_id;
                let event = match adjustment.stage {
                    Stage::Proposed => EventId::of_proposal(AdjustmentId(id)),
                    Stage::Approved | Stage::Rejected => EventId::of_decision(AdjustmentId(id)),
                };
                return Some((id, event.0));
            }
            Body::Looked(looked) => looked.request_id,
            Body::Compared(compared) => compared.statement_id,
            Body::ErasureRequested(announcement) => {
                let tenant = self.tenant?;
                let id = EventId::of_request("erasure", tenant, *announcement);
                return Some((tenant, id.0));
            }
            Body::Erased => {
                let erased = self.tenant?;
                return Some((erased, EventId::of_erasure(Pseudonym(erased)).0));
            }
            Body::Revealed(revealed) => {
                let request = revealed.request_id;
                let id = EventId::of_request("access", request, request);
                return Some((request, id.0));
            }
            Body::SheetApplied(sheet) => {
                let kind = if sheet.of_prices {
                    "price-sheet"
                } else {
                    "cost-sheet"
                };
                let stream = StreamId::sheet(kind, &SheetId::parse(&sheet.sheet_id)?);
                return Some((stream.id, EventId::of_sheet(stream).0));
            }
            Body::PriceOpened(opened) => price_stream(self.tenant, opened)?,
            Body::CostOpened(opened) => cost_stream(opened)?,
            Body::RateOpened(opened) => rate_stream(opened)?,
            Body::Assessed(_) | Body::Advanced(_) => StreamId::assessments().id,
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

fn rate_stream(opened: &RateOpened) -> Option<Uuid> {
    let key = ExchangeRateKey {
        base: Currency::parse(&opened.base_currency)?,
        quote: Currency::parse(&opened.quote_currency)?,
    };
    Some(StreamId::exchange_rate(&key).id)
}

fn cost_stream(opened: &CostOpened) -> Option<Uuid> {
    let key = CostKey {
        operator_id: OperatorId(opened.operator_id),
        direction: Direction::parse(&opened.direction)?,
    };
    Some(StreamId::cost(&key).id)
}
