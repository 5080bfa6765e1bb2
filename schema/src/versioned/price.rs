//! Prices: what accounts pay for messages, to the platform's list or as their tenant has agreed.

use schemars::JsonSchema;
use uuid::Uuid;

use super::{Change, Closing, Opening, TenantName, Versioned};
use crate::{
    Event, EventType, PriceKey, PricingTableId, Pseudonym, StreamId,
    event::{PriceClosed, PriceOpened, PriceTerms},
};

/// The kind of things that prices are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
pub struct Price;

impl Versioned for Price {
    type Key<T: TenantName> = PriceKey<T>;
    type Id = PricingTableId;
    type Terms = PriceTerms;

    const OPENED: EventType = EventType::PriceOpened;
    const CLOSED: EventType = EventType::PriceClosed;
    const CORRECTABLE: bool = false;

    fn stream(key: &PriceKey) -> StreamId {
        StreamId::price(key)
    }

    fn tenant<T: TenantName>(key: &PriceKey<T>) -> Option<T> {
        key.tenant
    }

    fn of_tenant<T: TenantName, U: TenantName>(key: PriceKey<T>, tenant: Option<U>) -> PriceKey<U> {
        PriceKey {
            tenant,
            account_tier: key.account_tier,
            operator_id: key.operator_id,
            direction: key.direction,
            currency: key.currency,
        }
    }

    fn event(change: Change<Self>) -> Event {
        match change {
            Change::Opened(opening) => Event::PriceOpened(PriceOpened {
                pricing_table_id: opening.id,
                account_tier: opening.key.account_tier,
                operator_id: opening.key.operator_id,
                direction: opening.key.direction,
                currency: opening.key.currency,
                terms: opening.terms,
                period: opening.period,
                request: opening.request,
            }),
            Change::Closed(closing) => Event::PriceClosed(PriceClosed {
                pricing_table_id: closing.id,
                effective_to: closing.effective_to,
            }),
        }
    }

    fn change(event: &Event, tenant: Option<Pseudonym>) -> Option<Change<Self>> {
        match event {
            Event::PriceOpened(opened) => Some(Change::Opened(Opening {
                id: opened.pricing_table_id,
                key: PriceKey {
                    tenant,
                    account_tier: opened.account_tier,
                    operator_id: opened.operator_id,
                    direction: opened.direction,
                    currency: opened.currency,
                },
                terms: opened.terms.clone(),
                period: opened.period,
                request: opened.request,
            })),
            Event::PriceClosed(closed) => Some(Change::Closed(Closing {
                id: closed.pricing_table_id,
                effective_to: closed.effective_to,
            })),
            _ => None,
        }
    }
}

impl From<Uuid> for PricingTableId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<PricingTableId> for Uuid {
    fn from(id: PricingTableId) -> Self {
        id.0
    }
}
