//! Charges, holds and the tables of billing: each thing that can be wrong with money is noticed.

use uuid::Uuid;

use super::{
    super::{
        Fault::{self, Doubled, Lost, Wrong},
        Invariant, Report,
        billing_facts::{Charged, Closed, Held},
        facts::{Body, LogEvent},
    },
    place, record_again,
    world::World,
};
use crate::{
    money::Millionths,
    traffic::{PRIVATE_MARK, agreement::Comes},
};

/// Breaks something in a world where everything is charged; exactly this must be found.
#[track_caller]
pub(super) fn notices(
    invariant: Invariant,
    fault: Fault,
    break_it: impl FnOnce(&mut World),
) -> Report {
    let mut world = World::charged(1_500);
    break_it(&mut world);
    let report = world.audit();
    let found = report
        .findings
        .iter()
        .any(|it| it.invariant == invariant && it.fault == fault);
    assert!(
        found,
        "{invariant:?} {fault:?} not among {:#?}",
        report.findings
    );
    report
}

fn is_charged(event: &LogEvent) -> bool {
    matches!(event.body, Body::Charged(_))
}

fn is_held(event: &LogEvent) -> bool {
    matches!(event.body, Body::Held(_))
}

fn charged(world: &mut World) -> &mut Charged {
    let place = place(world, is_charged);
    match &mut world.events[place].body {
        Body::Charged(charged) => charged,
        _ => unreachable!("just found"),
    }
}

fn held(world: &mut World) -> &mut Held {
    let place = place(world, is_held);
    match &mut world.events[place].body {
        Body::Held(held) => held,
        _ => unreachable!("just found"),
    }
}

#[test]
fn a_tenant_erased_unasked_or_still_known_is_noticed() {
    let nobody = Uuid::from_u128(0x00e7_a5ed);
    let asked = || Body::ErasureRequested(Uuid::from_u128(1));
    let noticed = |break_it: &dyn Fn(&mut World)| {
        notices(Invariant::ErasedForgotten, Wrong, break_it);
    };
    noticed(&|world| world.say(Some(nobody), None, Body::Erased));
    noticed(&|world| {
        let known = world.events[place(world, is_charged)].tenant;
        world.say(known, None, asked());
        world.say(known, None, Body::Erased);
    });
    let mut world = World::charged(1_500);
    world.say(Some(nobody), None, asked());
    world.say(Some(nobody), None, Body::Erased);
    let found = world.audit().findings;
    let found = found
        .iter()
        .any(|it| it.invariant == Invariant::ErasedForgotten);
    assert!(
        !found,
        "who was asked to be erased and is unknown is as it should be"
    );
}

/// Removes an event and closes the gap, as if it had never been recorded.
fn forget(world: &mut World, place: usize) {
    world.events.remove(place);
    for (position, event) in (1..).zip(&mut world.events) {
        event.position = position;
    }
}

#[test]
fn a_world_where_everything_is_charged_balances() {
    let mut world = World::charged(3_000);
    let report = world.audit();
    assert!(report.balanced(), "{:#?}", report.findings);
    let counts = report.counts;
    let open = counts.held - counts.resolved;
    assert_eq!(counts.charges + open, counts.settled);
    assert_eq!(counts.charge_rows, counts.charges);
    assert!(counts.resolved > 0 && open > 0, "{counts:?}");
    assert!(counts.losses > 0 && counts.costs_missing > 0, "{counts:?}");
    assert_eq!(report.usage.len(), 2, "two currencies");
    let messages: u64 = report.usage.values().map(|usage| usage.messages).sum();
    assert_eq!(messages, counts.charges);
    world.contradict();
    let report = world.audit();
    assert!(report.balanced(), "{:#?}", report.findings);
    assert_eq!(report.counts.conflicts, 1);
}

#[test]
fn a_message_charged_twice_or_never_is_noticed() {
    let invariant = Invariant::ChargedOnce;
    notices(invariant, Doubled, |world| {
        let charged = place(world, is_charged);
        record_again(world, charged);
    });
    notices(invariant, Doubled, |world| {
        let held = place(world, is_held);
        record_again(world, held);
    });
    notices(invariant, Lost, |world| {
        let charged = place(world, is_charged);
        forget(world, charged);
    });
}

#[test]
fn a_charge_of_something_else_is_noticed() {
    let invariant = Invariant::ChargeSaysWhatSettled;
    notices(invariant, Wrong, |world| {
        charged(world).settlement.segment_count += 1;
    });
    notices(invariant, Wrong, |world| {
        charged(world).settlement.source_event_id = Uuid::nil();
    });
    notices(invariant, Wrong, |world| {
        let charged = place(world, is_charged);
        world.events[charged].account = None;
    });
    notices(invariant, Wrong, |world| {
        held(world).settlement.segment_count += 1;
    });
}

