//! How settlements of one tenant become charges.
//!
//! A charge is appended as the first event of its message's stream, without looking (see
//! `docs/adr/0012-charge-first-read-when-refused.md`). Only what the log refuses is read and
//! compared: a repeat adds nothing, a contradiction is kept. What a charge rests on is guarded;
//! if it moved, the price book forgets it and the charge is rated again.

mod candidate;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use eventstore::{Append, EventStore, Outcome, RecordedEvent, StoreError, log::chain};
use ractor::ActorRef;
use schema::{MessageId, StreamId};
use tracing::Span;

use self::candidate::{Candidate, Weight};
use super::{
    decide::{
        charge::{Announced, Charge, Heard},
        rating::Rating,
    },
    metrics::BillingMetrics,
    price_cache::PriceBook,
};
use crate::runtime::{appender, intake::age};

/// How often something is tried again because others were faster, before it has to come again.
const TRIES: usize = 8;

/// A settlement on its way, with the span its sender's trace goes on in, if it is kept.
#[derive(Debug)]
pub struct Arrived {
    /// What was announced.
    pub announced: Announced,
    /// Absent where the trace is not kept.
    pub span: Option<Span>,
}

/// A held charge that may be ratable now.
#[derive(Debug)]
pub struct HeldCharge {
    /// What was announced first.
    pub announced: Announced,
    /// The version its stream is at.
    pub version: i32,
}

/// What became of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Its message is charged.
    Charged,
    /// The charge of its message waits to be rated.
    Held,
    /// It said nothing new.
    Duplicate,
    /// It contradicts the first one; that is kept.
    Conflict,
    /// Not done, or unknown whether on disk; it has to come again.
    Again,
}

/// Turns settlements into charges. Cheap to clone; shared by all tenant actors.
#[derive(Clone)]
pub struct Charging {
    /// What is known of prices.
    pub book: Arc<PriceBook>,
    /// The log, for reading.
    pub store: Arc<dyn EventStore>,
    /// The way into the log.
    pub appender: ActorRef<appender::Msg>,
    /// What is counted.
    pub metrics: Arc<BillingMetrics>,
}

impl Charging {
    /// Charges these settlements of one tenant; says in their order what became of each.
    pub async fn settle(&self, arrived: &[Arrived]) -> Vec<Fate> {
        let mut fates = vec![Fate::Again; arrived.len()];
        let (first, mut known) = first_and_repeats(arrived);
        let mut done = self.charge(first, &mut known, &mut fates).await;
        if done.is_ok() {
            // What is new is on disk. If we stop here, everything comes again and is a repeat.
            done = self.compare(arrived, known, &mut fates).await;
        }
        if let Err(fault) = done {
            self.metrics.pg_error("append");
            let error = chain(&*fault);
            tracing::error!(event = "billing.db_error", operation = "append", error);
        }
        self.tell(&fates);
        fates
    }

    /// Rates these held charges of one tenant again, with what the log says today; says how many
    /// are charged now.
    ///
    /// # Errors
    /// The log could not be read or written; what was charged before stays charged.
    pub async fn rate_held(&self, held: &[HeldCharge]) -> Result<usize, Arc<StoreError>> {
        let announced = held.iter().map(|held| &held.announced);
        // Twice, because today's accounts choose which prices must be read anew.
        for _ in 0..2 {
            self.book.forget_all_for(announced.clone());
            self.book.learn(announced.clone()).await?;
        }
        let numbered = held.iter().enumerate();
        let candidate = |(index, held)| Candidate::held(index, held);
        let mut pending: Vec<_> = numbered.map(candidate).collect();
        let mut charged = 0;
        for _ in 0..TRIES {
            let ratable = |rating: &Rating| matches!(rating, Rating::Charged(_));
            let rated = self.rate(pending, ratable).await?;
            let weights: Vec<_> = rated.appends.iter().map(Weight::of).collect();
            let outcomes = self.append(rated.appends).await?;
            pending = rated.again;
            let mut moved = HashSet::new();
            for ((candidate, outcome), weight) in
                rated.candidates.into_iter().zip(outcomes).zip(weights)
            {
                match outcome {
                    Outcome::Recorded { .. } => {
                        charged += 1;
                        self.weigh(weight);
                    }
                    Outcome::GuardMoved { stream, .. } => {
                        moved.insert(stream);
                        pending.push(candidate);
                    }
                    // Another node rated it, or kept a contradiction: the next pass will see.
                    _ => {}
                }
            }
            self.book.forget(moved);
            if pending.is_empty() {
                break;
            }
        }
        self.metrics.held_resolved.inc_by(charged as u64);
        Ok(charged)
    }

    /// Appends each as the first event of its message; `known` gets what the log refuses.
    async fn charge(
        &self,
        mut pending: Vec<Candidate<'_>>,
        known: &mut Vec<usize>,
        fates: &mut [Fate],
    ) -> Result<(), Arc<StoreError>> {
        for _ in 0..TRIES {
            let mut rated = self.rate(pending, |_| true).await?;
            let appends = std::mem::take(&mut rated.appends);
            let weights: Vec<_> = appends.iter().map(Weight::of).collect();
            let spans = rated.append_spans();
            let outcomes = self.append(appends).await?;
            drop(spans);
            pending = rated.again;
            let mut moved = HashSet::new();
            for ((candidate, outcome), weight) in rated.candidates.iter().zip(outcomes).zip(weights)
            {
                match outcome {
                    Outcome::Recorded { .. } => {
                        fates[candidate.index] = self.recorded(candidate.announced, weight);
                    }
                    Outcome::AlreadyRecorded => fates[candidate.index] = Fate::Duplicate,
                    Outcome::Conflict { .. } | Outcome::Diverged { .. } => {
                        known.push(candidate.index);
                    }
                    Outcome::GuardMoved { stream, .. } => {
                        moved.insert(stream);
                        pending.push(*candidate);
                    }
                    // The store has said why. It comes again, and may be put right meanwhile.
                    Outcome::Refused => {}
                }
            }
            if pending.is_empty() {
                return Ok(());
            }
            self.metrics.rerated.inc_by(pending.len() as u64);
            self.book.forget(moved);
        }
        Ok(())
    }

