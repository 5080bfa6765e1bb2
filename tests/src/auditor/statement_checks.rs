//! Holds what comparing carriers' statements showed to what the log says of the messages, by arithmetic
//! of its own.

use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap, HashSet},
};

use schema::{Status, Timestamp};
use uuid::Uuid;

use super::{
    Invariant,
    billing_facts::Assessment,
    facts::{Body, Log, LogEvent},
    findings::Findings,
    statement_facts::{Compared, Difference, Figures, Money, Sums},
};
use crate::money::Millionths;

/// How far beside its days a statement may be matched with our messages, in microseconds.
const BESIDE: i64 = 3 * 86_400_000_000;

/// A message as billing first heard of it.
struct Settled {
    operator: Uuid,
    status: Status,
    segments: i64,
    rated_at: Timestamp,
    position: i64,
    /// Whatever the carrier was found to take for it, one after the other; none where that was not
    /// known. A comparison may have seen any of them.
    costs: Vec<Option<Money>>,
}

/// Holds every comparison to what the log says before it.
pub(super) fn check(log: &Log, findings: &mut Findings) {
    let mut settled = HashMap::new();
    for event in &log.events {
        match &event.body {
            Body::Charged(charged) => {
                let cost = taken(&charged.assessment);
                hear(&mut settled, event, charged.rated_at, cost);
            }
            Body::Held(held) => hear(&mut settled, event, held.rated_at, None),
            Body::Assessed(assessed) => {
                for charge in &assessed.charges {
                    if let Some(known) = settled.get_mut(&charge.message_id) {
                        known.costs.push(taken(&charge.assessment));
                    }
                }
            }
            Body::Compared(compared) => {
                let wrong = compared.wrong(&settled, event.position);
                findings.hold(Invariant::StatementsToldTruly, wrong.is_empty(), || {
                    format!("position {}: {}", event.position, wrong.join(", "))
                });
            }
            _ => {}
        }
    }
}

fn hear(
    settled: &mut HashMap<Uuid, Settled>,
    event: &LogEvent,
    rated_at: Timestamp,
    cost: Option<Money>,
) {
    let Some(settlement) = event.settlement() else {
        return;
    };
    let known = settled.entry(settlement.message_id).or_insert(Settled {
        operator: settlement.operator_id,
        status: settlement.dlr_status,
        segments: settlement.segment_count.into(),
        rated_at,
        position: event.position,
        costs: Vec::new(),
    });
    known.costs.push(cost);
}

/// What the carrier takes, if a cost is known.
fn taken(assessment: &Assessment) -> Option<Money> {
    assessment.cost.as_ref().map(|cost| Money {
        currency: cost.currency.clone(),
        amount: assessment.operator_cost,
    })
}

impl Compared {
    fn wrong(&self, settled: &HashMap<Uuid, Settled>, position: i64) -> Vec<String> {
        let mut wrong = Vec::new();
        let classes: HashSet<_> = self.sums.iter().map(|sums| &sums.class).collect();
        if (self.sums.len(), classes.len()) != (8, 8) {
            wrong.push("not every class once".to_owned());
        }
        wrong.extend(
            self.sums
                .iter()
                .filter(|sums| !sums.adds_up())
                .map(|sums| format!("{} does not add up", sums.class)),
        );
        let by_message = &*self.content == "MESSAGES";
        let theirs: i64 = self.sums.iter().map(|sums| sums.theirs.messages).sum();
        if by_message && theirs > self.lines.into() {
            wrong.push("more messages than lines".to_owned());
        }
        let beside = if by_message { BESIDE } else { 0 };
        let there: Vec<_> = settled
            .values()
            .filter(|it| it.operator == self.operator_id && it.position < position)
            .filter(|it| self.is_about(it, beside))
            .collect();
        let ours: i64 = self.sums.iter().map(|sums| sums.ours.messages).sum();
        match usize::try_from(ours).map(|ours| ours.cmp(&there.len())) {
            // Some were recorded while it was compared, or lie beside its days.
            Ok(Ordering::Less) => {}
            Ok(Ordering::Equal) => wrong.extend(self.wrong_sums(&there)),
            _ => wrong.push("more messages of ours than there were".to_owned()),
        }
        let untrue = self
            .differences
            .iter()
            .filter(|it| !it.is_true(self, settled));
        wrong.extend(untrue.map(|it| format!("{} at line {:?} is none", it.class, it.line)));
        wrong
    }