#[test]
fn a_price_that_was_superseded_is_noticed() {
    let invariant = Invariant::PriceOfItsTime;
    notices(invariant, Wrong, |world| {
        charged(world).price.pricing_table_id = Uuid::nil();
    });
    notices(invariant, Wrong, |world| {
        let charged = charged(world);
        charged.price.own = !charged.price.own;
    });
    // The price is closed before its time, and the charge comes after that.
    notices(invariant, Wrong, |world| {
        let id = charged(world).price.pricing_table_id;
        let opened = place(world, |event| match &event.body {
            Body::PriceOpened(opened) => opened.pricing_table_id == id,
            _ => false,
        });
        let Body::PriceOpened(terms) = &world.events[opened].body else {
            unreachable!("just found");
        };
        let closed = Closed {
            id,
            effective_to: terms.effective_from,
        };
        let mut event = world.events[opened].clone();
        event.body = Body::PriceClosed(closed);
        event.event_id = Uuid::from_u128(4);
        let charged = place(world, is_charged);
        world.events.insert(charged, event);
        for (position, event) in (1..).zip(&mut world.events) {
            event.position = position;
        }
    });
}

#[test]
fn a_wrong_amount_or_flag_is_noticed() {
    let invariant = Invariant::AmountsFollow;
    let breaks: [fn(&mut Charged); 5] = [
        |it| it.customer_price += Millionths(1),
        |it| it.price.unit_price += Millionths(1),
        |it| it.billed = !it.billed,
        |it| it.clock_skew = !it.clock_skew,
        |it| it.late = !it.late,
    ];
    for break_it in breaks {
        notices(invariant, Wrong, |world| break_it(charged(world)));
    }
}

#[test]
fn a_cost_that_was_not_known_is_noticed() {
    let invariant = Invariant::CostsAsKnown;
    let breaks: [fn(&mut Charged); 4] = [
        |it| it.assessment.cost = None,
        |it| it.assessment.due = !it.assessment.due,
        |it| it.assessment.operator_cost += Millionths(1),
        |it| it.assessment.margin = None,
    ];
    for break_it in breaks {
        notices(invariant, Wrong, |world| break_it(charged(world)));
    }
}

#[test]
fn a_hold_without_a_reason_is_noticed() {
    let invariant = Invariant::HeldForAReason;
    notices(invariant, Wrong, |world| {
        held(world).reason = "NOT_TODAY".into();
    });
    notices(invariant, Wrong, |world| {
        held(world).account_tier = Some("CUSTOM".into());
    });
    notices(invariant, Lost, |world| {
        // The last charge is one that waited.
        world.events.pop();
    });
}

#[test]
fn a_contradiction_that_is_lost_or_made_up_is_noticed() {
    let invariant = Invariant::ConflictsKept;
    notices(invariant, Lost, |world| {
        world.contradict();
        world.events.pop();
    });
    notices(invariant, Doubled, |world| {
        world.contradict();
        world.expected.announced.clear();
    });
    notices(invariant, Wrong, |world| {
        world.contradict();
        if let Some(Body::Conflict(conflict)) = world.events.last_mut().map(|it| &mut it.body) {
            conflict.differs = vec!["dlrStatus".into()];
        }
    });
    notices(invariant, Wrong, |world| {
        world.contradict();
        if let Some(Body::Conflict(conflict)) = world.events.last_mut().map(|it| &mut it.body) {
            conflict.first.settlement.segment_count += 1;
        }
    });
    let shown = |world: &mut World, change: fn(&mut super::billing_world::Shown)| {
        world.contradict();
        change(world.billing.as_mut().expect("shown"));
    };
    notices(invariant, Lost, |world| {
        shown(world, |it| it.conflicts.clear());
    });
    notices(invariant, Wrong, |world| {
        shown(world, |it| it.conflicts[0].first.segments += 1);
    });
}

#[test]
fn prices_that_overlap_or_grow_are_noticed() {
    let invariant = Invariant::OnePriceAtATime;
    let is_open = |event: &LogEvent| match &event.body {
        Body::PriceOpened(opened) => opened.effective_to.is_some(),
        _ => false,
    };
    notices(invariant, Wrong, |world| {
        let open = place(world, is_open);
        let mut again = world.events[open].clone();
        if let Body::PriceOpened(opened) = &mut again.body {
            opened.pricing_table_id = Uuid::from_u128(3);
        }
        world.say(again.tenant, None, again.body);
    });
    notices(invariant, Wrong, |world| {
        let open = place(world, is_open);
        if let Body::PriceOpened(opened) = &mut world.events[open].body {
            opened.effective_to = None;
        }
    });
    notices(invariant, Wrong, |world| {
        let open = place(world, is_open);
        let mut event = world.events[open].clone();
        event.body = Body::PriceClosed(Closed {
            id: Uuid::nil(),
            effective_to: super::world::start(),
        });
        world.events.push(event);
    });
}

