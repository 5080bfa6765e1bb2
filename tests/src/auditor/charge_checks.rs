//! Recomputes every charge and every hold at its position, with the accounts, prices and costs
//! that the log had told of before it. So a price that was superseded when a charge was recorded
//! shows (L6), on whatever node it happened.

use std::collections::{BTreeSet, HashMap};

use schema::{EventId, MessageId, Status, StreamId, Timestamp};
use uuid::Uuid;

use super::{
    Invariant,
    billing_facts::{Charged, Held, Settlement},
    book::{Book, Rating, is_late, rated_at},
    facts::{Body, Log, LogEvent},
    findings::Findings,
};
use crate::{money::Millionths, traffic::Expected};

/// How far a message has come.
#[derive(Clone, Copy, Default)]
pub(super) struct Charge<'a> {
    pub(super) held: Option<&'a LogEvent>,
    pub(super) charged: Option<&'a LogEvent>,
    conflicts: usize,
}

/// All messages that billing knows, and what it knew of prices in the end.
#[derive(Default)]
pub(super) struct Charges<'a> {
    pub(super) by_message: HashMap<Uuid, Charge<'a>>,
    pub(super) book: Book,
}

/// Walks the log once. `due`: every settled message must be charged or wait.
pub(super) fn check<'a>(
    log: &'a Log,
    expected: &Expected,
    due: bool,
    findings: &mut Findings,
) -> Charges<'a> {
    let mut known = Charges::default();
    for event in &log.events {
        known.book.learn(event, findings);
        let Some(settlement) = event.settlement() else {
            continue;
        };
        told(log, expected, event, settlement, findings);
        let Charges { by_message, book } = &mut known;
        let charge = by_message.entry(settlement.message_id).or_default();
        match &event.body {
            Body::Charged(charged) => {
                once(event, charge.charged.is_some(), findings);
                charge.charged = Some(event);
                charged_right(book, event, charged, findings);
            }
            Body::Held(held) => {
                once(event, charge.held.or(charge.charged).is_some(), findings);
                charge.held = Some(event);
                held_right(book, event, held, findings);
            }
            _ => {
                charge.conflicts += 1;
                conflict_right(log, event, settlement, findings);
            }
        }
    }
    at_rest(&known, findings);
    if due {
        all_there(log, expected, &known, findings);
    }
    known
}

fn once(event: &LogEvent, already: bool, findings: &mut Findings) {
    if already {
        findings.doubled(Invariant::ChargedOnce, || {
            format!("position {}: message {}", event.position, event.stream)
        });
    }
}

/// A settlement as it was told: by the log or by whoever announced it.
struct Told {
    source: Uuid,
    tenant: Uuid,
    account: Uuid,
    operator: Uuid,
    segments: i16,
    status: Status,
    occurred_at: Timestamp,
    charged_at: Timestamp,
    tier: Option<&'static str>,
    currency: Option<&'static str>,
}

impl Told {
    /// What it says, whoever said it.
    fn content(&self) -> impl Ord + use<> {
        (
            (self.tenant, self.account, self.operator, self.segments),
            (self.status, self.occurred_at, self.charged_at),
            (self.tier, self.currency),
        )
    }

    fn is(&self, log: &Log, event: &LogEvent, settlement: &Settlement) -> bool {
        let tenant = event.tenant.and_then(|it| log.tenants.get(&it));
        tenant.is_none_or(|tenant| *tenant == self.tenant)
            && event.tenant.is_some_and(|it| it != self.tenant)
            && event.account == Some(self.account)
            && settlement.source_event_id == self.source
            && settlement.operator_id == self.operator
            && &*settlement.direction == "MT"
            && settlement.segment_count == self.segments
            && settlement.dlr_status == self.status
            && settlement.occurred_at == self.occurred_at
            && settlement.charged_at == self.charged_at
            && settlement.stated_tier.as_deref() == self.tier
            && settlement.stated_currency.as_deref() == self.currency
    }
}

