//! A world at rest balances, and each invariant notices when it is broken.

mod adjustments;
mod billing;
mod billing_rows;
mod billing_world;
mod margins;
mod servers;
mod shown;
mod world;

use schema::{Status, Timestamp};
use uuid::Uuid;

use self::world::World;
use super::{
    Fault::{self, Doubled, Lost, Wrong},
    Invariant,
    facts::{Body, LogEvent},
};

/// Breaks something in a world at rest; exactly this must be among the findings.
#[track_caller]
fn notices(invariant: Invariant, fault: Fault, break_it: impl FnOnce(&mut World)) {
    let mut world = World::at_rest(1_500);
    break_it(&mut world);
    let report = world.audit();
    assert!(!report.balanced());
    let found = report
        .findings
        .iter()
        .any(|it| it.invariant == invariant && it.fault == fault);
    assert!(
        found,
        "{invariant:?} {fault:?} not among {:#?}",
        report.findings
    );
}

fn place(world: &World, is: impl Fn(&LogEvent) -> bool) -> usize {
    world
        .events
        .iter()
        .position(is)
        .expect("there is one in the traffic")
}

fn is_settled(event: &LogEvent) -> bool {
    matches!(event.body, Body::Settled { .. })
}

fn is_late(event: &LogEvent) -> bool {
    matches!(event.body, Body::Late { .. })
}

fn is_matched(event: &LogEvent) -> bool {
    matches!(event.body, Body::Matched(_))
}

/// The same event once more, at the end of its stream and of the log.
fn record_again(world: &mut World, place: usize) {
    let mut again = world.events[place].clone();
    let of = |event: &&LogEvent| event.stream == again.stream && event.category == again.category;
    again.version = world
        .events
        .iter()
        .filter(of)
        .map(|event| event.version)
        .max()
        .unwrap_or(0)
        + 1;
    world.head += 1;
    again.position = world.head;
    world.events.push(again);
}

#[test]
fn a_world_at_rest_balances() {
    let world = World::at_rest(3_000);
    let report = world.audit();
    assert!(report.balanced(), "{:#?}", report.findings);
    let counts = &world.expected.counts;
    assert_eq!(report.counts.receipts, counts.receipts);
    assert_eq!(report.counts.settled, counts.settled);
    assert_eq!(report.counts.billed, counts.settled);
    assert_eq!(
        report.counts.orphaned,
        counts.orphans + report.counts.healed
    );
    assert_eq!(report.counts.messages, counts.messages);
    assert!(report.counts.healed > 0 && report.counts.late > 0);
}

#[test]
fn every_invariant_has_its_own_id_and_sentence() {
    let mut ids: Vec<_> = Invariant::ALL.iter().map(|it| it.id()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), Invariant::ALL.len());
    assert!(Invariant::ALL.iter().all(|it| it.sentence().ends_with('.')));
}

#[test]
fn a_gap_a_repeat_and_a_wrong_head_are_noticed() {
    notices(Invariant::LogDense, Lost, |world| {
        world.events.remove(100);
    });
    notices(Invariant::LogDense, Doubled, |world| {
        world.events[100].position -= 1;
    });
    notices(Invariant::LogDense, Wrong, |world| world.head += 1);
}

#[test]
fn a_version_out_of_turn_is_noticed() {
    notices(Invariant::VersionsDense, Wrong, |world| {
        world.events[100].version += 1;
    });
}

#[test]
fn a_clock_that_goes_back_is_noticed() {
    notices(Invariant::RecordedAtMonotone, Wrong, |world| {
        world.events[100].recorded_at = Timestamp::from_micros(0).expect("valid");
    });
}

#[test]
fn an_unreadable_event_is_noticed() {
    notices(Invariant::EventsReadable, Wrong, |world| {
        world.events[100].body = Body::Unreadable;
    });
}

#[test]
fn a_minted_id_and_a_repeated_id_are_noticed() {
    notices(Invariant::IdsDerived, Wrong, |world| {
        world.events[100].event_id = Uuid::from_u128(1);
    });
    notices(Invariant::IdsDerived, Doubled, |world| {
        record_again(world, 100);
    });
}

#[test]
fn a_receipt_recorded_twice_is_noticed() {
    notices(Invariant::OneEventPerReceipt, Doubled, |world| {
        let late = place(world, is_late);
        record_again(world, late);
    });
    notices(Invariant::OneEventPerReceipt, Doubled, |world| {
        let orphaned = place(world, |event| matches!(event.body, Body::Orphaned { .. }));
        record_again(world, orphaned);
    });
}

#[test]
fn a_lost_receipt_is_noticed() {
    notices(Invariant::NothingLost, Lost, |world| {
        let late = place(world, is_late);
        world.events.remove(late);
    });
    notices(Invariant::NothingLost, Lost, |world| {
        // The orphans for ever come last.
        world.events.pop();
    });
}