#[test]
fn half_a_sheet_is_noticed() {
    let invariant = Invariant::SheetWhole;
    let is_sheet = |event: &LogEvent| matches!(event.body, Body::SheetApplied(_));
    notices(invariant, Wrong, |world| {
        let sheet = place(world, is_sheet);
        forget(world, sheet - 1);
    });
    notices(invariant, Wrong, |world| {
        let sheet = place(world, is_sheet);
        world.events[sheet - 1].principal = Some("somebody-else".into());
    });
    notices(invariant, Wrong, |world| {
        let again = world.events[place(world, is_sheet)].clone();
        world.say(None, None, again.body);
    });
    notices(invariant, Wrong, |world| {
        let sheet = place(world, is_sheet);
        if let Body::SheetApplied(sheet) = &mut world.events[sheet].body {
            sheet.of_prices = true;
        }
    });
}

#[test]
fn an_account_of_two_tenants_is_noticed() {
    let invariant = Invariant::AccountOfOneTenant;
    let is_account = |event: &LogEvent| matches!(event.body, Body::Account(_));
    notices(invariant, Wrong, |world| {
        let again = world.events[place(world, is_account)].clone();
        world.say(Some(Uuid::from_u128(3)), again.account, again.body);
    });
    notices(invariant, Wrong, |world| {
        let account = place(world, is_account);
        world.events[account].account = None;
    });
}

#[test]
fn a_charge_other_than_agreed_is_noticed() {
    let invariant = Invariant::ChargedAsAgreed;
    notices(invariant, Wrong, |world| {
        let agreement = world.expected.agreement.as_mut().expect("agreed");
        for price in &mut agreement.prices {
            price.unit += Millionths(1);
        }
    });
    notices(invariant, Wrong, |world| {
        let agreement = world.expected.agreement.as_mut().expect("agreed");
        for price in &mut agreement.prices {
            price.comes = Comes::First;
        }
    });
}

#[test]
fn a_wrong_table_of_charges_or_holds_is_noticed() {
    type Break = fn(&mut super::billing_world::Shown);
    let cases: [(Invariant, Fault, Break); 17] = [
        (Invariant::ChargeRowsMatchLog, Lost, |it| {
            it.charges.truncate(9);
        }),
        (Invariant::ChargeRowsMatchLog, Doubled, |it| {
            it.charges.push(it.charges[0].clone());
        }),
        (Invariant::ChargeRowsMatchLog, Wrong, |it| {
            it.charges[0].known[1] = None;
        }),
        (Invariant::ChargeRowsMatchLog, Wrong, |it| {
            it.charges[0].tenant_id = Uuid::nil();
        }),
        (Invariant::HeldRowsMatchLog, Lost, |it| drop(it.held.pop())),
        (Invariant::HeldRowsMatchLog, Wrong, |it| {
            let resolved = it.held.iter_mut().find(|row| row.resolved_at.is_some());
            resolved.expect("one").resolved_at = None;
        }),
        (Invariant::UsageMatchesLog, Lost, |it| drop(it.hours.pop())),
        (Invariant::UsageMatchesLog, Doubled, |it| {
            it.days.push(it.days[0].clone());
        }),
        (Invariant::UsageMatchesLog, Wrong, |it| {
            it.hours[0].1.messages += 1;
        }),
        (Invariant::UsageMatchesLog, Wrong, |it| {
            it.days[0].1.cost += Millionths(1);
        }),
        (Invariant::PriceRowsMatchLog, Lost, |it| {
            drop(it.prices.pop());
        }),
        (Invariant::PriceRowsMatchLog, Wrong, |it| {
            it.prices[0].unit += Millionths(1);
        }),
        (Invariant::PriceRowsMatchLog, Wrong, |it| {
            it.costs[0].created_by.push('x');
        }),
        (Invariant::AccountRowsMatchLog, Lost, |it| {
            let _ = it.accounts.pop();
        }),
        (Invariant::AccountRowsMatchLog, Wrong, |it| {
            it.account_versions[0].words[0] = "GALACTIC".into();
        }),
        (Invariant::AccessRowsMatchLog, Lost, |it| {
            drop(it.accesses.pop());
        }),
        (Invariant::AccessRowsMatchLog, Wrong, |it| {
            it.accesses[0].calls += 1;
        }),
    ];
    for (invariant, fault, break_it) in cases {
        notices(invariant, fault, |world| {
            break_it(world.billing.as_mut().expect("shown"));
        });
    }
}

#[test]
fn a_billing_name_in_the_clear_is_noticed() {
    let agreement = World::charged(100).expected.agreement.expect("agreed");
    for account in agreement.accounts.values() {
        assert!(account.name.contains(PRIVATE_MARK) && account.address.contains(PRIVATE_MARK));
    }
}
