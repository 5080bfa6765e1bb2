//! What may become of an account: registered once, by the tenant it then belongs to for good, and
//! told in versions, each from an instant on ([`timeline`]).
//!
//! The account's own stream decides whose it is, so of two tenants that register it at once one
//! wins, on whatever nodes. A version may begin in the past where no charge rests on the tier or the
//! currency that it would change; what else an account is may be told of any time. To say again what
//! is known adds nothing. Names and addresses are sealed, so they are not compared by opening them:
//! sealing is a pure function, so what is new is sealed for the place of what is known, and equal
//! texts seal equally there.

pub mod timeline;

use std::collections::HashSet;

use eventstore::{EventData, LogId, RecordedEvent, keyring::TenantKey};
use schema::{
    Event, EventId, Period, Personal, Position, PostalAddress, Pseudonym, Sealed, StreamId,
    Timestamp,
    event::{AccountChanged, AccountFacts, AccountRegistered},
};

use self::timeline::{Timeline, Version};

use crate::runtime::{
    decider::{Command, Decider, Decision, EventPlace},
    origin::Origin,
};

/// What is known of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    registered: Option<Registered>,
    carried_out: HashSet<EventId>,
}

/// A registered account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Whose it is, from its registration on.
    pub tenant: Pseudonym,
    /// What it is, over time.
    pub timeline: Timeline,
    /// The position of the last event about it.
    position: Position,
    /// The time of the last request that changed something. Requests are decided one after the
    /// other, whatever the clocks of their nodes say: none takes effect before the last one did.
    changed_at: Timestamp,
}

/// Let the account be like this.
#[derive(Debug, Clone)]
pub struct PutAccount {
    /// What it is.
    pub account: AccountFacts,
    /// What is a person's, or may be.
    pub private: AccountPrivate,
    /// From when on; now, if nothing is said.
    pub effective_from: Option<Timestamp>,
    /// For a version that begins in the past: what was charged in the stretch of time in which it
    /// would have messages pay otherwise, if that was looked at.
    pub charged: Option<Charged>,
    /// Whose it is.
    pub tenant: TenantKey,
    /// The log it is recorded in; what is sealed is bound to it.
    pub log: LogId,
    /// What the caller insists on.
    pub condition: Condition,
    /// Their request.
    pub origin: Origin,
}

/// What was found out about a stretch of time before a version was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charged {
    /// The stretch.
    pub period: Period,
    /// Whether the tenant was charged on the account in it by another tier or in another currency.
    pub otherwise: bool,
}

/// What an account says of persons, to be sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountPrivate {
    /// The name it is invoiced under.
    pub legal_name: Option<Personal>,
    /// Who reads its invoices.
    pub contact_name: Option<Personal>,
    /// Where its invoices go.
    pub address: Option<PostalAddress>,
    /// Its VAT id.
    pub vat_id: Option<Personal>,
    /// What is to be on its invoices, as a rule the number of an order.
    pub purchase_order: Option<Personal>,
}

/// What must be so for an account to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    Any,
    /// Somebody registered it.
    Registered,
    /// Its last change is at this position; the beginning for one that nobody registered.
    ChangedAt(Position),
}

/// Why an account is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It belongs to another tenant, or to one that was erased.
    #[error("the account belongs to another tenant")]
    OfAnotherTenant,
    /// Nobody registered it, and the tenant has to be registered anew first, for it was erased.
    #[error("the tenant is erased")]
    OfErasedTenant,
    /// It is not as the caller saw it.
    #[error("the account changed at position {position}")]
    Changed {
        /// The position of its last change; the beginning if nobody registered it.
        position: Position,
    },
    /// First it has to be looked at what was charged in this stretch of time.
    #[error("it was not looked at what was charged")]
    Unseen(Period),
    /// Messages of that time were charged by another tier or in another currency.
    #[error("messages of the period were charged by another tier or in another currency")]
    WouldReprice,
}

/// Decides for the streams of category `account`.
#[derive(Debug)]
pub struct AccountDecider;

impl Account {
    /// The account, if somebody registered it.
    #[must_use]
    pub const fn registered(&self) -> Option<&Registered> {
        self.registered.as_ref()
    }
}

#[cfg(test)]
impl Account {
    /// The account as this tenant registered it, each version from an instant on.
    pub(crate) fn registered_by(tenant: Pseudonym, versions: &[(Timestamp, AccountFacts)]) -> Self {
        Self {
            registered: Some(Registered {
                tenant,
                timeline: Timeline::of(versions),
                position: Position(1),
                changed_at: Timestamp::from_micros(0).expect("a time"),
            }),
            ..Self::default()
        }
    }
}

impl Condition {
    fn holds(self, known: Option<&Registered>) -> bool {
        match self {
            Self::Any => true,
            Self::Registered => known.is_some(),
            Self::ChangedAt(position) => position_of(known) == position,
        }
    }
}

fn position_of(known: Option<&Registered>) -> Position {
    known.map_or(Position::BEGINNING, |known| known.position)
}

