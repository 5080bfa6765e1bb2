//! Recomputes every charge and every hold at its position, with the accounts, prices and costs
//! that the log had told of before it. So a price that was superseded when a charge was recorded
//! shows (L6), on whatever node it happened.

use std::collections::{BTreeSet, HashMap};

use schema::{MessageId, StreamId};
use uuid::Uuid;

use super::{
    Invariant,
    billing_facts::{Assessed, Assessment, Charged, Held, Settlement},
    book::{Book, REGISTERED, Rating, is_late, rated_at},
    facts::{Body, Log, LogEvent},
    findings::Findings,
    told::tellings,
};
use crate::{money::Millionths, traffic::Expected};

/// How far a message has come.
#[derive(Clone, Copy, Default)]
pub(super) struct Charge<'a> {
    pub(super) held: Option<&'a LogEvent>,
    pub(super) charged: Option<&'a LogEvent>,
    /// What it costs by the last assessment, and where that stands.
    pub(super) assessed: Option<(&'a Assessment, i64)>,
    conflicts: usize,
}

impl Charge<'_> {
    /// Whether the registration of the account says who pays, as far as the message has come.
    fn is_registered(&self) -> bool {
        let payer = self.charged.or(self.held).map(|event| match &event.body {
            Body::Charged(charged) => &*charged.payer,
            Body::Held(held) => &*held.payer,
            _ => "",
        });
        payer == Some(REGISTERED)
    }
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
        if let Body::Assessed(assessed) = &event.body {
            assessed_right(&mut known, event, assessed, findings);
        }
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
                charge.assessed = Some((&charged.assessment, event.position));
                charged_right(book, event, charged, findings);
            }
            Body::Held(held) => {
                once(event, charge.held.or(charge.charged).is_some(), findings);
                charge.held = Some(event);
                held_right(book, event, held, findings);
            }
            _ => {
                charge.conflicts += 1;
                let stated = !charge.is_registered();
                conflict_right(log, event, settlement, stated, findings);
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
        payer,
        tier,
        currency,
        price,
        own,
    } = rating(book, event, settlement)
    else {
        findings.wrong(Invariant::PriceOfItsTime, || {
            format!("position {position}: nothing was in effect that it could be charged by")
        });
        return;
    };
    let (at, skewed) = rated_at(settlement);
    let versions = *charged.payer == *payer
        && *charged.account_tier == *tier
        && *charged.currency == *currency
        && charged.rated_at == at
        && charged.price.pricing_table_id == price.id
        && charged.price.own == own;
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
    let costs = book.assess(charged);
    findings.hold(Invariant::CostsAsKnown, charged.assessment == costs, || {
        format!("position {position}: {costs:?} was due")
    });
    let sums = charged.customer_price == of_price
        && charged.price.unit_price == price.terms.unit_price
        && charged.price.pricing_model == price.terms.pricing_model
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
            payer,
            tier,
            currency,
            reason,
        } => {
            *held.reason == *reason
                && *held.payer == *payer
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

/// Each charge of an assessment is one of its tenant, costs what is known where that stands, and what
/// it replaces is what was said before.
fn assessed_right<'a>(
    known: &mut Charges<'a>,
    event: &LogEvent,
    assessed: &'a Assessed,
    findings: &mut Findings,
) {
    for one in &assessed.charges {
        let charge = known.by_message.get_mut(&one.message_id);
        let right = charge.is_some_and(|charge| {
            let Some((recorded, Body::Charged(charged))) =
                charge.charged.map(|recorded| (recorded, &recorded.body))
            else {
                return false;
            };
            let before = charge
                .assessed
                .replace((&one.assessment, event.position))
                .map(|(before, _)| before);
            let replaced = before.is_some_and(|before| {
                one.replaced.cost_missing == before.cost.is_none()
                    && one.replaced.converted_cost == before.converted_cost
                    && one.replaced.margin == before.margin
                    && *before != one.assessment
            });
            replaced
                && recorded.position == one.position
                && recorded.tenant == event.tenant
                && recorded.account == Some(one.account_id)
                && charged.rated_at == one.rated_at
                && charged.currency == assessed.currency
                && charged.settlement.operator_id == assessed.operator_id
                && assessed.cause < event.position
                && one.assessment == known.book.assess(charged)
        });
        findings.hold(Invariant::CostsAsKnown, right, || {
            format!("position {}: message {}", event.position, one.message_id)
        });
    }
}

