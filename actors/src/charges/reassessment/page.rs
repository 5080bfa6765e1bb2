//! One page of a pass: what is recorded of it. Nothing in here waits for anything.

use std::collections::{BTreeMap, HashSet};

use eventstore::{EventData, Guard};
use schema::{
    CostKey, Currency, Event, EventId, ExchangeRateKey, OperatorId, Pseudonym, Sealed,
    StreamVersion, Timestamp,
    event::{
        AssessedCharge, AssessmentAdvanced, CostAssessment, CostsAssessed, ReplacedAssessment,
    },
};

use super::{ChargedMessage, CostChange, Progress, ShownCost};
use crate::{
    charges::{
        decide::assessment::{Assessable, assess, foreign},
        price_cache::{Loaded, Needed},
    },
    runtime::decider::{Command, Decision, EventPlace},
};

/// Who records it.
const PRINCIPAL: &str = "billing-service";
/// The most charges of one event.
const CHARGES: usize = 250;
/// The most events of a page, the last one aside: a transaction takes a thousand.
const EVENTS: usize = 900;

/// The charges of one page.
pub(super) struct Page<'a> {
    change: &'a CostChange,
    charges: Vec<ChargedMessage>,
    before: Progress,
    expected: StreamVersion,
    is_last: bool,
}

/// What follows from a page.
pub(super) struct Assessed {
    pub(super) decision: Decision,
    pub(super) progress: Progress,
    pub(super) expected: StreamVersion,
    pub(super) command: Advance,
}

/// Let this be recorded: each event is of the tenant whose charges it is about.
#[derive(Debug)]
pub(super) struct Advance {
    after: StreamVersion,
    tenants: Vec<Option<Pseudonym>>,
    time: Timestamp,
}

/// What the charges of one event have in common.
type GroupKey = (Pseudonym, OperatorId, Currency);

impl<'a> Page<'a> {
    /// The page of these charges, which were all there are if they are fewer than `limit`. It takes
    /// as many of them as one transaction does.
    pub(super) fn of(
        change: &'a CostChange,
        mut charges: Vec<ChargedMessage>,
        before: Progress,
        expected: StreamVersion,
        limit: usize,
    ) -> Self {
        let mut groups = HashSet::new();
        let fits = |charge: &ChargedMessage| groups.insert(group(charge)) && groups.len() > EVENTS;
        let full = charges.iter().position(fits);
        let is_last = full.is_none() && charges.len() < limit;
        charges.truncate(full.unwrap_or(charges.len()));
        Self {
            change,
            charges,
            before,
            expected,
            is_last,
        }
    }

    /// That nothing is left to do for these changes, which concern no charge that is not done.
    pub(super) fn finished(
        changes: &[CostChange],
        expected: StreamVersion,
        time: Timestamp,
    ) -> Assessed {
        let done = |change: &CostChange| advanced(change, change.progress, true);
        let events: Vec<Event> = changes.iter().map(done).collect();
        Assessed {
            progress: Progress::default(),
            expected,
            command: Advance {
                after: expected,
                tenants: vec![None; events.len()],
                time,
            },
            decision: Decision::record(events),
        }
    }

    /// Whether no charge is left behind it.
    pub(super) const fn is_last(&self) -> bool {
        self.is_last
    }

    /// The costs and exchange rates that it needs and that are not loaded, as far as it is known
    /// which these are.
    pub(super) fn missing(&self, loaded: &Loaded<'_>) -> Vec<Needed> {
        let mut missing = HashSet::new();
        for charge in &self.charges {
            let key = cost_key(charge);
            let Some(costs) = loaded.costs(&key) else {
                missing.insert(Needed::Cost(key));
                continue;
            };
            let cost = costs.state.at(charge.cursor.rated_at);
            if let Some(key) = rate_key(charge, foreign(&assessable(charge), cost))
                && loaded.rates(&key).is_none()
            {
                missing.insert(Needed::Rate(key));
            }
        }
        missing.into_iter().collect()
    }

