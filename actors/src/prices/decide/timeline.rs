//! Versions of one thing over time: at any instant at most one is in effect.
//!
//! A version is opened for a period and may be closed earlier than it ends; it is never edited. To
//! replace it is to close it and open another from there on. Closing and replacing take effect now
//! or later, so nothing that was decided with a version is ever wrong afterwards; opening may begin
//! in the past, where nothing was in effect. Of a kind that may be corrected
//! ([`Versioned::CORRECTABLE`]) they may take effect at any time. What has not begun may be
//! withdrawn: closed at its own beginning, its period is empty.
//!
//! Which kind of thing it is ([`Versioned`]) does not matter here.

use std::collections::BTreeMap;

use schema::{
    EventId, Period, Position, Timestamp, Versioned,
    versioned::{Change, Closing, Opening},
};
use uuid::Uuid;

use super::{Action, Amendment};

/// One version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version<K: Versioned> {
    /// Its name.
    pub id: K::Id,
    /// What it says.
    pub terms: K::Terms,
    /// When it is in effect.
    pub period: Period,
    /// The position of the last event that changed it.
    pub position: Position,
    opened_by: Uuid,
    closed_by: Option<EventId>,
}

/// All versions of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline<K: Versioned> {
    /// By their first instants. No two overlap, and none is empty.
    versions: BTreeMap<Timestamp, Version<K>>,
    /// Those that were closed before they began.
    withdrawn: Vec<Version<K>>,
    /// The time of the last request that changed something. Requests are decided one after the
    /// other, whatever the clocks of their nodes say: none takes effect before the last one did.
    changed_at: Option<Timestamp>,
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
        position: Position,
    },
    /// Messages that it would price were charged by another price already.
    #[error("messages of the period were charged by another price")]
    WouldReprice,
    /// The same request was made before with other content.
    #[error("the request was made before with other content")]
    KeyReused,
}

impl<K: Versioned> Default for Timeline<K> {
    fn default() -> Self {
        Self {
            versions: BTreeMap::new(),
            withdrawn: Vec::new(),
            changed_at: None,
        }
    }
}

impl<K: Versioned> Timeline<K> {
    /// The version in effect at `time`.
    #[must_use]
    pub fn at(&self, time: Timestamp) -> Option<&Version<K>> {
        let (_, last) = self.versions.range(..=time).next_back()?;
        last.period.contains(time).then_some(last)
    }

    /// What follows from `amendment`.
    ///
    /// # Errors
    /// A refusal.
    pub fn decide(&self, amendment: &Amendment<K>) -> Result<Vec<Change<K>>, Refusal> {
        let (request, time) = (amendment.origin.request, amendment.origin.time);
        let now = self.now(time);
        match &amendment.action {
            Action::Open { id, terms, period } => {
                if self.is_repeat(*id, request)? {
                    return Ok(Vec::new());
                }
                if period.is_empty() {
                    return Err(Refusal::Reversed);
                }
                if let Some(with) = self.overlapping(*period, None) {
                    return Err(Refusal::Overlap { with });
                }
                Ok(vec![opened(amendment, *id, terms, *period)])
            }
            Action::Replace { old, id, terms, at } => {
                if self.is_repeat(*id, request)? {
                    return Ok(Vec::new());
                }
                let old = self.seen(*old, amendment)?;
                let effective_to = end(old, *at, now)?;
                let period = Period {
                    effective_from: effective_to,
                    effective_to: old.period.effective_to,
                };
                let closed = closed(old.id, effective_to);
                Ok(vec![closed, opened(amendment, *id, terms, period)])
            }
            Action::Close { id, at } => {
                let repeat = Some(closing_event((*id).into(), request));
                let found = self.find(*id).ok_or(Refusal::NotFound)?;
                let ends_then = at.is_some() && found.period.effective_to == *at;
                if found.closed_by == repeat || ends_then {
                    return Ok(Vec::new());
                }
                let version = self.seen(*id, amendment)?;
                Ok(vec![closed(*id, end(version, *at, now)?)])
            }
        }
    }

