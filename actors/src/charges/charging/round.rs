//! One round of deciding charges and appending what follows: what is done with it, and what has to
//! be decided again. Bookkeeping only; nothing in here waits for anything.

use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

use eventstore::{Append, Outcome};
use schema::{Amount, Event, MessageId, StreamId, StreamVersion};
use tracing::Span;

use super::{Arrived, Charging, Disposition, HeldCharge};
use crate::{
    charges::{
        decide::{
            charge::{Charge, ChargeRequest, Comparison, rated},
            rating::Tariff,
        },
        price_cache::Loaded,
    },
    runtime::decider::Decision,
};

/// The charges of some messages as their streams say, with the versions of these. Of a message
/// that is not among them nothing is known: its stream is taken to be empty.
pub(super) type Charges = HashMap<MessageId, (Charge, StreamVersion)>;

/// A charge that is to be decided.
#[derive(Clone, Copy)]
pub(super) struct PendingCharge<'a> {
    /// Its place among those asked about.
    pub(super) index: usize,
    pub(super) request: &'a ChargeRequest,
    /// The span its trace goes on in, if that is kept.
    span: Option<&'a Span>,
    action: Action,
}

/// What is to be decided about a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// What a settlement that arrived does to it.
    Settle,
    /// Whether it can be rated, now that it is held.
    RateAgain,
}

/// What was decided in a round.
#[derive(Default)]
pub(super) struct Round<'a> {
    /// What follows, one append for each of `appending`.
    pub(super) appends: Vec<Append>,
    /// Those with something to append, and what becomes of them once it is recorded.
    appending: Vec<(PendingCharge<'a>, Disposition)>,
    /// Those that something earlier about the same message holds up.
    behind: Vec<PendingCharge<'a>>,
    /// Those of whose prices something was invalidated meanwhile.
    unloaded: Vec<PendingCharge<'a>>,
    /// The messages of `appending` and `unloaded`.
    busy: HashSet<MessageId>,
}

/// What a round leaves to the next one.
#[derive(Default)]
pub(super) struct Rest<'a> {
    /// Those to decide again, in the order in which they were asked.
    pub(super) pending: Vec<PendingCharge<'a>>,
    /// Streams of accounts, prices and costs that have moved.
    pub(super) moved: HashSet<StreamId>,
    /// How many have to be rated again.
    pub(super) rerated: u64,
    /// Messages of `pending` whose charge has changed.
    pub(super) changed: HashSet<MessageId>,
}

impl<'a> PendingCharge<'a> {
    /// What a settlement that arrived does to the charge of its message.
    pub(super) const fn settle(index: usize, arrived: &'a Arrived) -> Self {
        Self {
            index,
            request: &arrived.request,
            span: arrived.span.as_ref(),
            action: Action::Settle,
        }
    }

    /// Whether a held charge can be rated now.
    pub(super) const fn rate_again(index: usize, held: &'a HeldCharge) -> Self {
        Self {
            index,
            request: &held.settled.first,
            span: None,
            action: Action::RateAgain,
        }
    }

    /// What follows; nothing if its prices are not loaded.
    fn decide(
        &self,
        charge: &Charge,
        charging: &Charging,
        prices: &Loaded<'_>,
    ) -> Option<Decision> {
        let rate = |rated: &dyn Fn(&Tariff<'_>) -> Decision| {
            let began = Instant::now();
            let decision = rated(&prices.resolve(self.request, self.span)?);
            let took = began.elapsed().as_secs_f64();
            charging.metrics.resolve_latency.observe(took);
            Some(decision)
        };
        let settlement = &self.request.settlement;
        match self.action {
            Action::Settle => match charge.compare(self.request) {
                Comparison::First => rate(&|tariff| rated(settlement, tariff)),
                Comparison::Repeat => Some(Decision::NOTHING),
                Comparison::Contradiction(decision) => Some(decision),
            },
            Action::RateAgain => rate(&|tariff| charge.rated_again(tariff)),
        }
    }
}

