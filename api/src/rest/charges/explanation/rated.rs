//! What a charge rests on, by its own event: versions are found by its time and what it is for.

use std::collections::BTreeSet;

use eventstore::RecordedEvent;
use schema::{
    CostKey, Event, Position, PriceKey, Pseudonym, Timestamp,
    versioned::{Change, Versioned},
};
use serde_json::Value;

use super::payload;

/// What a charge, or one that waits, was rated by.
pub(super) struct Rated {
    at: Timestamp,
    /// Up to where the log was known to it.
    before: Position,
    pub(super) cost: CostKey,
    /// What the price is for, and its version; none while it waits.
    pub(super) price: Option<(PriceKey<Pseudonym>, Value)>,
}

impl Rated {
    /// By the events of a message; the charge says more than that it was held.
    pub(super) fn of(events: &[RecordedEvent]) -> Option<Self> {
        events.iter().rev().find_map(|event| {
            let (settlement, at) = match &event.data.event {
                Event::MessageCharged(charged) => (&charged.settlement, charged.rated_at),
                Event::ChargeHeld(held) => (&held.settlement, held.rated_at),
                _ => return None,
            };
            let price = match &event.data.event {
                Event::MessageCharged(charged) => Some((
                    PriceKey {
                        tenant: event.data.tenant.filter(|_| charged.price.own),
                        account_tier: charged.account_tier,
                        operator_id: settlement.operator_id,
                        direction: settlement.direction,
                        currency: charged.currency,
                    },
                    Value::from(charged.price.pricing_table_id.to_string()),
                )),
                _ => None,
            };
            Some(Self {
                at,
                before: event.position,
                cost: CostKey {
                    operator_id: settlement.operator_id,
                    direction: settlement.direction,
                },
                price,
            })
        })
    }

    /// The version of the account that was in effect then, as it was known.
    pub(super) fn account<'a>(&self, events: &'a [RecordedEvent]) -> Option<&'a RecordedEvent> {
        let known = events.iter().filter(|event| event.position < self.before);
        let begun = known.filter_map(|event| {
            let begins = payload(event)["effectiveFrom"]
                .as_str()
                .and_then(Timestamp::parse);
            begins
                .is_none_or(|begins| begins <= self.at)
                .then_some((begins, event))
        });
        let latest = begun.max_by_key(|(begins, event)| (*begins, event.position));
        latest.map(|(_, event)| event)
    }

    /// The versions that were in effect then when they were opened, and where they ended.
    pub(super) fn versions<'a, K: Versioned>(
        &self,
        events: &'a [RecordedEvent],
    ) -> Vec<&'a RecordedEvent> {
        let mut begun = BTreeSet::new();
        let concerns =
            |event: &&RecordedEvent| match K::change(&event.data.event, event.data.tenant) {
                Some(Change::Opened(it)) => it.period.contains(self.at) && begun.insert(it.id),
                Some(Change::Closed(it)) => begun.contains(&it.id),
                None => false,
            };
        events.iter().filter(concerns).collect()
    }
}
