//! What is to be rated, and what rating it came to.

use std::{sync::Arc, time::Instant};

use eventstore::{Append, StoreError};
use schema::{Event, StreamId};
use tracing::Span;

use super::{Arrived, Charging, HeldCharge};
use crate::charges::decide::{
    charge::Announced,
    rating::{Rating, rate},
};

/// Something that is to be rated.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    /// Which one of those asked about.
    pub(super) index: usize,
    pub(super) announced: &'a Announced,
    /// The version its stream must be at.
    expected: i32,
    /// The span its trace goes on in, if that is kept.
    span: Option<&'a Span>,
}

/// What rating some candidates came to.
#[derive(Default)]
pub(super) struct Rated<'a> {
    pub(super) candidates: Vec<Candidate<'a>>,
    /// In the same order.
    pub(super) appends: Vec<Append>,
    /// Those of which something was forgotten meanwhile.
    pub(super) again: Vec<Candidate<'a>>,
}

/// What an event means for the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// A charge that costs no more than it earns.
    Earns,
    /// A charge that costs more than it earns.
    Costs,
    /// No charge yet.
    Waits,
}

impl Charging {
    /// Rates the candidates with what the book knows, or learns now, and keeps what is `wanted`.
    pub(super) async fn rate<'a>(
        &self,
        candidates: Vec<Candidate<'a>>,
        wanted: impl Fn(&Rating) -> bool,
    ) -> Result<Rated<'a>, Arc<StoreError>> {
        let mut rated = Rated::default();
        let mut unknown = self.rate_in_memory(candidates, &wanted, &mut rated);
        if !unknown.is_empty() {
            let unknown_of = unknown.iter().map(|one| one.announced);
            self.book.learn(unknown_of).await?;
            unknown = self.rate_in_memory(unknown, &wanted, &mut rated);
        }
        rated.again = unknown;
        Ok(rated)
    }

    /// Rates what the book knows enough about; gives back the others.
    fn rate_in_memory<'a>(
        &self,
        mut candidates: Vec<Candidate<'a>>,
        wanted: &impl Fn(&Rating) -> bool,
        rated: &mut Rated<'a>,
    ) -> Vec<Candidate<'a>> {
        let book = self.book.read();
        candidates.retain(|candidate| {
            let began = Instant::now();
            let Some(tariff) = book.resolve(candidate.announced, candidate.span) else {
                return true;
            };
            let (rating, guards) = rate(&candidate.announced.settlement, &tariff);
            let took = began.elapsed().as_secs_f64();
            self.metrics.resolve_latency.observe(took);
            if wanted(&rating) {
                rated.appends.push(Append {
                    stream: StreamId::charge(candidate.announced.message()),
                    expected: candidate.expected,
                    events: vec![candidate.announced.rated(rating)],
                    guards,
                });
                rated.candidates.push(*candidate);
            }
            false
        });
        candidates
    }
}

impl<'a> Candidate<'a> {
    /// A settlement that may be its message's first.
    pub(super) const fn first(index: usize, arrived: &'a Arrived) -> Self {
        Self {
            index,
            announced: &arrived.announced,
            expected: 0,
            span: arrived.span.as_ref(),
        }
    }

    /// A charge that is held.
    pub(super) const fn held(index: usize, held: &'a HeldCharge) -> Self {
        Self {
            index,
            announced: &held.announced,
            expected: held.version,
            span: None,
        }
    }
}

impl Rated<'_> {
    /// A span on each trace that is kept, for as long as the append takes.
    pub(super) fn append_spans(&self) -> Vec<Span> {
        let kept = self.candidates.iter().filter_map(|one| one.span);
        kept.map(|span| tracing::info_span!(parent: span, "billing.append"))
            .collect()
    }
}

impl Weight {
    /// That of what is appended.
    pub(super) fn of(append: &Append) -> Self {
        match append.events.first().map(|fact| &fact.event) {
            Some(Event::MessageCharged(charged)) if charged.margin.is_negative() => Self::Costs,
            Some(Event::MessageCharged(_)) => Self::Earns,
            _ => Self::Waits,
        }
    }
}
