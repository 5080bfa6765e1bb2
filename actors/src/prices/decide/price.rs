//! What may become of a price: the rules of [`super::timeline`] for the streams of price keys.

use eventstore::{NewEvent, RecordedEvent};
use schema::{
    Event, PriceKey, PricingTableId,
    event::{PriceClosed, PriceOpened, PriceTerms},
};

use super::timeline::{self, Amendment, Change, Timeline, Version};
use crate::runtime::decider::{Command, Decider, Decision, EventPlace};

/// Change this price.
#[derive(Debug, Clone)]
pub struct AmendPrice {
    /// Whose price, and for what.
    pub key: PriceKey,
    /// How. The ids of versions are those of [`PricingTableId`].
    pub amendment: Amendment<PriceTerms>,
}

/// Decides for the streams of prices.
#[derive(Debug)]
pub struct PriceDecider;

impl Decider for PriceDecider {
    type State = Timeline<PriceTerms>;
    type Command = AmendPrice;
    type Refusal = timeline::Refusal;

    fn fold(state: &mut Self::State, event: &RecordedEvent) {
        state.changed(event.fact.occurred_at);
        match &event.fact.event {
            Event::PriceOpened(opened) => state.open(Version::new(
                opened.pricing_table_id.0,
                opened.terms.clone(),
                opened.period,
                opened.request,
                event.position,
            )),
            Event::PriceClosed(closed) => state.close(
                closed.pricing_table_id.0,
                closed.effective_to,
                event.fact.id,
                event.position,
            ),
            _ => {}
        }
    }

    fn decide(state: &Self::State, command: &AmendPrice) -> Result<Decision, Self::Refusal> {
        let changes = state.decide(&command.amendment)?.into_iter();
        let events: Vec<Event> = changes.map(|change| command.event(change)).collect();
        Ok(Decision::record(events))
    }

    fn is_finished(_: &Self::State) -> bool {
        true
    }
}

impl AmendPrice {
    fn event(&self, change: Change<PriceTerms>) -> Event {
        match change {
            Change::Opened { id, terms, period } => Event::PriceOpened(PriceOpened {
                pricing_table_id: PricingTableId(id),
                account_tier: self.key.account_tier,
                operator_id: self.key.operator_id,
                direction: self.key.direction,
                currency: self.key.currency,
                terms,
                period,
                request: self.amendment.origin.request,
            }),
            Change::Closed { id, effective_to } => Event::PriceClosed(PriceClosed {
                pricing_table_id: PricingTableId(id),
                effective_to,
            }),
        }
    }
}

impl Command for AmendPrice {
    fn record(&self, _: EventPlace, event: Event) -> NewEvent {
        let request = self.amendment.origin.request;
        let id = match &event {
            Event::PriceClosed(closed) => timeline::closing(closed.pricing_table_id.0, request),
            Event::PriceOpened(opened) => timeline::opening(opened.pricing_table_id.0, request),
            // Unwrap safety: nothing else is decided above.
            _ => unreachable!("an event of a price"),
        };
        self.amendment.record(event, id, self.key.tenant)
    }
}

#[cfg(test)]
mod tests;