/// Everything that was told of a message's settlement.
fn tellings(log: &Log, expected: &Expected, message: Uuid) -> Vec<Told> {
    let message = MessageId(message);
    let stream = log.stream(StreamId::message(message));
    let settled = stream.iter().filter_map(|event| match &event.body {
        Body::Settled { receipt, segments } => Some(Told {
            source: EventId(event.event_id).announced_on("billing.events"),
            tenant: log.tenants.get(&event.tenant?).copied()?,
            account: event.account?,
            operator: receipt.operator_id,
            segments: *segments,
            status: receipt.dlr_status,
            occurred_at: receipt.delivered_at,
            charged_at: receipt.delivered_at,
            tier: None,
            currency: None,
        }),
        _ => None,
    });
    let announced = expected.announced.get(&message).into_iter().flatten();
    let announced = announced.map(|it| Told {
        source: it.event_id,
        tenant: it.tenant.0,
        account: it.account.0,
        operator: it.operator.0,
        segments: it.segments,
        status: it.status,
        occurred_at: it.charged_at,
        charged_at: it.charged_at,
        tier: it.tier,
        currency: it.currency,
    });
    settled.chain(announced).collect()
}

/// Whether an event of billing repeats something that was told.
fn told(
    log: &Log,
    expected: &Expected,
    event: &LogEvent,
    settlement: &Settlement,
    findings: &mut Findings,
) {
    let tellings = tellings(log, expected, settlement.message_id);
    let repeats = tellings.iter().any(|it| it.is(log, event, settlement));
    findings.hold(Invariant::ChargeSaysWhatSettled, repeats, || {
        format!("position {}: message {}", event.position, event.stream)
    });
}

fn rating<'a>(book: &'a Book, event: &LogEvent, settlement: &'a Settlement) -> Rating<'a> {
    let (tenant, account) = (event.tenant, event.account);
    book.rate(
        tenant.unwrap_or_default(),
        account.unwrap_or_default(),
        settlement,
    )
}

fn charged_right(book: &Book, event: &LogEvent, charged: &Charged, findings: &mut Findings) {
    let settlement = &charged.settlement;
    let position = event.position;
    let Rating::Charge {
        tier,
        currency,
        price,
        own,
        cost,
    } = rating(book, event, settlement)
    else {
        findings.wrong(Invariant::PriceOfItsTime, || {
            format!("position {position}: nothing was in effect that it could be charged by")
        });
        return;
    };
    let (at, skewed) = rated_at(settlement);
    let applied = charged.cost.as_ref().map(|it| it.operator_cost_id);
    let versions = *charged.account_tier == *tier
        && *charged.currency == *currency
        && charged.rated_at == at
        && charged.price.pricing_table_id == price.id
        && charged.price.own == own
        && applied == cost.map(|cost| cost.id);
    findings.hold(Invariant::PriceOfItsTime, versions, || {
        format!("position {position}: price {} was due", price.id)
    });
    let count = match &*price.terms.pricing_model {
        "PER_SEGMENT" => settlement.segment_count,
        _ => 1,
    };
    let billed = price
        .terms
        .billable_statuses
        .contains(&settlement.dlr_status);
    let of_price = if billed {
        price.terms.unit_price.times(count)
    } else {
        Millionths::default()
    };
    let of_cost = cost.map(|cost| cost.terms.cost_per_segment);
    let stated_cost = charged.cost.as_ref().map(|it| it.cost_per_segment);
    let cost_sum = of_cost.map(|it| it.times(settlement.segment_count));
    let sums = charged.customer_price == of_price
        && charged.operator_cost == cost_sum.unwrap_or_default()
        && charged.margin == charged.customer_price - charged.operator_cost
        && charged.price.unit_price == price.terms.unit_price
        && charged.price.pricing_model == price.terms.pricing_model
        && stated_cost == of_cost
        && charged.billed == billed
        && charged.clock_skew == skewed
        && charged.late == is_late(settlement);
    findings.hold(Invariant::AmountsFollow, sums, || {
        format!("position {position}: {of_price} was due")
    });
}