    /// Reads the charges of what the log refused and compares. What is kept as a contradiction is
    /// one per message and round: the next one is compared with it.
    async fn compare(
        &self,
        arrived: &[Arrived],
        mut known: Vec<usize>,
        fates: &mut [Fate],
    ) -> Result<(), Arc<StoreError>> {
        for _ in 0..TRIES {
            if known.is_empty() {
                return Ok(());
            }
            let charges = self.read(arrived, &known).await?;
            let (mut appends, mut kept, mut later) = (Vec::new(), Vec::new(), Vec::new());
            let mut writing = HashSet::new();
            for index in std::mem::take(&mut known) {
                let announced = &arrived[index].announced;
                let message = announced.message();
                let (charge, expected) = &charges[&message];
                match charge.hear(announced) {
                    // What came before it was not recorded, so neither is this.
                    Heard::First => fates[index] = Fate::Again,
                    Heard::Repeat => fates[index] = Fate::Duplicate,
                    Heard::Contradiction(_) if !writing.insert(message) => later.push(index),
                    Heard::Contradiction(fact) => {
                        kept.push(index);
                        appends.push(Append {
                            stream: StreamId::charge(message),
                            expected: *expected,
                            events: vec![*fact],
                            guards: Vec::new(),
                        });
                    }
                }
            }
            for (index, outcome) in kept.into_iter().zip(self.append(appends).await?) {
                match outcome {
                    Outcome::Recorded { .. } => {
                        let message = arrived[index].announced.message();
                        tracing::error!(event = "billing.conflict", messageId = %message);
                        fates[index] = Fate::Conflict;
                    }
                    Outcome::AlreadyRecorded => fates[index] = Fate::Duplicate,
                    Outcome::Refused => {}
                    _ => later.push(index),
                }
            }
            known = later;
        }
        Ok(())
    }

    async fn read(
        &self,
        arrived: &[Arrived],
        known: &[usize],
    ) -> Result<HashMap<MessageId, (Charge, i32)>, StoreError> {
        let of = |index: &usize| arrived[*index].announced.message();
        let messages: HashSet<MessageId> = known.iter().map(of).collect();
        let streams: Vec<_> = messages.iter().copied().map(StreamId::charge).collect();
        let histories = self.store.read_streams(&streams).await?;
        let charge = |(message, history): (MessageId, Vec<RecordedEvent>)| {
            let version = history.last().map_or(0, |last| last.version);
            (message, (Charge::folded(&history), version))
        };
        Ok(messages.into_iter().zip(histories).map(charge).collect())
    }

    async fn append(&self, appends: Vec<Append>) -> appender::Answer {
        if appends.is_empty() {
            return Ok(Vec::new());
        }
        appender::append(&self.appender, appends).await
    }

    /// Counts what was recorded of a first settlement.
    fn recorded(&self, announced: &Announced, weight: Weight) -> Fate {
        let took = age(announced.settlement.received_at);
        self.metrics.ingestion_took(took);
        match weight {
            Weight::Waits => Fate::Held,
            Weight::Earns | Weight::Costs => {
                self.weigh(weight);
                tracing::debug!(event = "billing.charged", messageId = %announced.message());
                Fate::Charged
            }
        }
    }

    /// Counts what was sold below its cost.
    fn weigh(&self, weight: Weight) {
        if weight == Weight::Costs {
            self.metrics.negative_margin.inc();
        }
    }

    /// Counts what became of a turn's settlements.
    fn tell(&self, fates: &[Fate]) {
        let count = |fate| fates.iter().filter(|one| **one == fate).count() as u64;
        let held = count(Fate::Held);
        self.metrics.ok.inc_by(count(Fate::Charged));
        self.metrics.held.inc_by(held);
        self.metrics.conflict.inc_by(count(Fate::Conflict));
        let duplicates = count(Fate::Duplicate);
        self.metrics.duplicate.inc_by(duplicates);
        if held > 0 {
            tracing::warn!(event = "billing.held", charges = held);
        }
        if duplicates > 0 {
            tracing::debug!(event = "billing.duplicate", settlements = duplicates);
        }
    }
}

/// Parts the first settlement of each message from the others about it, which are compared with
/// what becomes of the first.
fn first_and_repeats(arrived: &[Arrived]) -> (Vec<Candidate<'_>>, Vec<usize>) {
    let mut seen = HashSet::with_capacity(arrived.len());
    let (mut first, mut repeats) = (Vec::with_capacity(arrived.len()), Vec::new());
    for (index, one) in arrived.iter().enumerate() {
        if seen.insert(one.announced.message()) {
            first.push(Candidate::first(index, one));
        } else {
            repeats.push(index);
        }
    }
    (first, repeats)
}

#[cfg(test)]
mod tests;
