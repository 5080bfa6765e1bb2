//! Exchange rates: what one unit of a currency is in another, as a person entered it. They are
//! nobody's own.

use schemars::JsonSchema;
use uuid::Uuid;

use super::{Change, Closing, Opening, TenantName, Versioned};
use crate::{
    Event, EventType, ExchangeRateId, ExchangeRateKey, Pseudonym, StreamId,
    event::{ExchangeRateClosed, ExchangeRateOpened, RateTerms},
};

/// The kind of things that exchange rates are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
pub struct ExchangeRate;

impl Versioned for ExchangeRate {
    type Key<T: TenantName> = ExchangeRateKey;
    type Id = ExchangeRateId;
    type Terms = RateTerms;

    const OPENED: EventType = EventType::ExchangeRateOpened;
    const CLOSED: EventType = EventType::ExchangeRateClosed;
    const CORRECTABLE: bool = true;

    fn stream(key: &ExchangeRateKey) -> StreamId {
        StreamId::exchange_rate(key)
    }

    fn tenant<T: TenantName>(_: &ExchangeRateKey) -> Option<T> {
        None
    }

    fn of_tenant<T: TenantName, U: TenantName>(
        key: ExchangeRateKey,
        _: Option<U>,
    ) -> ExchangeRateKey {
        key
    }

    fn event(change: Change<Self>) -> Event {
        match change {
            Change::Opened(opening) => Event::ExchangeRateOpened(ExchangeRateOpened {
                exchange_rate_id: opening.id,
                base_currency: opening.key.base,
                quote_currency: opening.key.quote,
                terms: opening.terms,
                period: opening.period,
                request: opening.request,
            }),
            Change::Closed(closing) => Event::ExchangeRateClosed(ExchangeRateClosed {
                exchange_rate_id: closing.id,
                effective_to: closing.effective_to,
            }),
        }
    }

    fn change(event: &Event, _: Option<Pseudonym>) -> Option<Change<Self>> {
        match event {
            Event::ExchangeRateOpened(opened) => Some(Change::Opened(Opening {
                id: opened.exchange_rate_id,
                key: ExchangeRateKey {
                    base: opened.base_currency,
                    quote: opened.quote_currency,
                },
                terms: opened.terms,
                period: opened.period,
                request: opened.request,
            })),
            Event::ExchangeRateClosed(closed) => Some(Change::Closed(Closing {
                id: closed.exchange_rate_id,
                effective_to: closed.effective_to,
            })),
            _ => None,
        }
    }
}

impl From<Uuid> for ExchangeRateId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<ExchangeRateId> for Uuid {
    fn from(id: ExchangeRateId) -> Self {
        id.0
    }
}