fn held_right(book: &Book, event: &LogEvent, held: &Held, findings: &mut Findings) {
    let right = match rating(book, event, &held.settlement) {
        Rating::Hold {
            tier,
            currency,
            reason,
        } => {
            *held.reason == *reason
                && held.account_tier.as_deref() == tier
                && held.currency.as_deref() == currency
                && held.rated_at == rated_at(&held.settlement).0
        }
        Rating::Charge { .. } => false,
    };
    findings.hold(Invariant::HeldForAReason, right, || {
        format!("position {}: {}", event.position, held.reason)
    });
}

/// A conflict names the fields in which it differs from the first of its stream.
fn conflict_right(log: &Log, event: &LogEvent, settlement: &Settlement, findings: &mut Findings) {
    let stream = log.stream(StreamId::charge(MessageId(settlement.message_id)));
    let first = stream.first().copied();
    let differing =
        first.and_then(|first| Some(differs(first, first.settlement()?, event, settlement)));
    let Body::Conflict(conflict) = &event.body else {
        return;
    };
    let mut named: Vec<&str> = conflict.differs.iter().map(|it| &**it).collect();
    named.sort_unstable();
    let right = differing.is_some_and(|it| !it.is_empty() && it == named);
    findings.hold(Invariant::ConflictsKept, right, || {
        format!("position {}: message {}", event.position, event.stream)
    });
}

/// The names of the fields that differ, in order.
fn differs(
    first: &LogEvent,
    one: &Settlement,
    second: &LogEvent,
    two: &Settlement,
) -> Vec<&'static str> {
    let fields = [
        ("accountId", first.account == second.account),
        ("accountTier", one.stated_tier == two.stated_tier),
        ("chargedAt", one.charged_at == two.charged_at),
        ("currency", one.stated_currency == two.stated_currency),
        ("direction", one.direction == two.direction),
        ("dlrStatus", one.dlr_status == two.dlr_status),
        ("occurredAt", one.occurred_at == two.occurred_at),
        ("operatorId", one.operator_id == two.operator_id),
        ("segmentCount", one.segment_count == two.segment_count),
        ("tenantId", first.tenant == second.tenant),
    ];
    let differing = fields.into_iter().filter(|(_, same)| !same);
    differing.map(|(name, _)| name).collect()
}

/// What waits still has to wait: nothing known today would price it.
fn at_rest(known: &Charges<'_>, findings: &mut Findings) {
    let open = known.by_message.values();
    let open = open.filter(|charge| charge.charged.is_none());
    for event in open.filter_map(|charge| charge.held) {
        let Some(settlement) = event.settlement() else {
            continue;
        };
        if let Rating::Charge { price, .. } = rating(&known.book, event, settlement) {
            findings.lost(Invariant::HeldForAReason, || {
                format!("position {}: price {} covers it", event.position, price.id)
            });
        }
    }
}

/// Every message that was settled or announced is charged or waits, and every contradiction is
/// kept.
fn all_there(log: &Log, expected: &Expected, known: &Charges<'_>, findings: &mut Findings) {
    let settled = log.events.iter();
    let settled = settled.filter(|event| matches!(event.body, Body::Settled { .. }));
    let settled = settled.map(|event| event.stream);
    let announced = expected.announced.keys().map(|message| message.0);
    for message in settled.chain(announced) {
        let charge = known.by_message.get(&message).copied().unwrap_or_default();
        if charge.charged.or(charge.held).is_none() {
            findings.lost(Invariant::ChargedOnce, || format!("message {message}"));
        }
        // Only what was announced to billing itself can contradict.
        let mut contents = BTreeSet::new();
        if expected.announced.contains_key(&MessageId(message)) {
            let tellings = tellings(log, expected, message);
            contents = tellings.iter().map(Told::content).collect();
        }
        let contradictions = contents.len().saturating_sub(1);
        if charge.conflicts < contradictions {
            findings.lost(Invariant::ConflictsKept, || format!("message {message}"));
        } else if charge.conflicts > contradictions {
            findings.doubled(Invariant::ConflictsKept, || format!("message {message}"));
        }
    }
}