impl Decider for AccountDecider {
    type State = Account;
    type Command = PutAccount;
    type Refusal = Refusal;

    fn fold(state: &mut Account, event: &RecordedEvent) {
        let (facts, from) = match &event.data.event {
            Event::AccountRegistered(told) => (told.account, told.effective_from),
            Event::AccountChanged(told) => (told.account, told.effective_from),
            _ => return,
        };
        // An account of nobody is none.
        let Some(tenant) = event.data.tenant else {
            return;
        };
        let told_by = event.data.occurred_at;
        let known = state.registered.get_or_insert_with(|| Registered {
            tenant,
            timeline: Timeline::default(),
            position: event.position,
            changed_at: told_by,
        });
        let version = Version {
            facts,
            sealed: event.data.sealed.clone(),
            told_at: event.version,
        };
        known.timeline.tell(from, version);
        known.position = event.position;
        known.changed_at = known.changed_at.max(told_by);
        state.carried_out.insert(event.data.id);
    }

    fn decide(state: &Account, command: &PutAccount) -> Result<Decision, Refusal> {
        if state.carried_out.contains(&command.id()) {
            return Ok(Decision::NOTHING);
        }
        let known = state.registered();
        let TenantKey { pseudonym, key } = &command.tenant;
        if known.is_some_and(|known| known.tenant != *pseudonym || key.is_none()) {
            return Err(Refusal::OfAnotherTenant);
        }
        if key.is_none() {
            return Err(Refusal::OfErasedTenant);
        }
        if !command.condition.holds(known) {
            let position = position_of(known);
            return Err(Refusal::Changed { position });
        }
        if known.is_some_and(|known| command.says_nothing_new(known)) {
            return Ok(Decision::NOTHING);
        }
        match (command.repriced(known), command.charged) {
            (None, _) => {}
            (Some(period), Some(seen)) if seen.period == period => {
                if seen.otherwise {
                    return Err(Refusal::WouldReprice);
                }
            }
            (Some(period), _) => return Err(Refusal::Unseen(period)),
        }
        let (account, effective_from) = (command.account, command.begins(known));
        let event = match known {
            None => Event::AccountRegistered(AccountRegistered {
                account,
                effective_from,
            }),
            Some(_) => Event::AccountChanged(AccountChanged {
                account,
                effective_from,
            }),
        };
        Ok(Decision::record([event]))
    }

    fn is_finished(_: &Account) -> bool {
        false
    }
}

impl PutAccount {
    /// The stream of its account.
    #[must_use]
    pub const fn stream(&self) -> StreamId {
        StreamId::account(self.account.account_id)
    }

    fn id(&self) -> EventId {
        EventId::of_request(
            "account-put",
            self.account.account_id.0,
            self.origin.request,
        )
    }

    /// When its version begins.
    fn begins(&self, known: Option<&Registered>) -> Timestamp {
        let now = known.map_or(self.origin.time, |it| it.changed_at.max(self.origin.time));
        self.effective_from.unwrap_or(now)
    }

    /// Whether the version that it would take the place of, or that is in effect now, says the same.
    fn says_nothing_new(&self, known: &Registered) -> bool {
        let there = match self.effective_from {
            Some(from) => known.timeline.beginning_at(from),
            None => known.timeline.at(self.begins(Some(known))),
        };
        there.is_some_and(|version| {
            let place = EventPlace {
                log: self.log,
                stream: self.stream(),
                version: version.told_at,
            };
            self.account == version.facts && self.seal(place) == version.sealed
        })
    }

    /// The time gone by in which its version would have messages pay otherwise. What begins now or
    /// later is not held up by what was charged.
    fn repriced(&self, known: Option<&Registered>) -> Option<Period> {
        let from = self
            .effective_from
            .filter(|from| *from < self.origin.time)?;
        let unknown = Timeline::default();
        let timeline = known.map_or(&unknown, |known| &known.timeline);
        timeline.repriced(from, &self.account)
    }

    fn seal(&self, place: EventPlace) -> Sealed {
        let private = &self.private;
        let address = private.address.as_ref().map(PostalAddress::text);
        let fields = [
            (Sealed::LEGAL_NAME, private.legal_name.as_ref()),
            (Sealed::CONTACT_NAME, private.contact_name.as_ref()),
            (Sealed::BILLING_ADDRESS, address.as_ref()),
            (Sealed::VAT_ID, private.vat_id.as_ref()),
            (Sealed::PURCHASE_ORDER, private.purchase_order.as_ref()),
        ];
        let sealed = fields.into_iter().filter_map(|(field, personal)| {
            let sealed = self.tenant.seal(&place.of_field(field), personal?)?;
            Some((field.to_owned(), sealed))
        });
        Sealed(sealed.collect())
    }
}

impl Command for PutAccount {
    fn record(&self, place: EventPlace, event: Event) -> EventData {
        EventData {
            tenant: Some(self.tenant.pseudonym),
            account: Some(self.account.account_id),
            sealed: self.seal(place),
            ..self.origin.record(self.id(), event)
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
