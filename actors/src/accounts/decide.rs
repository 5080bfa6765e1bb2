//! What may become of an account: registered once, by the tenant it then belongs to for good, and
//! changed.
//!
//! The account's own stream decides whose it is, so of two tenants that register it at once one
//! wins, on whatever nodes. To say again what is known adds nothing. The name and the address on
//! invoices are sealed, so they are not compared by opening them: sealing is a pure function, so
//! what is new is sealed for the place of what is known, and equal texts seal equally there.

use std::collections::HashSet;

use eventstore::{EventData, LogId, RecordedEvent, keyring::TenantKey};
use schema::{
    Event, EventId, Personal, Position, Pseudonym, Sealed, StreamId, StreamVersion,
    event::{AccountChanged, AccountFacts, AccountRegistered},
};

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

/// A registered account, as the last event about it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Whose it is, from its registration on.
    pub tenant: Pseudonym,
    /// What it is.
    pub facts: AccountFacts,
    sealed: Sealed,
    version: StreamVersion,
    position: Position,
}

/// Let the account be like this.
#[derive(Debug, Clone)]
pub struct PutAccount {
    /// What it is.
    pub account: AccountFacts,
    /// The name on its invoices.
    pub billing_name: Option<Personal>,
    /// The address on its invoices.
    pub billing_address: Option<Personal>,
    /// Whose it is.
    pub tenant: TenantKey,
    /// The log it is recorded in; what is sealed is bound to it.
    pub log: LogId,
    /// What the caller insists on.
    pub condition: Condition,
    /// Their request.
    pub origin: Origin,
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
    /// The account as this tenant registered it.
    pub(crate) fn registered_by(tenant: Pseudonym, facts: AccountFacts) -> Self {
        Self {
            registered: Some(Registered {
                tenant,
                facts,
                sealed: Sealed::default(),
                version: StreamVersion(1),
                position: Position(1),
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
        let (Event::AccountRegistered(AccountRegistered { account: facts })
        | Event::AccountChanged(AccountChanged { account: facts })) = &event.data.event
        else {
            return;
        };
        let known = state.registered().map(|known| known.tenant);
        // An account of nobody is none.
        let Some(tenant) = known.or(event.data.tenant) else {
            return;
        };
        state.registered = Some(Registered {
            tenant,
            facts: *facts,
            sealed: event.data.sealed.clone(),
            version: event.version,
            position: event.position,
        });
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
        let account = command.account;
        Ok(match known {
            None => Decision::record([Event::AccountRegistered(AccountRegistered { account })]),
            Some(known) if command.says_nothing_new(known) => Decision::NOTHING,
            Some(_) => Decision::record([Event::AccountChanged(AccountChanged { account })]),
        })
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

    fn says_nothing_new(&self, known: &Registered) -> bool {
        let place = EventPlace {
            log: self.log,
            stream: self.stream(),
            version: known.version,
        };
        self.account == known.facts && self.seal(place) == known.sealed
    }

    fn seal(&self, place: EventPlace) -> Sealed {
        let fields = [
            (Sealed::BILLING_NAME, &self.billing_name),
            (Sealed::BILLING_ADDRESS, &self.billing_address),
        ];
        let sealed = fields.into_iter().filter_map(|(field, personal)| {
            let sealed = self
                .tenant
                .seal(&place.of_field(field), personal.as_ref()?)?;
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
mod tests {
    use eventstore::seal::DataKey;
    use schema::{AccountId, AccountTier, Currency};
    use uuid::Uuid;

    use super::*;
    use crate::runtime::decider::testing::{self, Given};

    fn put(request: u128, tier: AccountTier, name: &str) -> PutAccount {
        PutAccount {
            account: AccountFacts {
                account_id: AccountId(Uuid::from_u128(4)),
                account_tier: tier,
                currency: Currency::parse("EUR").expect("exists"),
            },
            billing_name: (!name.is_empty()).then(|| Personal::new(name.into())),
            billing_address: None,
            tenant: TenantKey {
                pseudonym: Pseudonym(Uuid::from_u128(5)),
                key: Some(DataKey::new(1, &[1; 32])),
            },
            log: LogId::DEFAULT,
            condition: Condition::Any,
            origin: Origin::of_request(request),
        }
    }

    fn stream() -> StreamId {
        StreamId::account(AccountId(Uuid::from_u128(4)))
    }

    fn given(before: &[PutAccount]) -> Given<AccountDecider> {
        testing::given(stream(), before)
    }

    #[test]
    fn an_account_is_registered_once_and_then_changed() {
        let first = put(1, AccountTier::Growth, "Ada");
        assert!(matches!(
            given(&[]).when(&first)[..],
            [Event::AccountRegistered(_)]
        ));
        for other in [
            put(2, AccountTier::Custom, "Ada"),
            put(2, AccountTier::Growth, "Eva"),
            put(2, AccountTier::Growth, ""),
        ] {
            let events = given(std::slice::from_ref(&first)).when(&other);
            assert!(
                matches!(events[..], [Event::AccountChanged(_)]),
                "{other:?}"
            );
        }
    }

    #[test]
    fn to_say_again_what_is_known_adds_nothing() {
        let known = given(&[
            put(1, AccountTier::Growth, "Ada"),
            put(2, AccountTier::Growth, "Eva"),
        ]);
        assert_eq!(known.when(&put(3, AccountTier::Growth, "Eva")), []);
        assert_eq!(
            known.when(&put(1, AccountTier::Growth, "Ada")),
            [],
            "a late repeat"
        );
    }

    #[test]
    fn a_change_of_what_the_caller_has_not_seen_is_refused() {
        let known = given(&[put(1, AccountTier::Growth, "Ada")]);
        let given_that = |condition| PutAccount {
            condition,
            ..put(2, AccountTier::Custom, "Ada")
        };
        let seen = |position| given_that(Condition::ChangedAt(Position(position)));
        let changed = |position| Refusal::Changed {
            position: Position(position),
        };
        assert_eq!(known.refuses(&seen(7)), changed(1));
        assert_eq!(known.when(&seen(1)).len(), 1);
        assert_eq!(given(&[]).refuses(&seen(1)), changed(0));
        let registered = given_that(Condition::Registered);
        assert_eq!(known.when(&registered).len(), 1);
        assert_eq!(given(&[]).refuses(&registered), changed(0));
    }

    #[test]
    fn an_account_belongs_to_the_tenant_that_registered_it() {
        let first = put(1, AccountTier::Growth, "Ada");
        let mut thief = put(2, AccountTier::Growth, "Ada");
        thief.tenant.pseudonym = Pseudonym(Uuid::from_u128(6));
        let known = given(std::slice::from_ref(&first));
        assert_eq!(known.refuses(&thief), Refusal::OfAnotherTenant);
        thief.condition = Condition::ChangedAt(Position(1));
        assert_eq!(known.refuses(&thief), Refusal::OfAnotherTenant);
        let other = given(std::slice::from_ref(&PutAccount {
            condition: Condition::Any,
            ..thief
        }));
        assert_eq!(other.refuses(&first), Refusal::OfAnotherTenant);
    }

    #[test]
    fn an_account_of_an_erased_tenant_stays_as_it_is_and_a_new_one_takes_a_new_registration() {
        let first = put(1, AccountTier::Growth, "Ada");
        let mut erased = put(2, AccountTier::Custom, "Ada");
        erased.tenant.key = None;
        let known = given(std::slice::from_ref(&first));
        assert_eq!(known.refuses(&erased), Refusal::OfAnotherTenant);
        assert_eq!(given(&[]).refuses(&erased), Refusal::OfErasedTenant);
    }

    #[test]
    fn the_name_is_sealed_to_the_event() {
        let place = |version| EventPlace {
            log: LogId::DEFAULT,
            stream: stream(),
            version: StreamVersion(version),
        };
        let command = put(1, AccountTier::Growth, "Ada");
        let (first, second) = (command.seal(place(1)), command.seal(place(2)));
        assert_ne!(first, second);
        assert!(!first.stored().expect("sealed").contains("Ada"));
    }
}
