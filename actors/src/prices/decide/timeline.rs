//! Versions of one thing over time: at any instant at most one is in effect.
//!
//! A version is opened for a period and may be closed earlier than it ends; it is never edited. To
//! replace it is to close it and open another from there on. Closing and replacing take effect now
//! or later, so nothing that was decided with a version is ever wrong afterwards; opening may begin
//! in the past, where nothing was in effect. What has not begun may be withdrawn: closed at its
//! own beginning, its period is empty.
//!
//! Prices and costs are such things; what a version says ([`Timeline`]'s `T`) does not matter here.

use std::collections::BTreeMap;

use eventstore::NewEvent;
use schema::{Event, EventId, Period, Pseudonym, Timestamp};
use uuid::Uuid;

use crate::runtime::origin::Origin;

/// One version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version<T> {
    /// Which.
    pub id: Uuid,
    /// What it says.
    pub terms: T,
    /// When it is in effect.
    pub period: Period,
    /// The position of the last event that changed it.
    pub position: i64,
    opened_by: Uuid,
    closed_by: Option<EventId>,
}

/// All versions of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline<T> {
    /// By their first instants. No two overlap, and none is empty.
    versions: BTreeMap<Timestamp, Version<T>>,
    /// Those that were closed before they began.
    withdrawn: Vec<Version<T>>,
    /// The time of the last request that changed something. Requests are decided one after the
    /// other, whatever the clocks of their nodes say: none takes effect before the last one did.
    changed_at: Option<Timestamp>,
}

/// What somebody wants of a timeline, who and when.
#[derive(Debug, Clone)]
pub struct Amendment<T> {
    /// What.
    pub wish: Wish<T>,
    /// The position of the last change that the caller knows of, where they insist on it.
    pub if_at: Option<i64>,
    /// Their request; the same again is a repeat.
    pub origin: Origin,
}

/// What may be wanted.
#[derive(Debug, Clone)]
pub enum Wish<T> {
    /// A version for a period in which there is none.
    Open {
        /// The new version.
        id: Uuid,
        /// What it says.
        terms: T,
        /// When it is in effect; it may begin in the past.
        period: Period,
    },
    /// Another version in place of one, until that one's end.
    Replace {
        /// The version that ends.
        old: Uuid,
        /// The new version.
        id: Uuid,
        /// What it says.
        terms: T,
        /// From when on: now or later; if absent, now, or the old one's beginning if that is later.
        at: Option<Timestamp>,
    },
    /// An end to a version.
    Close {
        /// The version that ends.
        id: Uuid,
        /// When: as for replacing.
        at: Option<Timestamp>,
    },
}

/// What follows from an [`Amendment`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<T> {
    /// A version was opened.
    Opened {
        /// Which.
        id: Uuid,
        /// What it says.
        terms: T,
        /// When it is in effect.
        period: Period,
    },
    /// A version got its end, or an earlier one.
    Closed {
        /// Which.
        id: Uuid,
        /// The first instant at which it is not in effect any more.
        effective_to: Timestamp,
    },
}

/// Why an [`Amendment`] is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such version here.
    #[error("there is no such version")]
    NotFound,
    /// Another version is in effect in a part of the period.
    #[error("the period overlaps version {with}")]
    Overlap {
        /// The other version.
        with: Uuid,
    },
    /// The period would end where it begins, or before.
    #[error("the period ends before it begins")]
    Reversed,
    /// The version has ended by then, or was withdrawn.
    #[error("the version ends earlier")]
    AlreadyClosed,
    /// What was in effect at a time gone by cannot be changed.
    #[error("the change would take effect in the past")]
    InThePast,
    /// The version changed since the caller saw it.
    #[error("the version changed at position {position}")]
    Changed {
        /// The position of its last change.
        position: i64,
    },
    /// The same request was made before with other content.
    #[error("the request was made before with other content")]
    KeyReused,
}

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Self {
            versions: BTreeMap::new(),
            withdrawn: Vec::new(),
            changed_at: None,
        }
    }
}

impl<T: Clone> Timeline<T> {
    /// The version in effect at `time`.
    #[must_use]
    pub fn at(&self, time: Timestamp) -> Option<&Version<T>> {
        let (_, last) = self.versions.range(..=time).next_back()?;
        last.period.contains(time).then_some(last)
    }

