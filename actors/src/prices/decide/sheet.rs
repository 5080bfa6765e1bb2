//! What the lines of a sheet come to, by the versions there are.
//!
//! A line says what is to be in effect under its key from its beginning to its end. Where that is so
//! already nothing is done. Where the same is in effect for longer it gets the line's end; where the
//! same is in effect for less, another version goes on from there. Where something else is, that ends
//! where the line begins and the line's version is opened; where nothing is, it is opened. Whatever is done is done by the rules of [`Timeline`]: a line comes to what a
//! caller would have come to who did the same by hand, and is refused what they would be refused.
//!
//! The lines of one key are taken by their beginnings, each on top of those before it.

use std::collections::BTreeMap;

use eventstore::EventData;
use schema::{
    EventId, Period, Position, Pseudonym, StreamId, TenantId, Timestamp, Versioned,
    event::SheetFacts,
    id::derive,
    versioned::{Change, Closing, Opening},
};
use uuid::Uuid;

use super::{
    Action, Amendment,
    timeline::{Refusal, Timeline, closing_event, opening_event},
};
use crate::runtime::origin::Origin;

/// One line of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<K: Versioned> {
    /// Where it stands in the file; the header is on line 1.
    pub number: u32,
    /// What its version is for.
    pub key: K::Key<TenantId>,
    /// What it says.
    pub terms: K::Terms,
    /// The first instant at which it is to be in effect; if absent, now.
    pub from: Option<Timestamp>,
    /// The first instant at which it is not any more; if absent, it is open.
    pub to: Option<Timestamp>,
}

/// What a line comes to. Neither opened nor closed: it was in effect already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step<K: Versioned> {
    /// The line.
    pub line: u32,
    /// The version that gets an end.
    pub closed: Option<Closing<K>>,
    /// The version that is opened.
    pub opened: Option<Opening<K>>,
}

/// Why a line is refused, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineRefusal {
    /// The line.
    pub line: u32,
    /// Which end of its period is at fault.
    pub end: End,
    /// What is wrong.
    pub reason: Reason,
}

/// One end of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its beginning.
    From,
    /// Its end.
    To,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It overlaps another line for the same key.
    Line(u32),
    /// It is against the rules of versions.
    Rule(Refusal),
}

/// What all lines of one key come to, in the order in which it is done.
pub type Steps<K> = Vec<Result<Step<K>, LineRefusal>>;

/// What the ids of everything that a sheet does are derived from.
#[derive(Debug, Clone)]
pub struct Root {
    /// The stream of the sheet.
    pub stream: StreamId,
    /// What its bytes are known by.
    pub content: String,
    /// Who wants it, and when.
    pub origin: Origin,
}

impl Root {
    /// The event that says that the sheet was applied; it is the cause of all others.
    #[must_use]
    pub fn event(&self) -> EventId {
        EventId::of_sheet(self.stream)
    }

    /// The request that a line is.
    fn request(&self, line: u32) -> Uuid {
        let (stream, content) = (self.stream.id.as_bytes(), self.content.as_bytes());
        derive("sheet-line", &[stream, content, &line.to_be_bytes()])
    }

    /// The line as a request.
    fn origin(&self, line: u32) -> Origin {
        Origin {
            request: self.request(line),
            ..self.origin.clone()
        }
    }
}

/// The lines for one key, with the versions that it has.
#[derive(Debug)]
pub struct Keyed<K: Versioned> {
    /// The key.
    pub key: K::Key<Pseudonym>,
    /// Its versions; what its lines do is done to them.
    pub timeline: Timeline<K>,
    /// The lines.
    pub lines: Vec<Line<K>>,
}

impl<K: Versioned> Keyed<K> {
    /// What the lines come to, which then stand in the same order.
    #[must_use]
    pub fn steps(&mut self, root: &Root) -> Steps<K> {
        let now = self.timeline.now(root.origin.time);
        let begins = |line: &Line<K>| line.from.unwrap_or(now);
        self.lines.sort_by_key(|line| (begins(line), line.number));
        let lines = std::mem::take(&mut self.lines);
        // Until when lines are taken, and which one is.
        let mut taken: Option<(Option<Timestamp>, u32)> = None;
        let mut steps = Vec::with_capacity(lines.len());
        for line in &lines {
            let period = Period {
                effective_from: begins(line),
                effective_to: line.to,
            };
            let overlapped = taken.filter(|(until, _)| {
                !period.is_empty() && until.is_none_or(|until| period.effective_from < until)
            });
            steps.push(match overlapped {
                Some((_, other)) => Err(line.overlaps(other)),
                None => self.step(line, period, root),
            });
            let longest = taken.is_none_or(|(until, _)| is_later(line.to, until));
            if longest && !period.is_empty() {
                taken = Some((line.to, line.number));
            }
        }
        self.lines = lines;
        steps
    }

    /// What a line comes to, done to the versions unless it is refused.
    fn step(
        &mut self,
        line: &Line<K>,
        period: Period,
        root: &Root,
    ) -> Result<Step<K>, LineRefusal> {
        let from = period.effective_from;
        let refused = |end| {
            move |refusal| LineRefusal {
                line: line.number,
                end,
                reason: Reason::Rule(refusal),
            }
        };
        if period.is_empty() {
            return Err(refused(End::To)(Refusal::Reversed));
        }
        let mut step = Step {
            line: line.number,
            closed: None,
            opened: None,
        };
        let (close, open) = intended(&self.timeline, line, from);
        let mut ended = None;
        if let Some((id, at, end)) = close {
            let action = Action::Close { id, at: Some(at) };
            let changes = self.decided(line, action, root);
            step.closed = changes.map_err(refused(end))?.iter().find_map(closing);
            ended = Some(id);
        }
        let open = open.map(|from| Period {
            effective_from: from,
            ..period
        });
        // Asked before anything is done, so that a line that is refused has done nothing.
        if let Some(with) = open.and_then(|open| self.timeline.overlapping(open, ended)) {
            return Err(refused(End::To)(Refusal::Overlap { with }));
        }
        self.take(line, step.closed.map(Change::Closed), root);
        if let Some(period) = open {
            let action = Action::Open {
                id: derive("sheet-version", &[root.request(line.number).as_bytes()]).into(),
                terms: line.terms.clone(),
                period,
            };
            let changes = self.decided(line, action, root);
            step.opened = changes.map_err(refused(End::To))?.iter().find_map(opening);
            self.take(line, step.opened.clone().map(Change::Opened), root);
        }
        Ok(step)
    }

