//! Adjustments by one person alone, twice decided, or of what an account never paid in, are noticed.

use uuid::Uuid;

use super::{
    super::{
        Invariant,
        adjustment_facts::{Adjustment, Facts, Person, Stage},
        adjustments::AdjustmentRow,
        facts::Body,
    },
    world::World,
};
use crate::money::Millionths;

const ANNA: &str = "anna";
const BERT: &str = "bert";

fn person(name: &str) -> Person {
    Person {
        issuer: "us".into(),
        subject: name.into(),
    }
}

/// An adjustment of a charge that there is.
fn facts(world: &World) -> (Option<Uuid>, Facts) {
    let charge = world.events.iter().find_map(|event| match &event.body {
        Body::Charged(charged) => {
            let registered = |other: &&super::super::facts::LogEvent| {
                other.tenant == event.tenant
                    && matches!(&other.body, Body::Account(one) if Some(one.account.account_id) == event.account)
            };
            world.events.iter().find(registered)?;
            Some((event, charged))
        }
        _ => None,
    });
    let (event, charged) = charge.expect("a charge on a registered account");
    let facts = Facts {
        adjustment_id: Uuid::from_u128(0xad),
        account_id: event.account.expect("an account"),
        amount: Millionths(-12_500_000),
        currency: charged.currency.clone(),
        message_id: Some(charged.settlement.message_id),
    };
    (event.tenant, facts)
}

/// Adds what `steps` say (stage, who proposed, who does it) of `facts`.
fn told(world: &mut World, tenant: Option<Uuid>, facts: &Facts, steps: &[(Stage, &str, &str)]) {
    for (stage, proposer, actor) in steps {
        let decided_by = (*stage != Stage::Proposed).then(|| person(actor));
        let adjustment = Adjustment {
            stage: *stage,
            facts: facts.clone(),
            proposed_by: person(proposer),
            decided_by,
        };
        let body = Body::Adjustment(Box::new(adjustment));
        world.say(tenant, Some(facts.account_id), body);
        let event = world.events.last_mut().expect("just said");
        event.principal = Some(format!("token x us {actor}").into());
    }
    world.finish();
}

/// What is found after these steps, by the name of the invariant.
fn found(change: impl FnOnce(&mut Facts), steps: &[(Stage, &str, &str)]) -> Vec<Invariant> {
    let mut world = World::charged(1_500);
    let (tenant, mut facts) = facts(&world);
    change(&mut facts);
    told(&mut world, tenant, &facts, steps);
    let findings = world.audit().findings.into_iter();
    findings.map(|finding| finding.invariant).collect()
}

#[test]
fn an_adjustment_by_two_people_is_as_it_should_be() {
    let steps = [(Stage::Proposed, ANNA, ANNA), (Stage::Approved, ANNA, BERT)];
    assert_eq!(found(|_| {}, &steps), []);
    let alone = [(Stage::Proposed, ANNA, ANNA), (Stage::Rejected, ANNA, ANNA)];
    assert_eq!(found(|_| {}, &alone), []);
}

#[test]
fn an_adjustment_by_one_person_alone_or_decided_twice_is_noticed() {
    let proposed = (Stage::Proposed, ANNA, ANNA);
    for steps in [
        vec![proposed, (Stage::Approved, ANNA, ANNA)],
        vec![proposed, (Stage::Approved, BERT, "cora")],
        vec![(Stage::Approved, ANNA, BERT)],
        vec![proposed, proposed],
        vec![
            proposed,
            (Stage::Rejected, ANNA, BERT),
            (Stage::Approved, ANNA, "cora"),
        ],
    ] {
        let found = found(|_| {}, &steps);
        assert!(found.contains(&Invariant::AdjustedByTwo), "{steps:?}");
    }
}

#[test]
fn an_adjustment_of_what_the_account_never_paid_in_is_noticed() {
    let steps = [(Stage::Proposed, ANNA, ANNA)];
    let changes: [fn(&mut Facts); 4] = [
        |facts| facts.currency = "CHF".into(),
        |facts| (facts.currency, facts.message_id) = ("CHF".into(), None),
        |facts| facts.message_id = Some(Uuid::from_u128(1)),
        |facts| facts.amount = Millionths(0),
    ];
    for change in changes {
        assert!(found(change, &steps).contains(&Invariant::AdjustedByTwo));
    }
}

#[test]
fn a_wrong_row_of_an_adjustment_is_noticed() {
    let mut world = World::charged(1_500);
    let (tenant, facts) = facts(&world);
    let steps = [(Stage::Proposed, ANNA, ANNA), (Stage::Approved, ANNA, BERT)];
    told(&mut world, tenant, &facts, &steps);
    let changes: [fn(&mut AdjustmentRow); 4] = [
        |row| row.amount = Millionths(12_500_000),
        |row| row.words[1] = "REJECTED".to_owned(),
        |row| row.decided = None,
        |row| row.tenant_id = Uuid::nil(),
    ];
    for change in changes {
        let mut world = world.clone();
        let shown = world.billing.as_mut().expect("tables");
        change(&mut shown.adjustments[0]);
        let findings = world.audit().findings.into_iter();
        let found: Vec<_> = findings.map(|finding| finding.invariant).collect();
        assert_eq!(found, [Invariant::AdjustmentRowsMatchLog]);
    }
}