    /// What is wrong with the sums of our side where they are of exactly these messages.
    fn wrong_sums(&self, of: &[&Settled]) -> Vec<String> {
        let mut wrong = Vec::new();
        let segments: i64 = self.sums.iter().map(|sums| sums.ours.segments).sum();
        if segments != of.iter().map(|it| it.segments).sum::<i64>() {
            wrong.push("other segments of ours than there were".to_owned());
        }
        let told: Vec<_> = self.sums.iter().flat_map(|sums| &sums.ours.costs).collect();
        let known = of.iter().flat_map(|it| it.costs.iter().flatten());
        let currencies: BTreeSet<_> = told.iter().copied().chain(known).collect();
        let currencies: BTreeSet<_> = currencies.iter().map(|it| &it.currency).collect();
        for currency in currencies {
            let told = told.iter().filter(|it| it.currency == *currency);
            let told: Millionths = told.map(|it| it.amount).sum();
            let least: Millionths = of.iter().filter_map(|it| it.costs_in(currency).min()).sum();
            let most: Millionths = of.iter().filter_map(|it| it.costs_in(currency).max()).sum();
            if told < least || told > most {
                wrong.push(format!(
                    "ours cost {told} {currency}, not {least} to {most}"
                ));
            }
        }
        wrong
    }

    fn is_about(&self, settled: &Settled, beside: i64) -> bool {
        let begin = |day: &str| Timestamp::parse(&format!("{day}T00:00:00Z"));
        let Some((from, to)) = begin(&self.from).zip(begin(&self.to)) else {
            return false;
        };
        let at = settled.rated_at.micros();
        let end = to.micros() + 86_400_000_000 + beside;
        (from.micros() - beside..end).contains(&at)
    }
}

impl Settled {
    /// What it cost at one time and another, as far as that is in this currency.
    fn costs_in(&self, currency: &str) -> impl Iterator<Item = Millionths> {
        self.costs.iter().map(move |cost| match cost {
            Some(cost) if &*cost.currency == currency => cost.amount,
            _ => Millionths(0),
        })
    }

    /// Whether this may be said of it.
    fn is_told_by(&self, ours: &Figures) -> bool {
        (self.status, self.segments, 1) == (ours.status, ours.segments, ours.messages)
            && ours.costs.len() <= 1
            && self.costs.contains(&ours.costs.first().cloned())
    }
}

impl Sums {
    fn adds_up(&self) -> bool {
        let (theirs, ours) = (&self.theirs, &self.ours);
        let same = theirs.messages == ours.messages;
        match &*self.class {
            "AGREEING" | "OTHER_COST" => same && theirs.segments == ours.segments,
            "REPEATED" | "ONLY_THEIRS" => ours.messages == 0 && ours.costs.is_empty(),
            "ONLY_OURS" => theirs.messages == 0 && theirs.costs.is_empty(),
            "OTHER_COUNT" => theirs.messages > 0 && ours.messages > 0 || same,
            "OTHER_STATUS" | "OTHER_SEGMENTS" => same,
            _ => false,
        }
    }
}

impl Difference {
    /// Whether both sides differ as it says, and ours says what the log says.
    fn is_true(&self, of: &Compared, settled: &HashMap<Uuid, Settled>) -> bool {
        let (theirs, ours) = (self.theirs.as_ref(), self.ours.as_ref());
        let differ = match (theirs, ours) {
            (Some(_), None) => matches!(&*self.class, "ONLY_THEIRS" | "REPEATED"),
            (None, Some(_)) => &*self.class == "ONLY_OURS",
            (Some(theirs), Some(ours)) => match &*self.class {
                "OTHER_STATUS" => theirs.status != ours.status,
                "OTHER_COUNT" => theirs.messages != ours.messages,
                "OTHER_SEGMENTS" => {
                    theirs.status == ours.status && theirs.segments != ours.segments
                }
                "OTHER_COST" => {
                    // Of a day, the cost of some message may not be known to us.
                    let differ = theirs.costs != ours.costs || self.message_id.is_none();
                    (theirs.status, theirs.segments) == (ours.status, ours.segments) && differ
                }
                _ => false,
            },
            (None, None) => false,
        };
        differ && self.is_known(of, settled)
    }

