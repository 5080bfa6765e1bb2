//! What a batch does to the versions of prices or costs: which it opens, and where which end.
//!
//! A version that is opened and closed in one batch is opened with its end, so that at no time two
//! versions of a key overlap in the table: first the old ones get their ends, then the new ones
//! come.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use schema::{Period, Timestamp};
use time::OffsetDateTime;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::ApplyError;

/// The openings and closings of a batch; `O` is what is opened.
pub(super) struct Versions<'a, O> {
    pub(super) opened: Vec<Opened<'a, O>>,
    /// Where in `opened` each version is.
    places: HashMap<Uuid, usize>,
    closed: BTreeMap<Uuid, Closing<'a>>,
}

/// A version that the batch opens.
pub(super) struct Opened<'a, O> {
    pub(super) event: &'a RecordedEvent,
    pub(super) what: &'a O,
    period: Period,
    closing: Option<Closing<'a>>,
}

/// The last closing of a version in the batch.
#[derive(Clone, Copy)]
struct Closing<'a> {
    at: Timestamp,
    by: &'a str,
    position: i64,
}

impl<O> Default for Versions<'_, O> {
    fn default() -> Self {
        Self {
            opened: Vec::new(),
            places: HashMap::new(),
            closed: BTreeMap::new(),
        }
    }
}

impl<'a, O> Versions<'a, O> {
    /// `event` opens `version` for `period`.
    pub(super) fn open(
        &mut self,
        event: &'a RecordedEvent,
        version: Uuid,
        what: &'a O,
        period: Period,
    ) {
        self.places.insert(version, self.opened.len());
        self.opened.push(Opened {
            event,
            what,
            period,
            closing: None,
        });
    }

    /// `event` moves the end of `version` to `at`.
    pub(super) fn close(&mut self, event: &'a RecordedEvent, version: Uuid, at: Timestamp) {
        let closing = Closing {
            at,
            by: &event.fact.principal,
            position: event.position,
        };
        match self.places.get(&version) {
            Some(&place) => self.opened[place].closing = Some(closing),
            None => {
                self.closed.insert(version, closing);
            }
        }
    }

    /// Whether the batch does nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.opened.is_empty() && self.closed.is_empty()
    }

    /// Gives the versions opened before the batch their ends, by `close`.
    pub(super) async fn close_all(
        &self,
        transaction: &Transaction<'_>,
        log: i16,
        close: Statement,
    ) -> Result<(), ApplyError> {
        if self.closed.is_empty() {
            return Ok(());
        }
        let versions: Vec<Uuid> = self.closed.keys().copied().collect();
        let closings = self.closed.values();
        let ends: Vec<OffsetDateTime> = closings.clone().map(|end| end.at.datetime()).collect();
        let by: Vec<&str> = closings.clone().map(|end| end.by).collect();
        let positions: Vec<i64> = closings.map(|end| end.position).collect();
        let parameters: [&(dyn ToSql + Sync); 5] = [&log, &versions, &ends, &by, &positions];
        Ok(close.execute(transaction, &parameters).await?)
    }
}

/// What the tables of prices and costs have in common, of every version opened.
#[derive(Default)]
pub(super) struct Lives<'a> {
    pub(super) position: Vec<i64>,
    pub(super) from: Vec<OffsetDateTime>,
    pub(super) to: Vec<Option<OffsetDateTime>>,
    pub(super) opened_by: Vec<&'a str>,
    pub(super) opened_at: Vec<OffsetDateTime>,
    pub(super) closed_by: Vec<Option<&'a str>>,
    pub(super) changed: Vec<i64>,
}

impl<'a> Lives<'a> {
    pub(super) fn of<O>(opened: &[Opened<'a, O>]) -> Self {
        let mut lives = Self::default();
        for version in opened {
            let (event, closing) = (version.event, version.closing);
            let end = closing.map_or(version.period.effective_to, |closing| Some(closing.at));
            lives.position.push(event.position);
            lives.from.push(version.period.effective_from.datetime());
            lives.to.push(end.map(Timestamp::datetime));
            lives.opened_by.push(&event.fact.principal);
            lives.opened_at.push(event.recorded_at.datetime());
            lives.closed_by.push(closing.map(|closing| closing.by));
            let changed = closing.map_or(event.position, |closing| closing.position);
            lives.changed.push(changed);
        }
        lives
    }
}

#[cfg(test)]
mod tests {
    use schema::{Event, event::CostOpened};

    use super::*;
    use crate::fixture;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).expect("a time")
    }

    fn opened(event: &RecordedEvent) -> &CostOpened {
        match &event.fact.event {
            Event::CostOpened(opened) => opened,
            other => panic!("not an opening: {other:?}"),
        }
    }

    #[test]
    fn a_version_closed_in_the_batch_that_opens_it_is_opened_with_its_end() {
        let (open, close) = (
            fixture::recorded((&"CostOpened", 1)),
            fixture::recorded((&"CostClosed", 2)),
        );
        let mut versions = Versions::default();
        let period = Period {
            effective_from: at(5),
            effective_to: None,
        };
        versions.open(&open, Uuid::from_u128(1), opened(&open), period);
        versions.close(&close, Uuid::from_u128(1), at(9));
        versions.close(&close, Uuid::from_u128(2), at(9));
        let lives = Lives::of(&versions.opened);
        assert_eq!(lives.from, [at(5).datetime()]);
        assert_eq!(lives.to, [Some(at(9).datetime())]);
        assert_eq!((lives.position[0], lives.changed[0]), (1, 2));
        assert_eq!(lives.closed_by, [Some("test")]);
        let others: Vec<_> = versions.closed.keys().map(Uuid::as_u128).collect();
        assert_eq!(others, [2], "only a version opened before needs an update");
    }

    #[test]
    fn a_version_opened_with_an_end_was_closed_by_nobody() {
        let open = fixture::recorded((&"CostOpened", 1));
        let mut versions = Versions::default();
        let period = opened(&open).period;
        versions.open(&open, Uuid::from_u128(1), opened(&open), period);
        let lives = Lives::of(&versions.opened);
        assert!(lives.to[0].is_some());
        assert_eq!(lives.closed_by, [None]);
    }
}
