//! How the charges of one tenant are decided and recorded, many together.
//!
//! A charge is appended as the first event of its message's stream, without looking (see
//! `docs/adr/0012-charge-first-read-when-refused.md`). Only what the log refuses is read and
//! compared: a repeat adds nothing, a contradiction is kept. What a charge rests on is guarded;
//! if it moved, the price cache is told and the charge is decided again. Charges that were held
//! go the same way, from what their streams say. The rules stand in [`super::decide`].

mod round;

use std::{collections::HashSet, mem, sync::Arc};

use eventstore::{StoreError, log::chain};
use schema::{MessageId, StreamId, StreamVersion};
use tracing::Span;

use self::round::{Charges, PendingCharge, Round};
use super::{
    decide::charge::{Charge, ChargeRequest, Settled},
    metrics::BillingMetrics,
    price_cache::PriceCache,
};
use crate::runtime::{decider::version_of, intake::age, log_handle::LogHandle};

/// How often something is decided again because others were faster, before it has to come again.
const TRIES: usize = 8;

/// A settlement on its way, with the span its sender's trace goes on in, if it is kept.
#[derive(Debug)]
pub struct Arrived {
    /// The settlement, and whose it is.
    pub request: ChargeRequest,
    /// Absent where the trace is not kept.
    pub span: Option<Span>,
}

/// A held charge that may be ratable now.
#[derive(Debug)]
pub struct HeldCharge {
    /// By which settlement its message was settled.
    pub settled: Settled,
    /// The version its stream is at.
    pub version: StreamVersion,
}

/// What became of a settlement, or of a held charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Its message is charged.
    Charged {
        /// Whether the message costs more than it earns.
        negative_margin: bool,
        /// Whether nobody entered what the carrier takes.
        cost_missing: bool,
        /// Whether nobody entered the exchange rate that its margin needs.
        margin_unknown: bool,
    },
    /// The charge of its message waits to be rated.
    Held,
    /// Everything it says is recorded already.
    Duplicate,
    /// It contradicts the first one; that is kept.
    Conflict,
    /// Not done, or unknown whether on disk; it has to come again.
    Again,
}

/// Turns settlements into charges. Cheap to clone; shared by all tenant actors.
#[derive(Clone)]
pub struct Charging {
    /// The log.
    pub log: LogHandle,
    /// The prices that were read.
    pub prices: Arc<PriceCache>,
    /// The metrics of the service.
    pub metrics: Arc<BillingMetrics>,
}

impl Charging {
    /// Charges these settlements of one tenant; says in their order what became of each.
    pub async fn settle(&self, arrived: &[Arrived]) -> Vec<Disposition> {
        let pending = arrived.iter().enumerate();
        let pending = pending.map(|(index, one)| PendingCharge::settle(index, one));
        // Nothing is known of their streams, so they are taken to be empty.
        let (dispositions, done) = self.carry_out(pending.collect(), Charges::new()).await;
        if let Err(fault) = done {
            self.metrics.pg_error("append");
            let error = chain(&*fault);
            tracing::error!(event = "billing.db_error", operation = "append", error);
        }
        self.tell(arrived, &dispositions);
        dispositions
    }

    /// Rates these held charges of one tenant again, with what the log says today; says how many
    /// are charged now.
    ///
    /// # Errors
    /// The log could not be read or written; what was charged before stays charged.
    pub async fn rate_held(&self, held: &[HeldCharge]) -> Result<usize, Arc<StoreError>> {
        let requests = held.iter().map(|held| &held.settled.first);
        // Twice, because today's accounts choose which prices must be read anew.
        for _ in 0..2 {
            self.prices.invalidate_all_for(requests.clone());
            self.prices.load(requests.clone()).await?;
        }
        let (mut pending, mut read) = (Vec::new(), Charges::new());
        for (index, held) in held.iter().enumerate() {
            pending.push(PendingCharge::rate_again(index, held));
            let charge = (Charge::Held(held.settled.clone()), held.version);
            read.insert(held.settled.first.message(), charge);
        }
        let (dispositions, done) = self.carry_out(pending, read).await;
        let charged = self.count_charged(&dispositions);
        self.metrics.held_resolved.inc_by(charged as u64);
        done.map(|()| charged)
    }

