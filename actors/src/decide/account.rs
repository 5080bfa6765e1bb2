//! What may become of a tenant's accounts: registered once, then changed.
//!
//! An account belongs to the tenant in whose stream it is registered. To say again what is known
//! adds nothing. The name and the address on invoices are sealed, so they are not compared by
//! opening them: sealing is a pure function, so what is new is sealed for the place of what is
//! known, and equal texts seal equally there.

use std::collections::{HashMap, HashSet};

use eventstore::{LogId, NewEvent, RecordedEvent, keyring::TenantKey};
use schema::{
    AccountId, Event, EventId, Personal, Sealed, StreamId, Timestamp,
    event::{AccountChanged, AccountFacts, AccountRegistered},
};
use uuid::Uuid;

use super::{Command, Decider, EventPlace};

/// A tenant's accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    accounts: HashMap<AccountId, Account>,
    carried_out: HashSet<EventId>,
}

/// One account, as the last event about it says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Account {
    facts: AccountFacts,
    sealed: Sealed,
    version: i32,
    position: i64,
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
    /// The request; the same again is a repeat.
    pub request: Uuid,
    /// The time of the request.
    pub now: Timestamp,
    /// The position of the last change that the caller knows of, where they insist on it.
    pub if_at: Option<i64>,
    /// Who.
    pub principal: String,
    /// The `traceparent` it came with.
    pub trace: Option<String>,
}

/// The account is not as the caller saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the account changed at position {position}")]
pub struct Changed {
    /// The position of its last change; 0 if nobody registered it.
    pub position: i64,
}

/// Decides for the streams of category `tenant`.
#[derive(Debug)]
pub struct AccountDecider;

impl Accounts {
    /// What is known of this account, if it is registered.
    #[must_use]
    pub fn get(&self, account: AccountId) -> Option<&AccountFacts> {
        self.accounts.get(&account).map(|known| &known.facts)
    }
}

impl Decider for AccountDecider {
    type State = Accounts;
    type Command = PutAccount;
    type Refusal = Changed;

    fn fold(state: &mut Accounts, event: &RecordedEvent) {
        let (Event::AccountRegistered(AccountRegistered { account: facts })
        | Event::AccountChanged(AccountChanged { account: facts })) = &event.fact.event
        else {
            return;
        };
        let account = Account {
            facts: *facts,
            sealed: event.fact.sealed.clone(),
            version: event.version,
            position: event.position,
        };
        state.accounts.insert(facts.account_id, account);
        state.carried_out.insert(event.fact.id);
    }

    fn decide(state: &Accounts, command: &PutAccount) -> Result<Vec<Event>, Changed> {
        if state.carried_out.contains(&command.id()) {
            return Ok(Vec::new());
        }
        let account = command.account;
        let known = state.accounts.get(&account.account_id);
        let position = known.map_or(0, |known| known.position);
        if command.if_at.is_some_and(|seen| seen != position) {
            return Err(Changed { position });
        }
        Ok(match known {
            None => vec![Event::AccountRegistered(AccountRegistered { account })],
            Some(known) if command.says_nothing_new(known) => Vec::new(),
            Some(_) => vec![Event::AccountChanged(AccountChanged { account })],
        })
    }

    fn is_finished(_: &Accounts) -> bool {
        false
    }
}

impl PutAccount {
    fn id(&self) -> EventId {
        EventId::of_request("account-put", self.account.account_id.0, self.request)
    }

    fn says_nothing_new(&self, known: &Account) -> bool {
        let place = EventPlace {
            log: self.log,
            stream: StreamId::tenant(self.tenant.pseudonym),
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
                .key
                .seal(&place.of_field(field), personal.as_ref()?);
            Some((field.to_owned(), sealed))
        });
        Sealed(sealed.collect())
    }
}

impl Command for PutAccount {
    fn record(&self, place: EventPlace, event: Event) -> NewEvent {
        NewEvent {
            id: self.id(),
            event,
            tenant: Some(self.tenant.pseudonym),
            account: Some(self.account.account_id),
            occurred_at: self.now,
            cause: Some(self.request),
            trace: self.trace.clone(),
            principal: self.principal.clone(),
            sealed: self.seal(place),
        }
    }
}

#[cfg(test)]
mod tests {
    use eventstore::seal::DataKey;
    use schema::{AccountTier, Currency, Pseudonym};

    use super::*;
    use crate::decide::testing::{self, Given};

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
                key: DataKey::new(1, &[1; 32]),
            },
            log: LogId::DEFAULT,
            request: Uuid::from_u128(request),
            now: Timestamp::from_micros(0).expect("valid"),
            if_at: None,
            principal: "anna".into(),
            trace: None,
        }
    }

    fn given(before: &[PutAccount]) -> Given<AccountDecider> {
        testing::given(StreamId::tenant(Pseudonym(Uuid::from_u128(5))), before)
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
        let seen = |if_at| PutAccount {
            if_at: Some(if_at),
            ..put(2, AccountTier::Custom, "Ada")
        };
        assert_eq!(known.refuses(&seen(7)), Changed { position: 1 });
        assert_eq!(known.when(&seen(1)).len(), 1);
        assert_eq!(given(&[]).refuses(&seen(1)), Changed { position: 0 });
    }

    #[test]
    fn the_name_is_sealed_to_the_event() {
        let place = |version| EventPlace {
            log: LogId::DEFAULT,
            stream: StreamId::tenant(Pseudonym(Uuid::from_u128(5))),
            version,
        };
        let command = put(1, AccountTier::Growth, "Ada");
        let (first, second) = (command.seal(place(1)), command.seal(place(2)));
        assert_ne!(first, second);
        assert!(!first.stored().expect("sealed").contains("Ada"));
    }
}
