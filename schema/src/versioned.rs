//! Dated versions: what is said of one thing under one key, each version for a period of its own.
//!
//! A price, for one: its key says what it is for, its versions say what it was, is and will be. A
//! version is opened with its terms for a period and may get an earlier end; nothing else ever
//! happens to it. [`Versioned`] is what differs between the kinds of such things; their rules,
//! their tables and their endpoints are written once, for all kinds.
//!
//! Nothing is decided here: which change is allowed is a matter of the rules.

mod cost;
mod exchange_rate;
mod price;
mod sheet;

use std::{
    fmt::{Debug, Display},
    hash::Hash,
};

use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::{Event, EventType, Period, Pseudonym, StreamId, TenantId, Timestamp};

pub use self::{cost::Cost, exchange_rate::ExchangeRate, price::Price, sheet::Sheeted};

/// A kind of things that have dated versions. Its name in schemas is the word for one such thing.
pub trait Versioned: Copy + Eq + Debug + JsonSchema + Send + Sync + 'static {
    /// What versions are for: at any instant at most one version of a key is in effect. Where a
    /// key says whose it is, `T` is how it names that tenant.
    type Key<T: TenantName>: Copy + Eq + Hash + Debug + Serialize + Send + Sync + 'static;
    /// The name of one version.
    type Id: Copy
        + Ord
        + Debug
        + Display
        + Serialize
        + JsonSchema
        + From<Uuid>
        + Into<Uuid>
        + Send
        + Sync
        + 'static;
    /// What a version says.
    type Terms: Clone + Eq + Debug + Serialize + Send + Sync + 'static;

    /// The event by which a version is opened.
    const OPENED: EventType;
    /// The event by which a version gets its end.
    const CLOSED: EventType;
    /// Whether what was in effect at a time gone by may be corrected: nothing that was decided with
    /// it stays wrong, for that is assessed again.
    const CORRECTABLE: bool;

    /// The stream of a key's versions.
    fn stream(key: &Self::Key<Pseudonym>) -> StreamId;

    /// Whose own the versions of a key are; nobody's, if they hold for all.
    fn tenant<T: TenantName>(key: &Self::Key<T>) -> Option<T>;

    /// The same key with another name for the tenant that it is of.
    fn of_tenant<T: TenantName, U: TenantName>(
        key: Self::Key<T>,
        tenant: Option<U>,
    ) -> Self::Key<U>;

    /// The event that says so. Whose the key is stands in the event's envelope.
    fn event(change: Change<Self>) -> Event;

    /// What `event` says, if it is one of these two; `tenant` is the one of its envelope.
    fn change(event: &Event, tenant: Option<Pseudonym>) -> Option<Change<Self>>;
}

/// How a tenant is named: by its id outside, by its pseudonym in the log.
pub trait TenantName: Copy + Ord + Hash + Debug + Serialize + Send + Sync + 'static {}

impl TenantName for TenantId {}
impl TenantName for Pseudonym {}

/// What happens to a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<K: Versioned> {
    /// It was opened.
    Opened(Opening<K>),
    /// It got its end, or an earlier one.
    Closed(Closing<K>),
}

/// A version as it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening<K: Versioned> {
    /// The name of the version.
    pub id: K::Id,
    /// What it is for.
    pub key: K::Key<Pseudonym>,
    /// What it says.
    pub terms: K::Terms,
    /// When it is in effect.
    pub period: Period,
    /// The request that opened it: the same again is a repeat.
    pub request: Uuid,
}

/// The end that a version got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closing<K: Versioned> {
    /// The name of the version.
    pub id: K::Id,
    /// The first instant at which it is not in effect any more.
    pub effective_to: Timestamp,
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// The events of a kind, as they are stored.
    fn golden<K: Versioned>() -> [Event; 2] {
        [K::OPENED, K::CLOSED].map(|kind| {
            let name = format!("{kind:?}");
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
            let stored = fs::read_to_string(folder.join(&name).join("v1.json")).expect("a file");
            Event::from_stored(&name, 1, &stored).expect("readable")
        })
    }

    fn says_in_events_what_it_reads_in_them<K: Versioned>() {
        let tenant = Some(Pseudonym(Uuid::from_u128(7)));
        let [opened, closed] = golden::<K>();
        for event in [&opened, &closed] {
            let change = K::change(event, tenant).expect("one of the two");
            assert_eq!(&K::event(change), event);
        }
        assert!(matches!(
            K::change(&opened, tenant),
            Some(Change::Opened(_))
        ));
        assert!(matches!(
            K::change(&closed, tenant),
            Some(Change::Closed(_))
        ));
    }

    #[test]
    fn what_an_event_says_is_what_it_was_made_of() {
        says_in_events_what_it_reads_in_them::<Price>();
        says_in_events_what_it_reads_in_them::<Cost>();
        says_in_events_what_it_reads_in_them::<ExchangeRate>();
    }

    #[test]
    fn the_events_of_one_kind_say_nothing_of_another() {
        for event in golden::<Cost>() {
            assert_eq!(Price::change(&event, None), None);
        }
        for event in golden::<Price>() {
            assert_eq!(Cost::change(&event, None), None);
        }
    }

    #[test]
    fn a_price_is_somebodys_own_where_the_envelope_says_so() {
        let [opened, _] = golden::<Price>();
        for tenant in [None, Some(Pseudonym(Uuid::from_u128(7)))] {
            let Some(Change::Opened(opening)) = Price::change(&opened, tenant) else {
                panic!("not an opening: {opened:?}");
            };
            assert_eq!(Price::tenant(&opening.key), tenant);
        }
    }
}