    /// What follows from this, by the rules of versions.
    fn decided(
        &self,
        line: &Line<K>,
        action: Action<K>,
        root: &Root,
    ) -> Result<Vec<Change<K>>, Refusal> {
        self.timeline.decide(&Amendment {
            key: self.key,
            action,
            if_at: None,
            origin: root.origin(line.number),
        })
    }

    /// Does it.
    fn take(&mut self, line: &Line<K>, change: Option<Change<K>>, root: &Root) {
        if let Some(change) = change {
            let request = root.request(line.number);
            self.timeline.take(change, request, Position::BEGINNING);
        }
    }
}

impl<K: Versioned> Line<K> {
    fn overlaps(&self, other: u32) -> LineRefusal {
        // Whichever of the two stands further down is the one that is told.
        LineRefusal {
            line: self.number.max(other),
            end: End::From,
            reason: Reason::Line(self.number.min(other)),
        }
    }
}

impl<K: Versioned> Step<K> {
    /// The period of what is opened, if it begins in the past.
    #[must_use]
    pub fn backdated(&self, root: &Root) -> Option<Period> {
        let opened = self.opened.as_ref().map(|opened| opened.period);
        opened.filter(|period| period.effective_from < root.origin.time)
    }

    /// The events that say so, in this order.
    #[must_use]
    pub fn events(&self, key: &K::Key<Pseudonym>, root: &Root) -> Vec<EventData> {
        let request = root.request(self.line);
        let closed = self.closed.map(|closing| {
            let id = closing_event(closing.id.into(), request);
            (id, Change::Closed(closing))
        });
        let opened = self.opened.clone().map(|opening| {
            let id = opening_event(opening.id.into(), request);
            (id, Change::Opened(opening))
        });
        let changes = closed.into_iter().chain(opened);
        let recorded = changes.map(|(id, change)| EventData {
            tenant: K::tenant(key),
            cause: Some(root.event().0),
            ..root.origin.record(id, K::event(change))
        });
        recorded.collect()
    }
}

/// What a sheet comes to, counted.
#[must_use]
pub fn counted<'a, K: Versioned>(
    facts: SheetFacts,
    steps: impl IntoIterator<Item = &'a Step<K>>,
) -> SheetFacts {
    steps.into_iter().fold(facts, |mut facts, step| {
        facts.opened += u32::from(step.opened.is_some());
        facts.closed += u32::from(step.closed.is_some());
        facts.unchanged += u32::from(step.opened.is_none() && step.closed.is_none());
        facts
    })
}

/// The lines for one key, with that key and its stream.
pub type OfKey<K> = (StreamId, <K as Versioned>::Key<Pseudonym>, Vec<Line<K>>);

/// Lines by their keys, in the order in which keys come first.
#[must_use]
pub fn by_stream<K: Versioned>(
    lines: Vec<Line<K>>,
    known: impl Fn(TenantId) -> Pseudonym,
) -> Vec<OfKey<K>> {
    let mut places = BTreeMap::new();
    let mut keyed: Vec<OfKey<K>> = Vec::new();
    for line in lines {
        let key = K::of_tenant(line.key, K::tenant(&line.key).map(&known));
        let stream = K::stream(&key);
        let place = *places.entry(stream).or_insert(keyed.len());
        match keyed.get_mut(place) {
            Some((.., lines)) => lines.push(line),
            None => keyed.push((stream, key, vec![line])),
        }
    }
    keyed
}

/// Which version is to end, when, and which end of the line's period says so.
type Ending<K> = (<K as Versioned>::Id, Timestamp, End);

/// Which version is to end; and from when on the line's own
/// version is to be opened.
fn intended<K: Versioned>(
    timeline: &Timeline<K>,
    line: &Line<K>,
    from: Timestamp,
) -> (Option<Ending<K>>, Option<Timestamp>) {
    let Some(version) = timeline.at(from) else {
        return (None, Some(from));
    };
    if version.terms != line.terms {
        return (Some((version.id, from, End::From)), Some(from));
    }
    match (line.to, version.period.effective_to) {
        (Some(to), end) if is_later(end, Some(to)) => (Some((version.id, to, End::To)), None),
        (to, Some(end)) if is_later(to, Some(end)) => (None, Some(end)),
        _ => (None, None),
    }
}

/// Whether an end is later than another; there is none later than none.
fn is_later(end: Option<Timestamp>, other: Option<Timestamp>) -> bool {
    other.is_some_and(|other| end.is_none_or(|end| end > other))
}

fn closing<K: Versioned>(change: &Change<K>) -> Option<Closing<K>> {
    match change {
        Change::Closed(closing) => Some(*closing),
        Change::Opened(_) => None,
    }
}

fn opening<K: Versioned>(change: &Change<K>) -> Option<Opening<K>> {
    match change {
        Change::Opened(opening) => Some(opening.clone()),
        Change::Closed(_) => None,
    }
}

#[cfg(test)]
mod tests;