    /// Decides all and appends what follows; where others were faster it decides again. Says in
    /// their order what became of each, and what hit the log, if it did: what was recorded before
    /// stays so, and the rest has to come again.
    async fn carry_out(
        &self,
        pending: Vec<PendingCharge<'_>>,
        charges: Charges,
    ) -> (Vec<Disposition>, Result<(), Arc<StoreError>>) {
        let mut dispositions = vec![Disposition::Again; pending.len()];
        let done = self.rounds(pending, charges, &mut dispositions).await;
        (dispositions, done)
    }

    async fn rounds(
        &self,
        mut pending: Vec<PendingCharge<'_>>,
        mut charges: Charges,
        dispositions: &mut [Disposition],
    ) -> Result<(), Arc<StoreError>> {
        for _ in 0..TRIES {
            let mut round = Round::default();
            let unloaded = round.decide(self, pending, &charges, dispositions);
            if !unloaded.is_empty() {
                let requests = unloaded.iter().map(|one| one.request);
                self.prices.load(requests).await?;
                round.decide_unloaded(self, unloaded, &charges, dispositions);
            }
            let spans = round.append_spans();
            let outcomes = self.log.append(mem::take(&mut round.appends)).await?;
            drop(spans);
            // What is new is on disk. If we stop here, everything comes again and is a repeat.
            let rest = round.settle(outcomes, dispositions);
            if rest.pending.is_empty() {
                return Ok(());
            }
            self.metrics.rerated.inc_by(rest.rerated);
            self.prices.invalidate(rest.moved);
            self.read(rest.changed, &mut charges).await?;
            pending = rest.pending;
        }
        Ok(())
    }

    /// Reads the charges of these messages.
    async fn read(
        &self,
        messages: HashSet<MessageId>,
        charges: &mut Charges,
    ) -> Result<(), StoreError> {
        if messages.is_empty() {
            return Ok(());
        }
        let streams: Vec<_> = messages.iter().copied().map(StreamId::charge).collect();
        let histories = self.log.store.read_streams(&streams).await?;
        for (message, history) in messages.into_iter().zip(histories) {
            let charge = (Charge::folded(&history), version_of(&history));
            charges.insert(message, charge);
        }
        Ok(())
    }

    /// Counts what is charged now, and what of it was sold below its cost.
    fn count_charged(&self, dispositions: &[Disposition]) -> usize {
        let mut charged = 0;
        for disposition in dispositions {
            if let Disposition::Charged {
                negative_margin,
                cost_missing,
                margin_unknown,
            } = *disposition
            {
                let metrics = &self.metrics;
                charged += 1;
                metrics.negative_margin.inc_by(u64::from(negative_margin));
                metrics.cost_missing.inc_by(u64::from(cost_missing));
                metrics.margin_unknown.inc_by(u64::from(margin_unknown));
            }
        }
        charged
    }

    /// Counts what became of the settlements that arrived together.
    fn tell(&self, arrived: &[Arrived], dispositions: &[Disposition]) {
        let count = |one| dispositions.iter().filter(|other| one == **other).count() as u64;
        for (Arrived { request, .. }, disposition) in arrived.iter().zip(dispositions) {
            if matches!(disposition, Disposition::Charged { .. } | Disposition::Held) {
                let took = age(request.settlement.received_at);
                self.metrics.ingestion_took(took);
            }
            if matches!(disposition, Disposition::Charged { .. }) {
                tracing::debug!(event = "billing.charged", messageId = %request.message());
            }
            if *disposition == Disposition::Conflict {
                tracing::error!(event = "billing.conflict", messageId = %request.message());
            }
        }
        let (held, duplicates) = (count(Disposition::Held), count(Disposition::Duplicate));
        let charged = self.count_charged(dispositions) as u64;
        self.metrics.ok.inc_by(charged);
        self.metrics.held.inc_by(held);
        self.metrics.conflict.inc_by(count(Disposition::Conflict));
        self.metrics.duplicate.inc_by(duplicates);
        if held > 0 {
            tracing::warn!(event = "billing.held", charges = held);
        }
        if duplicates > 0 {
            tracing::debug!(event = "billing.duplicate", settlements = duplicates);
        }
    }
}

#[cfg(test)]
mod tests;