/// A conflict repeats the first of its stream and names the fields in which it differs. What it
/// states of who pays counts only if `stated`: where no registration decides that.
fn conflict_right(
    log: &Log,
    event: &LogEvent,
    settlement: &Settlement,
    stated: bool,
    findings: &mut Findings,
) {
    let stream = log.stream(StreamId::charge(MessageId(settlement.message_id)));
    let first = stream.first().copied();
    let differing = first.and_then(|first| {
        let all = differs(first, first.settlement()?, event, settlement).into_iter();
        let counts = |field: &&str| stated || !["accountTier", "currency"].contains(field);
        Some(all.filter(counts).collect::<Vec<_>>())
    });
    let Body::Conflict(conflict) = &event.body else {
        return;
    };
    let mut named: Vec<&str> = conflict.differs.iter().map(|it| &**it).collect();
    named.sort_unstable();
    let stands = first.is_some_and(|first| {
        first.tenant == Some(conflict.first.tenant)
            && first.account == Some(conflict.first.account_id)
            && first.settlement() == Some(&conflict.first.settlement)
    });
    let right = stands && differing.is_some_and(|it| !it.is_empty() && it == named);
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

/// What waits still has to wait: nothing known today would price it. And every charge costs what is
/// known of its time in the end.
fn at_rest(known: &Charges<'_>, findings: &mut Findings) {
    for charge in known.by_message.values() {
        if let Some(Body::Charged(charged)) = charge.charged.map(|event| &event.body) {
            let costs = known.book.assess(charged);
            let right = charge.assessed.is_some_and(|(last, _)| *last == costs);
            findings.hold(Invariant::CostsAsKnown, right, || {
                let message = charged.settlement.message_id;
                format!("message {message}: {costs:?} is known in the end")
            });
        }
    }
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
        let (mut least, mut most) = (0, 0);
        if expected.announced.contains_key(&MessageId(message)) {
            (least, most) = contradictions(log, expected, message, charge);
        }
        if charge.conflicts < least {
            findings.lost(Invariant::ConflictsKept, || format!("message {message}"));
        } else if charge.conflicts > most {
            findings.doubled(Invariant::ConflictsKept, || format!("message {message}"));
        }
    }
}

/// How many contradictions of a message have to be kept, at least and at most: other contents than
/// the one it was charged or held by. Who pays is part of the content while no registration decides
/// it; for a charge that waited for one, that depends on when the contradiction came.
fn contradictions(
    log: &Log,
    expected: &Expected,
    message: Uuid,
    charge: Charge<'_>,
) -> (usize, usize) {
    let tellings = tellings(log, expected, message);
    let first = charge.held.or(charge.charged);
    let first = first.and_then(|event| {
        let settlement = event.settlement()?;
        tellings.iter().find(|it| it.is(log, event, settlement))
    });
    let Some(first) = first else {
        return (0, usize::MAX);
    };
    let count = |stated: bool| {
        let others = tellings
            .iter()
            .filter(|it| it.content() != first.content() || stated && it.payer() != first.payer());
        let others: BTreeSet<_> = others.map(|it| (it.content(), it.payer())).collect();
        others.len()
    };
    let waited_unregistered = Charge {
        charged: None,
        ..charge
    };
    match (charge.is_registered(), charge.held) {
        (false, _) => (count(true), count(true)),
        (true, Some(_)) if !waited_unregistered.is_registered() => (count(false), count(true)),
        (true, _) => (count(false), count(false)),
    }
}