    /// When a request of `time` takes effect at the earliest.
    pub(super) fn now(&self, time: Timestamp) -> Timestamp {
        self.changed_at.map_or(time, |at| at.max(time))
    }

    /// `change` was made by `request`, in the event at `position`.
    pub(super) fn take(&mut self, change: Change<K>, request: Uuid, position: Position) {
        match change {
            Change::Opened(opening) => self.open(opening, position),
            Change::Closed(closing) => {
                let by = closing_event(closing.id.into(), request);
                self.close(closing, by, position);
            }
        }
    }

    /// A request of this time changed something.
    pub(super) fn changed(&mut self, at: Timestamp) {
        self.changed_at = self.changed_at.max(Some(at));
    }

    /// A version was opened by the event at `position`.
    pub(crate) fn open(&mut self, opening: Opening<K>, position: Position) {
        let version = Version {
            id: opening.id,
            terms: opening.terms,
            period: opening.period,
            position,
            opened_by: opening.request,
            closed_by: None,
        };
        self.versions.insert(version.period.effective_from, version);
    }

    /// A version was closed by the event `by` at `position`.
    pub(super) fn close(&mut self, closing: Closing<K>, by: EventId, position: Position) {
        let mut versions = self.versions.values_mut();
        let Some(version) = versions.find(|version| version.id == closing.id) else {
            return;
        };
        version.period.effective_to = Some(closing.effective_to);
        version.closed_by = Some(by);
        version.position = position;
        if version.period.is_empty() {
            let begin = version.period.effective_from;
            self.withdrawn.extend(self.versions.remove(&begin));
        }
    }

    fn all(&self) -> impl Iterator<Item = &Version<K>> {
        self.versions.values().chain(&self.withdrawn)
    }

    fn find(&self, id: K::Id) -> Option<&Version<K>> {
        self.all().find(|version| version.id == id)
    }

    /// The version, as the caller has seen it.
    fn seen(&self, id: K::Id, amendment: &Amendment<K>) -> Result<&Version<K>, Refusal> {
        let version = self.find(id).ok_or(Refusal::NotFound)?;
        let position = version.position;
        if amendment.if_at.is_some_and(|seen| seen != position) {
            return Err(Refusal::Changed { position });
        }
        Ok(version)
    }

    /// Whether `request` has opened `id` before. Had it opened another one, it is reused.
    fn is_repeat(&self, id: K::Id, request: Uuid) -> Result<bool, Refusal> {
        match self.all().find(|version| version.opened_by == request) {
            Some(version) if version.id != id => Err(Refusal::KeyReused),
            found => Ok(found.is_some()),
        }
    }

    /// A version that is in effect in a part of `period`, other than `but`.
    pub(super) fn overlapping(&self, period: Period, but: Option<K::Id>) -> Option<Uuid> {
        let mut versions = self.versions.values();
        let overlaps =
            |version: &&Version<K>| Some(version.id) != but && version.period.overlaps(period);
        let found = versions.find(overlaps)?;
        Some(found.id.into())
    }
}

/// The fact that `request` opened the version `id`.
pub(crate) fn opening_event(id: Uuid, request: Uuid) -> EventId {
    EventId::of_request("version-opened", id, request)
}

/// The fact that `request` closed the version `id`.
pub(super) fn closing_event(id: Uuid, request: Uuid) -> EventId {
    EventId::of_request("version-closed", id, request)
}

fn opened<K: Versioned>(
    amendment: &Amendment<K>,
    id: K::Id,
    terms: &K::Terms,
    period: Period,
) -> Change<K> {
    Change::Opened(Opening {
        id,
        key: amendment.key,
        terms: terms.clone(),
        period,
        request: amendment.origin.request,
    })
}

const fn closed<K: Versioned>(id: K::Id, effective_to: Timestamp) -> Change<K> {
    Change::Closed(Closing { id, effective_to })
}

/// When `version` ends if it is to end at `at`.
fn end<K: Versioned>(
    version: &Version<K>,
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
    if at < now && !K::CORRECTABLE {
        return Err(Refusal::InThePast);
    }
    if at < effective_from {
        return Err(Refusal::Reversed);
    }
    Ok(at)
}

#[cfg(test)]
mod tests;
