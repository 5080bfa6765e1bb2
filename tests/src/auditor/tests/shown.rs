//! What is shown and published is compared with the log: each difference is noticed.

use schema::EventId;
use uuid::Uuid;

use super::{
    super::{
        Fault::{Doubled, Lost, Wrong},
        Invariant,
        facts::{Body, LogEvent},
        private::{shows_private, shows_private_sql},
        published_checks::Message,
    },
    is_late, notices, place,
};
use crate::orchestrator::SENT;

fn edit(message: &mut Message, from: &str, to: &str) {
    let text = String::from_utf8(message.payload.clone()).expect("json");
    assert!(text.contains(from), "{from} in {text}");
    message.payload = text.replacen(from, to, 1).into_bytes();
}

#[test]
fn a_wrong_table_of_receipts_is_noticed() {
    let invariant = Invariant::ReceiptRowsMatchLog;
    notices(invariant, Lost, |world| drop(world.receipts.pop()));
    notices(invariant, Doubled, |world| {
        world.receipts.push(world.receipts[0].clone());
    });
    notices(invariant, Wrong, |world| {
        world.receipts[0].raw_stat.push('x');
    });
    notices(invariant, Wrong, |world| {
        world.receipts[0].position = 1_000_000;
    });
}

#[test]
fn wrong_tables_of_orphans_are_noticed() {
    let invariant = Invariant::OrphanRowsMatchLog;
    notices(invariant, Lost, |world| world.orphans.truncate(1));
    notices(invariant, Lost, |world| world.resolutions.truncate(1));
    notices(invariant, Doubled, |world| {
        world.resolutions.push(world.resolutions[0].clone());
    });
    notices(invariant, Wrong, |world| {
        world.orphans[0].orphan_id = Uuid::nil();
    });
    notices(invariant, Wrong, |world| {
        world.resolutions[0].message_id = Uuid::nil();
    });
}

#[test]
fn a_wrong_status_is_noticed() {
    notices(Invariant::StatusMatchesLog, Wrong, |world| {
        world.statuses[0].status = "X".into();
    });
    notices(Invariant::StatusMatchesLog, Wrong, |world| {
        drop(world.statuses.pop());
    });
    notices(Invariant::StatusMatchesLog, Lost, |world| {
        let settled = world
            .statuses
            .iter_mut()
            .find(|row| row.processed)
            .expect("one");
        settled.status = SENT.into();
        (settled.dlr_status, settled.received, settled.processed) = (None, false, false);
    });
}

#[test]
fn a_status_that_went_back_is_noticed() {
    notices(Invariant::StatusNeverBack, Wrong, |world| {
        let settled = world
            .statuses
            .iter_mut()
            .find(|row| row.processed)
            .expect("one");
        settled.dlr_status = Some("UNKNOWN".into());
    });
    notices(Invariant::StatusNeverBack, Wrong, |world| {
        let contradicts = |event: &LogEvent| match &event.body {
            Body::Late {
                receipt,
                settled_as,
            } => receipt.dlr_status.is_final() && receipt.dlr_status != *settled_as,
            _ => false,
        };
        let late = &world.events[place(world, contradicts)];
        let (message, status) = (late.stream, late.receipt().expect("a receipt").dlr_status);
        let mut rows = world.statuses.iter_mut();
        let row = rows.find(|row| row.message_id == message).expect("its row");
        row.dlr_status = Some(status.as_str().into());
    });
    notices(Invariant::StatusNeverBack, Wrong, |world| {
        world.went_back.push(Uuid::nil());
    });
}

#[test]
fn wrong_billing_is_noticed() {
    let invariant = Invariant::BilledOnce;
    notices(invariant, Lost, |world| drop(world.published[0].pop()));
    notices(invariant, Doubled, |world| {
        world.published[0].push(world.published[0][0].clone());
    });
    notices(invariant, Wrong, |world| {
        edit(&mut world.published[0][0], "DLR_TERMINAL", "DLR");
    });
    notices(invariant, Wrong, |world| {
        edit(&mut world.published[0][0], "\"MT\"", "\"MO\"");
    });
    notices(invariant, Wrong, |world| {
        edit(&mut world.published[0][0], "eventId", "id");
    });
}

#[test]
fn wrong_webhooks_are_noticed() {
    let invariant = Invariant::WebhookPerStatusChange;
    notices(invariant, Lost, |world| drop(world.published[1].pop()));
    notices(invariant, Doubled, |world| {
        world.published[1].push(world.published[1][0].clone());
    });
    notices(invariant, Wrong, |world| {
        edit(&mut world.published[1][0], "+999", "+998");
    });
    notices(invariant, Wrong, |world| {
        let of_a_late_one = world.events[place(world, is_late)].event_id;
        let id = EventId(of_a_late_one).announced_on("webhook.dispatch");
        world.published[1].push(Message {
            payload: serde_json::json!({ "eventId": id })
                .to_string()
                .into_bytes(),
            ..world.published[1][0].clone()
        });
    });
}

#[test]
fn wrong_announcements_of_orphans_are_noticed() {
    let invariant = Invariant::UnmatchedOnce;
    notices(invariant, Lost, |world| drop(world.published[2].pop()));
    notices(invariant, Doubled, |world| {
        world.published[2].push(world.published[2][0].clone());
    });
    notices(invariant, Wrong, |world| {
        edit(&mut world.published[2][0], "\"stat\":\"", "\"stat\":\"x");
    });
}

#[test]
fn missing_headers_are_noticed() {
    notices(Invariant::PublishedWithHeaders, Wrong, |world| {
        world.published[0][0].id = None;
    });
    notices(Invariant::PublishedWithHeaders, Wrong, |world| {
        world.published[1][0].tenant = None;
    });
}

#[test]
fn personal_data_in_the_clear_is_noticed() {
    notices(Invariant::NoPersonalDataInClear, Wrong, |world| {
        world.leaks[0].rows = 1;
    });
    notices(Invariant::NoPersonalDataInClear, Wrong, |world| {
        edit(
            &mut world.published[2][0],
            "{",
            "{\"to\":\"+99912345678901\",",
        );
    });
    assert!(shows_private("x99912345678901") && shows_private("a tb-private-7"));
    assert!(!shows_private("9991234567890") && !shows_private("2026-03-01T12:00:00.999123Z"));
    assert!(
        !shows_private("00-3f99912345678901aa-01"),
        "digits of a trace id"
    );
    assert!(shows_private_sql("c").contains("999[0-9]{11}"));
}
