//! What a settlement does to the charge of its message.
//!
//! A message is charged once, and the first settlement counts. The same settlement again is a
//! repeat, however it came. Another one about the same message is kept as a contradiction, each
//! content once, and changes nothing. What is held waits until it can be rated, and is charged as
//! the first settlement says. Where the account's registration says who pays, the tier and the
//! currency that a settlement states contradict nothing.
//!
//! A charge rests on a tariff, which is not in its stream: so what is decided here is named by
//! what it takes. [`Charge::compare`] needs the stream alone; [`rated`] and
//! [`Charge::rated_again`] take the tariff too, and their decisions guard it.

use std::collections::BTreeSet;

use eventstore::{EventData, RecordedEvent};
use schema::{
    AccountId, Event, EventId, MessageId, Pseudonym, Settlement,
    event::{ChargeConflictRecorded, FirstSettlement, PayerSource},
};

use super::rating::{Rating, Tariff, rate, rated_at};
use crate::runtime::{
    decider::{Command, Decision, EventPlace},
    origin::Origin,
};

/// The name under which the log keeps what billing recorded by itself.
const PRINCIPAL: &str = "billing-service";

/// Charge this settlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeRequest {
    /// The tenant whose message it is.
    pub tenant: Pseudonym,
    /// The account that is to pay.
    pub account: AccountId,
    /// The settled message, as it was announced.
    pub settlement: Settlement,
    /// The message that announced it.
    pub origin: Origin,
}

/// What is known of a message's charge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Charge {
    /// No settlement of the message is recorded.
    #[default]
    Unsettled,
    /// Settled, and not charged before it can be rated.
    Held(Settled),
    /// Settled and charged, for good.
    Charged(Settled),
}

/// A message that was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// By which settlement.
    pub first: ChargeRequest,
    /// What said who pays.
    payer: PayerSource,
    /// The contradictions that are kept.
    contradictions: BTreeSet<EventId>,
}

/// What one more settlement is to a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// The first: it is to be rated.
    First,
    /// Everything it says is recorded already.
    Repeat,
    /// A contradiction, to be kept.
    Contradiction(Decision),
}

impl Charge {
    /// What is known from the history of its stream.
    #[must_use]
    pub fn folded(history: &[RecordedEvent]) -> Self {
        let mut charge = Self::default();
        for event in history {
            charge.fold(&event.data);
        }
        charge
    }

    /// The charge after this event of its stream.
    pub fn fold(&mut self, data: &EventData) {
        match (&data.event, &mut *self) {
            (Event::ChargeHeld(held), Self::Unsettled) => {
                *self = Self::Held(Settled::by(data, &held.settlement, held.payer));
            }
            (Event::MessageCharged(charged), Self::Unsettled) => {
                *self = Self::Charged(Settled::by(data, &charged.settlement, charged.payer));
            }
            (Event::MessageCharged(charged), Self::Held(settled)) => {
                let payer = charged.payer;
                let settled = settled.clone();
                *self = Self::Charged(Settled { payer, ..settled });
            }
            (Event::ChargeConflictRecorded(_), Self::Held(settled) | Self::Charged(settled)) => {
                settled.contradictions.insert(data.id);
            }
            _ => {}
        }
    }

    /// What one more settlement is: the first, a repeat, or a contradiction.
    #[must_use]
    pub fn compare(&self, request: &ChargeRequest) -> Comparison {
        let (Self::Held(settled) | Self::Charged(settled)) = self else {
            return Comparison::First;
        };
        let differs = settled.differs_from(request);
        if differs.is_empty() || settled.contradictions.contains(&request.contradiction()) {
            return Comparison::Repeat;
        }
        let event = Event::ChargeConflictRecorded(ChargeConflictRecorded {
            settlement: request.settlement.clone(),
            first: FirstSettlement {
                tenant: settled.first.tenant,
                account_id: settled.first.account,
                settlement: settled.first.settlement.clone(),
            },
            differs: differs.into_iter().map(ToOwned::to_owned).collect(),
        });
        Comparison::Contradiction(Decision::record([event]))
    }

    /// What follows for a held charge from rating it again: a charge, or nothing while it cannot
    /// be rated.
    #[must_use]
    pub fn rated_again(&self, tariff: &Tariff<'_>) -> Decision {
        let Self::Held(settled) = self else {
            return Decision::NOTHING;
        };
        match rate(&settled.first.settlement, tariff) {
            (Rating::Charged(charged), guards) => {
                Decision::record([Event::MessageCharged(charged)]).guarded(guards)
            }
            (Rating::Held(_), _) => Decision::NOTHING,
        }
    }
}

/// What follows from the first settlement of a message: a charge, or one that is held.
#[must_use]
pub fn rated(settlement: &Settlement, tariff: &Tariff<'_>) -> Decision {
    let (rating, guards) = rate(settlement, tariff);
    let event = match rating {
        Rating::Charged(charged) => Event::MessageCharged(charged),
        Rating::Held(held) => Event::ChargeHeld(held),
    };
    Decision::record([event]).guarded(guards)
}

impl Settled {
    fn by(data: &EventData, settlement: &Settlement, payer: PayerSource) -> Self {
        Self {
            first: ChargeRequest {
                // Unwrap safety: a charge's events are recorded below, with tenant and account.
                tenant: data.tenant.expect("a charge names its tenant"),
                account: data.account.expect("a charge names its account"),
                settlement: settlement.clone(),
                origin: Origin {
                    request: settlement.source_event_id,
                    time: settlement.received_at,
                    principal: data.principal.clone().into(),
                    trace: data.trace.clone(),
                },
            },
            payer,
            contradictions: BTreeSet::new(),
        }
    }

    fn differs_from(&self, other: &ChargeRequest) -> Vec<&'static str> {
        let (one, two) = (&self.first.settlement, &other.settlement);
        let mut differs = one.differs_from(two);
        if self.payer == PayerSource::Stated {
            differs.extend(one.payer_differs_from(two));
        }
        if self.first.tenant != other.tenant {
            differs.push("tenantId");
        }
        if self.first.account != other.account {
            differs.push("accountId");
        }
        differs
    }
}

impl ChargeRequest {
    /// The request to charge `settlement` to this account of this tenant; it came in the trace
    /// that `trace` names.
    #[must_use]
    pub fn new(
        tenant: Pseudonym,
        account: AccountId,
        settlement: Settlement,
        trace: Option<String>,
    ) -> Self {
        let origin = Origin {
            request: settlement.source_event_id,
            time: settlement.received_at,
            principal: PRINCIPAL.into(),
            trace,
        };
        Self {
            tenant,
            account,
            settlement,
            origin,
        }
    }

    /// The message it settles.
    #[must_use]
    pub const fn message(&self) -> MessageId {
        self.settlement.message_id
    }

    /// The data that it contradicts the first; its id depends on all that may be compared.
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
}

impl Command for ChargeRequest {
    fn record(&self, _: EventPlace, event: Event) -> EventData {
        let message = self.message();
        let (id, occurred_at) = match &event {
            Event::ChargeHeld(_) => (EventId::of_held_charge(message), rated_at(&self.settlement)),
            Event::ChargeConflictRecorded(_) => (self.contradiction(), self.origin.time),
            _ => (EventId::of_charge(message), rated_at(&self.settlement)),
        };
        EventData {
            tenant: Some(self.tenant),
            account: Some(self.account),
            occurred_at,
            ..self.origin.record(id, event)
        }
    }
}

#[cfg(test)]
mod tests;