    /// What follows from `amendment`.
    ///
    /// # Errors
    /// A refusal.
    pub fn decide(&self, amendment: &Amendment<T>) -> Result<Vec<Change<T>>, Refusal> {
        let (request, time) = (amendment.origin.request, amendment.origin.time);
        let now = self.changed_at.map_or(time, |at| at.max(time));
        match &amendment.wish {
            Wish::Open { id, terms, period } => {
                if self.is_repeat(*id, request)? {
                    return Ok(Vec::new());
                }
                if period.is_empty() {
                    return Err(Refusal::Reversed);
                }
                if let Some(with) = self.overlapping(*period) {
                    return Err(Refusal::Overlap { with });
                }
                Ok(vec![opened(*id, terms, *period)])
            }
            Wish::Replace { old, id, terms, at } => {
                if self.is_repeat(*id, request)? {
                    return Ok(Vec::new());
                }
                let old = self.seen(*old, amendment)?;
                let effective_to = end(old, *at, now)?;
                let period = Period {
                    effective_from: effective_to,
                    effective_to: old.period.effective_to,
                };
                let closed = Change::Closed {
                    id: old.id,
                    effective_to,
                };
                Ok(vec![closed, opened(*id, terms, period)])
            }
            Wish::Close { id, at } => {
                let repeat = Some(closing(*id, request));
                let found = self.find(*id).ok_or(Refusal::NotFound)?;
                let ends_then = at.is_some() && found.period.effective_to == *at;
                if found.closed_by == repeat || ends_then {
                    return Ok(Vec::new());
                }
                let version = self.seen(*id, amendment)?;
                let (id, effective_to) = (*id, end(version, *at, now)?);
                Ok(vec![Change::Closed { id, effective_to }])
            }
        }
    }

    /// A request of this time changed something.
    pub(super) fn changed(&mut self, at: Timestamp) {
        self.changed_at = self.changed_at.max(Some(at));
    }

    /// A version was opened.
    pub(crate) fn open(&mut self, version: Version<T>) {
        self.versions.insert(version.period.effective_from, version);
    }

    /// A version was closed by the event `by` at `position`.
    pub(super) fn close(&mut self, id: Uuid, effective_to: Timestamp, by: EventId, position: i64) {
        let mut versions = self.versions.values_mut();
        let Some(version) = versions.find(|version| version.id == id) else {
            return;
        };
        version.period.effective_to = Some(effective_to);
        version.closed_by = Some(by);
        version.position = position;
        if version.period.is_empty() {
            let begin = version.period.effective_from;
            self.withdrawn.extend(self.versions.remove(&begin));
        }
    }

    fn all(&self) -> impl Iterator<Item = &Version<T>> {
        self.versions.values().chain(&self.withdrawn)
    }

    fn find(&self, id: Uuid) -> Option<&Version<T>> {
        self.all().find(|version| version.id == id)
    }

    /// The version, as the caller has seen it.
    fn seen(&self, id: Uuid, amendment: &Amendment<T>) -> Result<&Version<T>, Refusal> {
        let version = self.find(id).ok_or(Refusal::NotFound)?;
        let position = version.position;
        if amendment.if_at.is_some_and(|seen| seen != position) {
            return Err(Refusal::Changed { position });
        }
        Ok(version)
    }

    /// Whether `request` has opened `id` before. Had it opened another one, it is reused.
    fn is_repeat(&self, id: Uuid, request: Uuid) -> Result<bool, Refusal> {
        match self.all().find(|version| version.opened_by == request) {
            Some(version) if version.id != id => Err(Refusal::KeyReused),
            found => Ok(found.is_some()),
        }
    }

    fn overlapping(&self, period: Period) -> Option<Uuid> {
        let mut versions = self.versions.values();
        let found = versions.find(|version| version.period.overlaps(period))?;
        Some(found.id)
    }
}

impl<T> Version<T> {
    /// A version as the event at `position` opened it.
    pub(crate) const fn new(
        id: Uuid,
        terms: T,
        period: Period,
        request: Uuid,
        position: i64,
    ) -> Self {
        Self {
            id,
            terms,
            period,
            position,
            opened_by: request,
            closed_by: None,
        }
    }
}

impl<T> Amendment<T> {
    /// An event that follows from it, about the version `id`.
    pub(super) fn record(&self, event: Event, id: EventId, tenant: Option<Pseudonym>) -> NewEvent {
        NewEvent {
            tenant,
            ..self.origin.record(id, event)
        }
    }
}

/// The fact that `request` opened the version `id`.
pub(crate) fn opening(id: Uuid, request: Uuid) -> EventId {
    EventId::of_request("version-opened", id, request)
}

/// The fact that `request` closed the version `id`.
pub(super) fn closing(id: Uuid, request: Uuid) -> EventId {
    EventId::of_request("version-closed", id, request)
}

fn opened<T: Clone>(id: Uuid, terms: &T, period: Period) -> Change<T> {
    let terms = terms.clone();
    Change::Opened { id, terms, period }
}

/// When `version` ends if it is to end at `at`.
fn end<T>(
    version: &Version<T>,
    at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Timestamp, Refusal> {
    let Period {
        effective_from,
        effective_to,
    } = version.period;
    let at = at.unwrap_or(now.max(effective_from));
    if effective_to.is_some_and(|end| end <= at) {
        return Err(Refusal::AlreadyClosed);
    }
    if at < now {
        return Err(Refusal::InThePast);
    }
    if at < effective_from {
        return Err(Refusal::Reversed);
    }
    Ok(at)
}

#[cfg(test)]
mod tests;
