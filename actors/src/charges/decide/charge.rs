//! What a settlement does to the charge of its message.
//!
//! A message is charged once, and the first settlement counts. The same settlement again is a
//! repeat, however it came. Another one about the same message is kept as a contradiction, each
//! content once, and changes nothing. What is held waits until it can be rated, and is charged as
//! the first settlement says.

use std::collections::BTreeSet;

use eventstore::{NewEvent, RecordedEvent};
use schema::{
    AccountId, Event, EventId, MessageId, Pseudonym, Sealed, Settlement, Timestamp,
    event::ChargeConflictRecorded,
};

use super::rating::{Rating, rated_at};
use crate::runtime::principal;

/// A settlement, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Whose.
    pub tenant: Pseudonym,
    /// On which account.
    pub account: AccountId,
    /// What is to be charged.
    pub settlement: Settlement,
    /// The `traceparent` it came with.
    pub trace: Option<String>,
}

/// What is known of a message's charge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Charge {
    /// Nothing.
    #[default]
    Unsettled,
    /// It waits to be rated.
    Held(Settled),
    /// It is charged.
    Charged(Settled),
}

/// A message that was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// By which settlement.
    pub first: Announced,
    /// The contradictions that are kept.
    contradictions: BTreeSet<EventId>,
}

/// What one more settlement is to a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The first: it is to be rated.
    First,
    /// Nothing new.
    Repeat,
    /// A contradiction, to be kept.
    Contradiction(Box<NewEvent>),
}

impl Charge {
    /// What is known from the history of its stream.
    #[must_use]
    pub fn folded(history: &[RecordedEvent]) -> Self {
        let mut charge = Self::default();
        for event in history {
            charge.fold(&event.fact);
        }
        charge
    }

    /// What is known after `fact`.
    pub fn fold(&mut self, fact: &NewEvent) {
        match (&fact.event, &mut *self) {
            (Event::ChargeHeld(held), Self::Unsettled) => {
                *self = Self::Held(Settled::by(fact, &held.settlement));
            }
            (Event::MessageCharged(charged), Self::Unsettled) => {
                *self = Self::Charged(Settled::by(fact, &charged.settlement));
            }
            (Event::MessageCharged(_), Self::Held(settled)) => {
                *self = Self::Charged(settled.clone());
            }
            (Event::ChargeConflictRecorded(_), Self::Held(settled) | Self::Charged(settled)) => {
                settled.contradictions.insert(fact.id);
            }
            _ => {}
        }
    }

    /// What `announced` is to it.
    #[must_use]
    pub fn hear(&self, announced: &Announced) -> Heard {
        let (Self::Held(settled) | Self::Charged(settled)) = self else {
            return Heard::First;
        };
        let differs = settled.first.differs_from(announced);
        if differs.is_empty() {
            return Heard::Repeat;
        }
        let id = announced.contradiction();
        if settled.contradictions.contains(&id) {
            return Heard::Repeat;
        }
        let event = Event::ChargeConflictRecorded(ChargeConflictRecorded {
            settlement: announced.settlement.clone(),
            differs: differs.into_iter().map(ToOwned::to_owned).collect(),
        });
        let at = announced.settlement.received_at;
        Heard::Contradiction(Box::new(announced.record(id, event, at)))
    }
}

impl Settled {
    fn by(fact: &NewEvent, settlement: &Settlement) -> Self {
        Self {
            first: Announced {
                // Unwrap safety: a charge's events are recorded below, with tenant and account.
                tenant: fact.tenant.expect("a charge names its tenant"),
                account: fact.account.expect("a charge names its account"),
                settlement: settlement.clone(),
                trace: fact.trace.clone(),
            },
            contradictions: BTreeSet::new(),
        }
    }
}

impl Announced {
    /// Which message it settles.
    #[must_use]
    pub const fn message(&self) -> MessageId {
        self.settlement.message_id
    }

    /// The event that records what came of rating it.
    #[must_use]
    pub fn rated(&self, rating: Rating) -> NewEvent {
        let message = self.message();
        let (id, event) = match rating {
            Rating::Charged(charged) => {
                (EventId::of_charge(message), Event::MessageCharged(charged))
            }
            Rating::Held(held) => (EventId::of_held_charge(message), Event::ChargeHeld(held)),
        };
        self.record(id, event, rated_at(&self.settlement))
    }

    fn differs_from(&self, other: &Self) -> Vec<&'static str> {
        let mut differs = self.settlement.differs_from(&other.settlement);
        if self.tenant != other.tenant {
            differs.push("tenantId");
        }
        if self.account != other.account {
            differs.push("accountId");
        }
        differs
    }

    /// The fact that it contradicts the first; its id depends on all that is compared.
    fn contradiction(&self) -> EventId {
        let said = &self.settlement;
        let tier = said.stated_tier.map_or("", |tier| tier.as_str());
        let currency = said.stated_currency.map(|currency| currency.to_string());
        let content = [
            self.tenant.to_string(),
            self.account.to_string(),
            said.operator_id.to_string(),
            said.direction.to_string(),
            said.segment_count.to_string(),
            said.dlr_status.as_str().to_owned(),
            said.occurred_at.to_string(),
            said.charged_at.to_string(),
            tier.to_owned(),
            currency.unwrap_or_default(),
        ];
        EventId::of_charge_conflict(self.message(), content.join("\n").as_bytes())
    }

    fn record(&self, id: EventId, event: Event, occurred_at: Timestamp) -> NewEvent {
        NewEvent {
            id,
            event,
            tenant: Some(self.tenant),
            account: Some(self.account),
            occurred_at,
            cause: Some(self.settlement.source_event_id),
            trace: self.trace.clone(),
            principal: principal::BILLING.to_owned(),
            sealed: Sealed::default(),
        }
    }
}

#[cfg(test)]
mod tests;
