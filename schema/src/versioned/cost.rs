//! Costs: what carriers take of the platform. They are nobody's own.

use schemars::JsonSchema;
use uuid::Uuid;

use super::{Change, Closing, Opening, TenantName, Versioned};
use crate::{
    CostKey, Event, EventType, OperatorCostId, Pseudonym, StreamId,
    event::{CostClosed, CostOpened, CostTerms},
};

/// The kind of things that costs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
pub struct Cost;

impl Versioned for Cost {
    type Key<T: TenantName> = CostKey;
    type Id = OperatorCostId;
    type Terms = CostTerms;

    const OPENED: EventType = EventType::CostOpened;
    const CLOSED: EventType = EventType::CostClosed;
    const CORRECTABLE: bool = true;

    fn stream(key: &CostKey) -> StreamId {
        StreamId::cost(key)
    }

    fn tenant<T: TenantName>(_: &CostKey) -> Option<T> {
        None
    }

    fn of_tenant<T: TenantName, U: TenantName>(key: CostKey, _: Option<U>) -> CostKey {
        key
    }

    fn event(change: Change<Self>) -> Event {
        match change {
            Change::Opened(opening) => Event::CostOpened(CostOpened {
                operator_cost_id: opening.id,
                operator_id: opening.key.operator_id,
                direction: opening.key.direction,
                terms: opening.terms,
                period: opening.period,
                request: opening.request,
            }),
            Change::Closed(closing) => Event::CostClosed(CostClosed {
                operator_cost_id: closing.id,
                effective_to: closing.effective_to,
            }),
        }
    }

    fn change(event: &Event, _: Option<Pseudonym>) -> Option<Change<Self>> {
        match event {
            Event::CostOpened(opened) => Some(Change::Opened(Opening {
                id: opened.operator_cost_id,
                key: CostKey {
                    operator_id: opened.operator_id,
                    direction: opened.direction,
                },
                terms: opened.terms.clone(),
                period: opened.period,
                request: opened.request,
            })),
            Event::CostClosed(closed) => Some(Change::Closed(Closing {
                id: closed.operator_cost_id,
                effective_to: closed.effective_to,
            })),
            _ => None,
        }
    }
}

impl From<Uuid> for OperatorCostId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<OperatorCostId> for Uuid {
    fn from(id: OperatorCostId) -> Self {
        id.0
    }
}
