//! Carriers use their ids again: which message a receipt means, and what an orphan stands for.

use super::fixture::{Desk, Sms, connector_receipt, desk, receipt, settled_as, sms, untouched};
use crate::fixture::{eventually, run};

/// One word of every status.
const WORDS: [&str; 6] = [
    "ACCEPTD", "DELIVRD", "UNDELIV", "EXPIRED", "FAILED", "REJECTD",
];

/// Waits until so many orphans of a message are resolved and everything has its effects.
async fn healed(desk: &Desk, sms: &Sms, orphans: usize) {
    eventually("the orphans are healed", async || {
        let there = desk.orphans(sms).await;
        (there.len() == orphans && there.iter().all(|(_, resolved)| *resolved)).then_some(())
    })
    .await;
    desk.done(0).await;
}

/// A receipt of every status comes, and all have their effects.
async fn one_of_each(desk: &Desk, sms: &Sms) {
    let mut last = 0;
    for word in WORDS {
        last = desk.send(&receipt(sms).says(word)).await;
    }
    desk.done(last).await;
}

/// The orchestrator archives a message.
async fn archived(desk: &Desk, sms: &Sms) {
    let sql = "delete from orch.sms_messages where message_id = $1";
    let gone = desk.database.execute(sql, &[&sms.id]).await.expect("may");
    assert_eq!(gone, 1);
}

#[test]
fn a_message_older_than_the_match_window_is_not_settled() {
    run(async {
        let desk = desk().await;
        let old = sms().days_ago(8);
        desk.enqueue(&old).await;
        desk.receives(&receipt(&old)).await;
        desk.receives(&connector_receipt(&old).says("EXPIRED").hinting(old.id))
            .await;
        assert_eq!(desk.effects(&old).await, untouched());
        assert_eq!(desk.orphans(&old).await.len(), 2);
        // Its id is used again: the orphans' message, late.
        let new = old.next_life().days_ago(-8);
        desk.enqueue(&new).await;
        healed(desk, &new, 2).await;
        assert_eq!(desk.effects(&old).await, untouched());
        let effects = desk.effects(&new).await;
        assert_eq!(effects.events, ["MessageSettled", "LateReceiptRecorded"]);
        assert_eq!(effects.billed, ["DELIVERED"]);
    });
}

#[test]
fn of_two_messages_in_the_window_the_younger_is_settled() {
    run(async {
        let desk = desk().await;
        let new = sms();
        let old = new.next_life().days_ago(6);
        desk.enqueue(&new).await;
        desk.enqueue(&old).await;
        desk.receives(&receipt(&new)).await;
        assert_eq!(desk.effects(&old).await, untouched());
        assert_eq!(desk.effects(&new).await, settled_as("DELIVRD", "DELIVERED"));
    });
}

#[test]
fn a_message_handed_in_after_its_receipt_arrived_is_another() {
    run(async {
        let desk = desk().await;
        let old = desk.message().await;
        let future = old.next_life().days_ago(-1);
        desk.enqueue(&future).await;
        desk.receives(&receipt(&old)).await;
        assert_eq!(desk.effects(&future).await, untouched());
        assert_eq!(desk.effects(&old).await, settled_as("DELIVRD", "DELIVERED"));
    });
}

#[test]
fn a_matched_orphan_does_not_swallow_a_later_life_of_its_id() {
    run(async {
        let desk = desk().await;
        let first = sms();
        one_of_each(desk, &first).await;
        desk.enqueue(&first).await;
        healed(desk, &first, 6).await;
        archived(desk, &first).await;
        let second = first.next_life();
        one_of_each(desk, &second).await;
        assert_eq!(desk.orphans(&second).await.len(), 12, "a fact each");
        assert_eq!(desk.unmatched(&second).await.len(), 12, "told each");
        desk.enqueue(&second).await;
        healed(desk, &second, 12).await;
        let effects = desk.effects(&second).await;
        assert_eq!(effects.events.len(), 6);
        assert_eq!(effects.billed, ["DELIVERED"]);
        assert_eq!(effects.told, ["UNKNOWN", "DELIVERED"]);
    });
}