    /// What follows: what costs something else now, and how far this is. Nothing if not all that it
    /// needs is loaded.
    pub(super) fn decide(&self, loaded: &Loaded<'_>, time: Timestamp) -> Option<Assessed> {
        let mut guards = HashSet::new();
        let mut groups = BTreeMap::<GroupKey, Vec<AssessedCharge>>::new();
        let mut changed = 0;
        for charge in &self.charges {
            let assessment = reassess(charge, loaded, &mut guards)?;
            if charge.shown.says(&assessment) {
                continue;
            }
            changed += 1;
            let assessed = groups.entry(group(charge)).or_default();
            assessed.push(AssessedCharge {
                message_id: charge.message,
                position: charge.cursor.position,
                account_id: charge.account,
                rated_at: charge.cursor.rated_at,
                assessment,
                replaced: charge.shown.replaced(),
            });
        }
        let (mut events, mut tenants) = (Vec::new(), Vec::new());
        for ((tenant, operator_id, currency), charges) in groups {
            for charges in charges.chunks(CHARGES) {
                tenants.push(Some(tenant));
                events.push(Event::CostsAssessed(CostsAssessed {
                    cause: self.change.position,
                    operator_id,
                    currency,
                    charges: charges.to_vec(),
                }));
            }
        }
        let progress = self.progress(changed);
        events.push(advanced(self.change, progress, self.is_last));
        tenants.push(None);
        Some(Assessed {
            progress,
            expected: self.expected,
            command: Advance {
                after: self.expected,
                tenants,
                time,
            },
            decision: Decision::record(events).guarded(guards.into_iter().collect()),
        })
    }

    /// How far the pass is behind this page, of whose charges so many changed.
    fn progress(&self, changed: i64) -> Progress {
        let last = self.charges.last().map(|charge| charge.cursor);
        Progress {
            through: last.or(self.before.through),
            examined: self.before.examined + i64::try_from(self.charges.len()).unwrap_or(i64::MAX),
            changed: self.before.changed + changed,
        }
    }
}

impl ShownCost {
    /// Whether this is what it costs.
    fn says(&self, assessment: &CostAssessment) -> bool {
        let exchange = assessment.exchange.map(|rate| rate.exchange_rate_id);
        self.cost == assessment.cost.map(|cost| cost.operator_cost_id)
            && self.exchange == exchange
            && self.operator_cost == assessment.operator_cost
            && self.converted_cost == assessment.converted_cost
            && self.margin == assessment.margin
    }

    fn replaced(&self) -> ReplacedAssessment {
        ReplacedAssessment {
            cost_missing: self.cost.is_none(),
            converted_cost: self.converted_cost,
            margin: self.margin,
        }
    }
}

impl Command for Advance {
    fn record(&self, place: EventPlace, event: Event) -> EventData {
        let number = usize::try_from(place.version.0 - self.after.0 - 1).unwrap_or(usize::MAX);
        EventData {
            id: EventId::of_assessment(place.version),
            event,
            tenant: self.tenants.get(number).copied().flatten(),
            account: None,
            occurred_at: self.time,
            cause: None,
            trace: None,
            principal: PRINCIPAL.to_owned(),
            sealed: Sealed::default(),
        }
    }
}

/// What `charge` costs by what is loaded, which is guarded; nothing if not all of it is.
fn reassess(
    charge: &ChargedMessage,
    loaded: &Loaded<'_>,
    guards: &mut HashSet<Guard>,
) -> Option<CostAssessment> {
    let (of, at) = (assessable(charge), charge.cursor.rated_at);
    let costs = loaded.costs(&cost_key(charge))?;
    guards.insert(costs.guard);
    let cost = costs.state.at(at);
    let rate = match rate_key(charge, foreign(&of, cost)) {
        Some(key) => {
            let rates = loaded.rates(&key)?;
            guards.insert(rates.guard);
            rates.state.at(at)
        }
        None => None,
    };
    Some(assess(&of, cost, rate))
}

const fn assessable(charge: &ChargedMessage) -> Assessable {
    Assessable {
        status: charge.status,
        segments: charge.segments,
        customer_price: charge.customer_price,
        currency: charge.currency,
    }
}

const fn cost_key(charge: &ChargedMessage) -> CostKey {
    CostKey {
        operator_id: charge.cursor.operator_id,
        direction: charge.direction,
    }
}

fn rate_key(charge: &ChargedMessage, base: Option<Currency>) -> Option<ExchangeRateKey> {
    let quote = charge.currency;
    base.map(|base| ExchangeRateKey { base, quote })
}

const fn group(charge: &ChargedMessage) -> GroupKey {
    (charge.tenant, charge.cursor.operator_id, charge.currency)
}

const fn advanced(change: &CostChange, progress: Progress, done: bool) -> Event {
    Event::AssessmentAdvanced(AssessmentAdvanced {
        cause: change.position,
        through: if done { None } else { progress.through },
        examined: progress.examined,
        changed: progress.changed,
    })
}