    /// Whether the log says of the message, or of the day, what our side is said to be.
    fn is_known(&self, of: &Compared, settled: &HashMap<Uuid, Settled>) -> bool {
        let Some(ours) = &self.ours else {
            return self.message_id.is_none();
        };
        let theirs = |it: &&Settled| it.operator == of.operator_id;
        if let Some(message) = self.message_id {
            let known = settled.get(&message).filter(theirs);
            return known.is_some_and(|known| known.is_told_by(ours));
        }
        let Some(day) = &self.day else {
            return false;
        };
        let on_it =
            |it: &&Settled| it.status == ours.status && it.rated_at.to_string().starts_with(&**day);
        let there: Vec<_> = settled.values().filter(theirs).filter(on_it).collect();
        let segments: i64 = there.iter().map(|it| it.segments).sum();
        match usize::try_from(ours.messages).map(|ours| ours.cmp(&there.len())) {
            Ok(Ordering::Less) => segments > ours.segments,
            Ok(Ordering::Equal) => segments == ours.segments,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes it untrue.
    type Edit = fn(&mut Compared, &mut HashMap<Uuid, Settled>);

    /// The golden event, and the one message that it names.
    fn golden() -> (Compared, HashMap<Uuid, Settled>) {
        let stored = include_str!("../../../schema/golden/OperatorStatementCompared/v1.json");
        let mut compared: Compared = serde_json::from_str(stored).expect("readable");
        // Its sums tell of three messages, so there are as many lines and messages.
        compared.lines = 3;
        let operator = compared.operator_id;
        let named = compared.differences[0].message_id.expect("a message");
        let others = [(Uuid::from_u128(8), 2), (Uuid::from_u128(9), 1)];
        let settled = [(named, 2), others[0], others[1]].map(|(message, segments)| {
            let cost = Money {
                currency: "EUR".into(),
                amount: Millionths(20_000).times(segments),
            };
            let settled = Settled {
                operator,
                status: Status::Delivered,
                segments: segments.into(),
                rated_at: Timestamp::parse("2026-03-02T12:00:00Z").expect("a time"),
                position: 3,
                // It was not known at first.
                costs: vec![None, Some(cost)],
            };
            (message, settled)
        });
        (compared, settled.into())
    }

    #[test]
    fn a_comparison_that_is_not_true_is_noticed() {
        let (good, settled) = golden();
        assert_eq!(good.wrong(&settled, 7), Vec::<String>::new());
        let edits: [Edit; 13] = [
            |it, _| drop(it.sums.pop()),
            |it, _| it.sums[1].class = "AGREEING".into(),
            |it, _| it.sums[0].ours.messages += 1,
            |it, _| it.lines = 2,
            |it, _| it.differences[0].class = "OTHER_COST".into(),
            |it, _| it.differences[0].ours = None,
            |it, settled| {
                let message = it.differences[0].message_id.expect("a message");
                settled.get_mut(&message).expect("known").segments = 3;
            },
            |_, settled| settled.clear(),
            |it, _| {
                it.sums[0].theirs.segments += 1;
                it.sums[0].ours.segments += 1;
            },
            |it, _| it.sums[0].ours.costs[0].amount += Millionths(1),
            |it, _| it.sums[0].ours.costs[0].currency = "USD".into(),
            |it, _| it.differences[0].ours.as_mut().expect("ours").costs[0].amount += Millionths(1),
            |it, _| {
                it.differences[0].message_id = None;
                it.differences[0].ours.as_mut().expect("ours").messages = 4;
            },
        ];
        for (number, edit) in edits.iter().enumerate() {
            let (mut compared, mut settled) = golden();
            edit(&mut compared, &mut settled);
            assert!(!compared.wrong(&settled, 7).is_empty(), "{number}");
        }
        assert!(!good.wrong(&settled, 2).is_empty(), "of messages to come");
    }
}
