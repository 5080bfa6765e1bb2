//! What may become of a thing that has dated versions: of a price, a cost, or another of its kind.
//!
//! The rules are those of [`timeline`]; here they are brought to a stream, whatever the kind
//! ([`Versioned`]). A kind adds no rule of its own.

pub mod sheet;
pub mod timeline;

use std::marker::PhantomData;

use eventstore::{EventData, RecordedEvent};
use schema::{
    Event, Period, Position, Pseudonym, StreamId, Timestamp, Versioned, versioned::Change,
};

use self::timeline::{Refusal, Timeline, closing_event, opening_event};
use crate::runtime::{
    decider::{Command, Decider, Decision, EventPlace},
    origin::Origin,
};

/// Do this to the versions of a key.
#[derive(Debug, Clone)]
pub struct Amendment<K: Versioned> {
    /// What the versions are for.
    pub key: K::Key<Pseudonym>,
    /// What is to be done.
    pub action: Action<K>,
    /// The position of the last change that the caller knows of, where they insist on it.
    pub if_at: Option<Position>,
    /// Their request; the same again is a repeat.
    pub origin: Origin,
}

/// What may be done to versions.
#[derive(Debug, Clone)]
pub enum Action<K: Versioned> {
    /// A version is to begin for a period in which there is none.
    Open {
        /// The name of the new version.
        id: K::Id,
        /// What it says.
        terms: K::Terms,
        /// When it is in effect; it may begin in the past.
        period: Period,
    },
    /// Another version is to take the place of one, until that one's end.
    Replace {
        /// The name of the version that ends.
        old: K::Id,
        /// The name of the new version.
        id: K::Id,
        /// What it says.
        terms: K::Terms,
        /// From when on: now or later; if absent, now, or the old one's beginning if that is later.
        at: Option<Timestamp>,
    },
    /// A version is to end.
    Close {
        /// The name of the version that ends.
        id: K::Id,
        /// When: as for replacing.
        at: Option<Timestamp>,
    },
}

/// Decides for the streams of a kind of versions.
#[derive(Debug)]
pub struct VersionDecider<K>(PhantomData<K>);

impl<K: Versioned> Decider for VersionDecider<K> {
    type State = Timeline<K>;
    type Command = Amendment<K>;
    type Refusal = Refusal;

    fn fold(state: &mut Timeline<K>, event: &RecordedEvent) {
        state.changed(event.data.occurred_at);
        match K::change(&event.data.event, event.data.tenant) {
            Some(Change::Opened(opening)) => state.open(opening, event.position),
            Some(Change::Closed(closing)) => state.close(closing, event.data.id, event.position),
            None => {}
        }
    }

    fn decide(state: &Timeline<K>, command: &Amendment<K>) -> Result<Decision, Refusal> {
        let changes = state.decide(command)?.into_iter();
        let events: Vec<Event> = changes.map(K::event).collect();
        Ok(Decision::record(events))
    }

    fn is_finished(_: &Timeline<K>) -> bool {
        true
    }
}

impl<K: Versioned> Amendment<K> {
    /// The stream that it is about.
    #[must_use]
    pub fn stream(&self) -> StreamId {
        K::stream(&self.key)
    }
}

impl<K: Versioned> Command for Amendment<K> {
    fn record(&self, _: EventPlace, event: Event) -> EventData {
        let (tenant, request) = (K::tenant(&self.key), self.origin.request);
        let id = match K::change(&event, tenant) {
            Some(Change::Opened(opening)) => opening_event(opening.id.into(), request),
            Some(Change::Closed(closing)) => closing_event(closing.id.into(), request),
            // Unwrap safety: nothing else is decided above.
            None => unreachable!("an event of this kind of versions"),
        };
        EventData {
            tenant,
            ..self.origin.record(id, event)
        }
    }
}

#[cfg(test)]
mod tests;
