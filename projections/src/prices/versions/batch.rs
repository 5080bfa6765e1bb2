//! What a batch does to the versions of a kind: which it opens, and where which end.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use eventstore::RecordedEvent;
use schema::{
    Position, Timestamp, Versioned,
    versioned::{Change, Opening},
};
use time::OffsetDateTime;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// The openings and closings of a batch.
pub(super) struct Versions<'a, K: Versioned> {
    /// In the order of their positions.
    pub(super) opened: Vec<Opened<'a, K>>,
    /// The ends of versions that were opened before.
    closed: BTreeMap<Uuid, Ending<'a>>,
}

/// A version that the batch opens.
#[derive(Debug)]
pub struct Opened<'a, K: Versioned> {
    event: &'a RecordedEvent,
    version: Opening<K>,
    ending: Option<Ending<'a>>,
}

/// The last closing of a version in the batch.
#[derive(Debug, Clone, Copy)]
struct Ending<'a> {
    at: Timestamp,
    by: &'a str,
    position: Position,
}

impl<'a, K: Versioned> Versions<'a, K> {
    pub(super) fn of(events: &'a [Arc<RecordedEvent>]) -> Self {
        let mut versions = Self {
            opened: Vec::new(),
            closed: BTreeMap::new(),
        };
        let mut places = HashMap::new();
        for event in events {
            match K::change(&event.data.event, event.data.tenant) {
                Some(Change::Opened(version)) => {
                    places.insert(version.id.into(), versions.opened.len());
                    versions.opened.push(Opened {
                        event,
                        version,
                        ending: None,
                    });
                }
                Some(Change::Closed(closing)) => {
                    let ending = Ending {
                        at: closing.effective_to,
                        by: &event.data.principal,
                        position: event.position,
                    };
                    let id: Uuid = closing.id.into();
                    match places.get(&id) {
                        Some(&place) => versions.opened[place].ending = Some(ending),
                        None => drop(versions.closed.insert(id, ending)),
                    }
                }
                None => {}
            }
        }
        versions
    }
}

impl<K: Versioned> Opened<'_, K> {
    /// One value of each of these versions, as an array.
    pub(crate) fn column<'a, T: ToSql + Sync + Send + 'a>(
        opened: &'a [Self],
        value: impl Fn(&'a Opening<K>) -> T,
    ) -> Box<dyn ToSql + Sync + Send + 'a> {
        let values: Vec<T> = opened.iter().map(|one| value(&one.version)).collect();
        Box::new(values)
    }
}

/// The columns of what ends, an entry per version opened before the batch.
#[derive(Default)]
pub(super) struct Endings<'a> {
    pub(super) version: Vec<Uuid>,
    pub(super) at: Vec<OffsetDateTime>,
    pub(super) closed_by: Vec<&'a str>,
    pub(super) position: Vec<i64>,
}

impl<'a> Endings<'a> {
    pub(super) fn of<K: Versioned>(versions: &Versions<'a, K>) -> Self {
        let mut endings = Self::default();
        for (version, ending) in &versions.closed {
            endings.version.push(*version);
            endings.at.push(ending.at.datetime());
            endings.closed_by.push(ending.by);
            endings.position.push(ending.position.0);
        }
        endings
    }
}

/// The columns that every kind has, an entry per version opened.
#[derive(Default)]
pub(super) struct Lives<'a> {
    pub(super) position: Vec<i64>,
    pub(super) version: Vec<Uuid>,
    pub(super) from: Vec<OffsetDateTime>,
    pub(super) to: Vec<Option<OffsetDateTime>>,
    pub(super) opened_by: Vec<&'a str>,
    pub(super) opened_at: Vec<OffsetDateTime>,
    pub(super) closed_by: Vec<Option<&'a str>>,
    pub(super) changed: Vec<i64>,
    pub(super) request: Vec<Uuid>,
}

impl<'a> Lives<'a> {
    pub(super) fn of<K: Versioned>(opened: &[Opened<'a, K>]) -> Self {
        let mut lives = Self::default();
        for Opened {
            event,
            version,
            ending,
        } in opened
        {
            let end = ending.map_or(version.period.effective_to, |ending| Some(ending.at));
            lives.position.push(event.position.0);
            lives.version.push(version.id.into());
            lives.from.push(version.period.effective_from.datetime());
            lives.to.push(end.map(Timestamp::datetime));
            lives.opened_by.push(&event.data.principal);
            lives.opened_at.push(event.recorded_at.datetime());
            lives.closed_by.push(ending.map(|ending| ending.by));
            let changed = ending.map_or(event.position, |ending| ending.position);
            lives.changed.push(changed.0);
            lives.request.push(version.request);
        }
        lives
    }
}

#[cfg(test)]
mod tests {
    use schema::{Event, OperatorCostId, versioned::Cost};

    use super::*;
    use crate::fixture;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).expect("a time")
    }

    fn opened(position: i64, version: u128) -> RecordedEvent {
        let mut event = fixture::recorded((&"CostOpened", position));
        if let Event::CostOpened(opened) = &mut event.data.event {
            opened.operator_cost_id = OperatorCostId(Uuid::from_u128(version));
            opened.period.effective_from = at(5);
        }
        event
    }

    fn closed(position: i64, version: u128) -> RecordedEvent {
        let mut event = fixture::recorded((&"CostClosed", position));
        if let Event::CostClosed(closed) = &mut event.data.event {
            closed.operator_cost_id = OperatorCostId(Uuid::from_u128(version));
            closed.effective_to = at(9);
        }
        event
    }

    #[test]
    fn a_version_closed_in_the_batch_that_opens_it_is_opened_with_its_end() {
        let events = fixture::batch([opened(1, 1), closed(2, 1), closed(3, 2)]);
        let versions = Versions::<Cost>::of(&events);
        let lives = Lives::of(&versions.opened);
        assert_eq!(lives.from, [at(5).datetime()]);
        assert_eq!(lives.to, [Some(at(9).datetime())]);
        assert_eq!((lives.position[0], lives.changed[0]), (1, 2));
        assert_eq!(lives.closed_by, [Some("test")]);
        let others = Endings::of(&versions);
        let before = Uuid::from_u128(2);
        assert_eq!(
            others.version,
            [before],
            "only a version opened before needs an update"
        );
        assert_eq!((others.position[0], others.closed_by[0]), (3, "test"));
    }

    #[test]
    fn a_version_opened_with_an_end_was_closed_by_nobody() {
        let events = fixture::batch([fixture::recorded((&"CostOpened", 1))]);
        let versions = Versions::<Cost>::of(&events);
        let lives = Lives::of(&versions.opened);
        assert!(lives.to[0].is_some());
        assert_eq!(lives.closed_by, [None]);
    }

    #[test]
    fn versions_of_another_kind_are_left_alone() {
        let events = fixture::batch([
            fixture::recorded((&"PriceOpened", 1)),
            fixture::recorded((&"PriceClosed", 2)),
            opened(3, 1),
        ]);
        let versions = Versions::<Cost>::of(&events);
        assert_eq!(Lives::of(&versions.opened).position, [3]);
        assert!(versions.closed.is_empty());
    }
}