#[test]
fn an_invented_receipt_is_noticed() {
    notices(Invariant::NothingInvented, Wrong, |world| {
        let message = world.events[place(world, is_settled)].stream;
        world.expected.messages.remove(&schema::MessageId(message));
    });
    notices(Invariant::NothingInvented, Wrong, |world| {
        let settled = place(world, is_settled);
        if let Body::Settled { receipt, .. } = &mut world.events[settled].body {
            receipt.operator_message_id = "never sent".into();
        }
    });
    notices(Invariant::NothingInvented, Wrong, |world| {
        let key = world
            .expected
            .orphans
            .keys()
            .next()
            .cloned()
            .expect("an orphan");
        world.expected.orphans.remove(&key);
    });
}

#[test]
fn an_orphan_whose_message_was_there_in_time_is_noticed() {
    notices(Invariant::NothingInvented, Wrong, |world| {
        for message in world.expected.messages.values_mut() {
            message.row = crate::traffic::RowComes::Before;
        }
    });
}

#[test]
fn a_changed_word_or_time_is_noticed() {
    notices(Invariant::SaysWhatWasSent, Wrong, |world| {
        let settled = place(world, is_settled);
        if let Body::Settled { receipt, .. } = &mut world.events[settled].body {
            receipt.raw_stat = "OTHER".into();
        }
    });
    notices(Invariant::SaysWhatWasSent, Wrong, |world| {
        let settled = place(world, is_settled);
        if let Body::Settled { receipt, .. } = &mut world.events[settled].body {
            receipt.delivered_at = Timestamp::from_micros(1).expect("valid");
        }
    });
}

#[test]
fn a_message_of_another_time_and_one_with_too_many_receipts_are_noticed() {
    notices(Invariant::MatchedInTime, Wrong, |world| {
        let settled = world.events[place(world, is_settled)].stream;
        let message = world.expected.messages.get_mut(&schema::MessageId(settled));
        let week_ago = world::start().micros() - 8 * 24 * 3_600_000_000;
        message.expect("sent").enqueued = Timestamp::from_micros(week_ago).expect("valid");
    });
    notices(Invariant::ReceiptsBounded, Wrong, |world| {
        let settled = world.events[place(world, is_settled)].stream;
        let message = world.expected.messages.get_mut(&schema::MessageId(settled));
        message.expect("sent").segments = 0;
    });
}

#[test]
fn a_wrong_owner_or_a_tenant_in_the_log_is_noticed() {
    notices(Invariant::RightOwner, Wrong, |world| {
        let settled = place(world, is_settled);
        world.events[settled].account = None;
    });
    notices(Invariant::RightOwner, Wrong, |world| {
        let settled = place(world, is_settled);
        let tenant = world.tenants[&world.events[settled].tenant.expect("a tenant")];
        world.tenants.insert(tenant, tenant);
        world.events[settled].tenant = Some(tenant);
    });
}

#[test]
fn a_second_settlement_and_none_at_all_are_noticed() {
    notices(Invariant::SettledOnce, Doubled, |world| {
        let late = place(world, is_late);
        let receipt = world.events[late].receipt().expect("a receipt").clone();
        world.events[late].body = Body::Settled {
            receipt,
            segments: 1,
        };
    });
    notices(Invariant::SettledOnce, Lost, |world| {
        let settled = place(world, is_settled);
        let receipt = world.events[settled].receipt().expect("a receipt").clone();
        world.events[settled].body = Body::Recorded {
            receipt,
            changed_status: true,
        };
    });
}

#[test]
fn a_settlement_out_of_turn_is_noticed() {
    notices(Invariant::FirstFinalSettles, Wrong, |world| {
        let late = place(world, is_late);
        if let Body::Late { settled_as, .. } = &mut world.events[late].body {
            *settled_as = Status::Unknown;
        }
    });
    notices(Invariant::FirstFinalSettles, Wrong, |world| {
        let settled = place(world, is_settled);
        if let Body::Settled { segments, .. } = &mut world.events[settled].body {
            *segments += 1;
        }
    });
    notices(Invariant::FirstFinalSettles, Wrong, |world| {
        let first = place(world, |event| matches!(event.body, Body::Recorded { .. }));
        if let Body::Recorded { changed_status, .. } = &mut world.events[first].body {
            *changed_status = false;
        }
    });
}

#[test]
fn an_orphan_that_does_not_heal_or_heals_wrongly_is_noticed() {
    let invariant = Invariant::HealedOrphanHasEffect;
    notices(invariant, Lost, |world| {
        let matched = place(world, is_matched);
        world.events.remove(matched);
    });
    notices(invariant, Doubled, |world| {
        let matched = place(world, is_matched);
        record_again(world, matched);
    });
    notices(invariant, Wrong, |world| {
        let matched = place(world, is_matched);
        if let Body::Matched(matched) = &mut world.events[matched].body {
            matched.receipt = Some(Uuid::nil());
        }
    });
}

#[test]
fn a_projection_that_lags_or_is_missing_is_noticed() {
    notices(Invariant::CheckpointsAtHead, Wrong, |world| {
        world.checkpoints[0].1 -= 1;
    });
    notices(Invariant::CheckpointsAtHead, Lost, |world| {
        drop(world.checkpoints.pop());
    });
}