impl<'a> Round<'a> {
    /// Decides `pending` with the prices that are loaded, each by what `charges` says of its
    /// message. What becomes of those about whom nothing is to be recorded is said at once. Those
    /// whose prices are not loaded are given back.
    pub(super) fn decide(
        &mut self,
        charging: &Charging,
        pending: Vec<PendingCharge<'a>>,
        charges: &Charges,
        dispositions: &mut [Disposition],
    ) -> Vec<PendingCharge<'a>> {
        let prices = charging.prices.read();
        let new = (Charge::default(), StreamVersion::NONE);
        let mut unloaded = Vec::new();
        for one in pending {
            let message = one.request.message();
            if self.busy.contains(&message) {
                self.behind.push(one);
                continue;
            }
            let (charge, version) = charges.get(&message).unwrap_or(&new);
            let Some(decision) = one.decide(charge, charging, &prices) else {
                self.busy.insert(message);
                unloaded.push(one);
                continue;
            };
            let Some(event) = decision.events.first() else {
                dispositions[one.index] = Disposition::Duplicate;
                continue;
            };
            self.busy.insert(message);
            self.appending.push((one, Disposition::of(event)));
            let stream = StreamId::charge(message);
            let append = decision.append(charging.log.log, stream, *version, one.request);
            self.appends.push(append);
        }
        unloaded
    }

    /// Has those decided that were not, after their prices were loaded.
    pub(super) fn decide_unloaded(
        &mut self,
        charging: &Charging,
        unloaded: Vec<PendingCharge<'a>>,
        charges: &Charges,
        dispositions: &mut [Disposition],
    ) {
        for one in &unloaded {
            self.busy.remove(&one.request.message());
        }
        self.unloaded = self.decide(charging, unloaded, charges, dispositions);
    }

    /// A span on each trace that is kept, for as long as the append takes.
    pub(super) fn append_spans(&self) -> Vec<Span> {
        let kept = self.appending.iter().filter_map(|(one, _)| one.span);
        kept.map(|span| tracing::info_span!(parent: span, "billing.append"))
            .collect()
    }

    /// Says what became of what was appended, and what is left to do.
    pub(super) fn settle(
        self,
        outcomes: Vec<Outcome>,
        dispositions: &mut [Disposition],
    ) -> Rest<'a> {
        let mut rest = Rest {
            rerated: self.unloaded.len() as u64,
            pending: self.unloaded,
            ..Rest::default()
        };
        let (mut changed, mut refused) = (HashSet::new(), HashSet::new());
        for ((one, disposition), outcome) in self.appending.into_iter().zip(outcomes) {
            let message = one.request.message();
            match outcome {
                Outcome::Recorded { .. } => {
                    dispositions[one.index] = disposition;
                    changed.insert(message);
                }
                Outcome::AlreadyRecorded => {
                    dispositions[one.index] = Disposition::Duplicate;
                    changed.insert(message);
                }
                Outcome::Conflict { .. } | Outcome::Diverged { .. } => {
                    rest.pending.push(one);
                    changed.insert(message);
                }
                Outcome::GuardMoved { stream, .. } => {
                    rest.pending.push(one);
                    rest.moved.insert(stream);
                    rest.rerated += 1;
                }
                // The store has said why. It comes again, and may be put right meanwhile; so does
                // whatever came after it.
                Outcome::Refused => {
                    refused.insert(message);
                }
            }
        }
        let behind = self.behind.into_iter();
        rest.pending
            .extend(behind.filter(|one| !refused.contains(&one.request.message())));
        rest.pending.sort_unstable_by_key(|one| one.index);
        let messages = rest.pending.iter().map(|one| one.request.message());
        rest.changed = messages.filter(|one| changed.contains(one)).collect();
        rest
    }
}

impl Disposition {
    /// That of a charge about which this was recorded.
    fn of(event: &Event) -> Self {
        match event {
            Event::MessageCharged(charged) => Self::Charged {
                negative_margin: charged.assessment.margin.is_some_and(Amount::is_negative),
                cost_missing: charged.assessment.cost.is_none(),
                margin_unknown: charged.assessment.margin.is_none(),
            },
            Event::ChargeConflictRecorded(_) => Self::Conflict,
            _ => Self::Held,
        }
    }
}
