//! What may become of a cost: the rules of [`super::timeline`] for the streams of cost keys.

use eventstore::{NewEvent, RecordedEvent};
use schema::{
    CostKey, Event, OperatorCostId,
    event::{CostClosed, CostOpened, CostTerms},
};

use super::timeline::{self, Amendment, Change, Timeline, Version};
use crate::runtime::decider::{Command, Decider, Decision, EventPlace};

/// Change this cost.
#[derive(Debug, Clone)]
pub struct AmendCost {
    /// What it is for.
    pub key: CostKey,
    /// How. The ids of versions are those of [`OperatorCostId`].
    pub amendment: Amendment<CostTerms>,
}

/// Decides for the streams of costs.
#[derive(Debug)]
pub struct CostDecider;

impl Decider for CostDecider {
    type State = Timeline<CostTerms>;
    type Command = AmendCost;
    type Refusal = timeline::Refusal;

    fn fold(state: &mut Self::State, event: &RecordedEvent) {
        state.changed(event.fact.occurred_at);
        match &event.fact.event {
            Event::CostOpened(opened) => state.open(Version::new(
                opened.operator_cost_id.0,
                opened.terms,
                opened.period,
                opened.request,
                event.position,
            )),
            Event::CostClosed(closed) => state.close(
                closed.operator_cost_id.0,
                closed.effective_to,
                event.fact.id,
                event.position,
            ),
            _ => {}
        }
    }

    fn decide(state: &Self::State, command: &AmendCost) -> Result<Decision, Self::Refusal> {
        let changes = state.decide(&command.amendment)?.into_iter();
        let events: Vec<Event> = changes.map(|change| command.event(change)).collect();
        Ok(Decision::record(events))
    }

    fn is_finished(_: &Self::State) -> bool {
        true
    }
}

impl AmendCost {
    fn event(&self, change: Change<CostTerms>) -> Event {
        match change {
            Change::Opened { id, terms, period } => Event::CostOpened(CostOpened {
                operator_cost_id: OperatorCostId(id),
                operator_id: self.key.operator_id,
                direction: self.key.direction,
                terms,
                period,
                request: self.amendment.origin.request,
            }),
            Change::Closed { id, effective_to } => Event::CostClosed(CostClosed {
                operator_cost_id: OperatorCostId(id),
                effective_to,
            }),
        }
    }
}

impl Command for AmendCost {
    fn record(&self, _: EventPlace, event: Event) -> NewEvent {
        let request = self.amendment.origin.request;
        let id = match &event {
            Event::CostClosed(closed) => timeline::closing(closed.operator_cost_id.0, request),
            Event::CostOpened(opened) => timeline::opening(opened.operator_cost_id.0, request),
            // Unwrap safety: nothing else is decided above.
            _ => unreachable!("an event of a cost"),
        };
        self.amendment.record(event, id, None)
    }
}

#[cfg(test)]
mod tests;
