//! Receipts that come before their message, or for none (CONTRACTS 4).

use std::time::Duration;

use tokio::time::Instant;

use super::fixture::{Desk, Effects, Sms, connector_receipt, desk, receipt, settled_as, sms, text};
use crate::fixture::{eventually, run, unique};

/// Half of the grace period of the desk.
const WELL_WITHIN_GRACE: Duration = Duration::from_secs(1);

/// Waits until the orphan of a message is resolved and everything has its effects.
async fn healed(desk: &Desk, sms: &Sms) {
    eventually("the orphan is healed", async || {
        let orphans = desk.orphans(sms).await;
        (!orphans.is_empty() && orphans.iter().all(|(_, resolved)| *resolved)).then_some(())
    })
    .await;
    desk.done(0).await;
}

#[test]
fn a_receipt_for_nobody_becomes_an_orphan_and_is_told_once() {
    run(async {
        let desk = desk().await;
        let nobody = sms();
        let first = receipt(&nobody).says("UNDELIV");
        desk.receives(&first).await;
        desk.receives(&first.clone().again()).await;
        desk.receives(&first).await;
        let orphans = desk.orphans(&nobody).await;
        assert_eq!(orphans.len(), 1, "one row");
        assert!(!orphans[0].1, "not resolved");
        let told = desk.unmatched(&nobody).await;
        assert_eq!(told.len(), 1, "told once");
        assert_eq!(text(&told[0]["orphanId"]), orphans[0].0.to_string());
        assert_eq!(text(&told[0]["stat"]), "UNDELIV");
        assert_eq!(text(&told[0]["dlrStatus"]), "UNDELIVERED");
        let counted = desk.counted("dlr_orphans_total", nobody.operator).await;
        assert_eq!(counted, 1);
        let private = told[0].to_string().contains(&nobody.to[1..]);
        assert!(!private, "a phone number on sms.dlr.unmatched");
    });
}

#[test]
fn a_healed_orphan_has_exactly_the_effects_of_a_receipt_on_time() {
    run(async {
        let desk = desk().await;
        let (late, on_time) = (sms(), desk.message().await);
        desk.receives(&receipt(&on_time)).await;
        desk.receives(&receipt(&late)).await;
        assert_eq!(desk.orphans(&late).await.len(), 1);
        desk.enqueue(&late).await;
        healed(desk, &late).await;
        let expected = desk.effects(&on_time).await;
        assert_eq!(expected, settled_as("DELIVRD", "DELIVERED"));
        assert_eq!(desk.effects(&late).await, expected);
        assert_eq!(
            desk.unmatched(&late).await.len(),
            1,
            "told before, and once"
        );
        // The receipt again is a duplicate now, not another orphan.
        desk.receives(&receipt(&late)).await;
        assert_eq!(desk.effects(&late).await, expected);
        assert_eq!(desk.orphans(&late).await.len(), 1);
    });
}

#[test]
fn several_orphans_of_one_message_heal_and_settle_it_once() {
    run(async {
        let desk = desk().await;
        let late = sms();
        desk.receives(&receipt(&late).says("ACCEPTD")).await;
        desk.receives(&receipt(&late).says("EXPIRED")).await;
        desk.receives(&receipt(&late)).await;
        assert_eq!(desk.orphans(&late).await.len(), 3);
        assert_eq!(desk.unmatched(&late).await.len(), 3);
        desk.enqueue(&late).await;
        healed(desk, &late).await;
        let expected = Effects {
            events: vec![
                "ReceiptRecorded".into(),
                "MessageSettled".into(),
                "LateReceiptRecorded".into(),
            ],
            rows: vec![
                ("ACCEPTD".into(), "UNKNOWN".into()),
                ("EXPIRED".into(), "EXPIRED".into()),
                ("DELIVRD".into(), "DELIVERED".into()),
            ],
            told: vec!["UNKNOWN".into(), "EXPIRED".into()],
            ..settled_as("EXPIRED", "EXPIRED")
        };
        assert_eq!(desk.effects(&late).await, expected);
    });
}

#[test]
fn an_orphan_with_a_hint_heals_when_the_hinted_message_appears() {
    run(async {
        let desk = desk().await;
        let message = sms();
        let mut part = message.clone();
        part.operator_message = format!("{}.part", message.operator_message);
        desk.receives(&connector_receipt(&part).hinting(message.id))
            .await;
        assert_eq!(desk.orphans(&part).await.len(), 1);
        desk.enqueue(&message).await;
        healed(desk, &part).await;
        let expected = settled_as("DELIVERED", "DELIVERED");
        assert_eq!(desk.effects(&message).await, expected);
    });
}

#[test]
fn a_hint_at_nobody_does_not_keep_an_orphan_from_being_one() {
    run(async {
        let desk = desk().await;
        let nobody = sms();
        desk.receives(&connector_receipt(&nobody).hinting(unique()))
            .await;
        assert_eq!(desk.orphans(&nobody).await.len(), 1);
        assert_eq!(desk.unmatched(&nobody).await.len(), 1);
    });
}

/// Sends a receipt, lets the service look for its message in vain, then writes the message down.
/// `None` if all that took so long that the grace period may have passed.
async fn early(desk: &Desk) -> Option<Sms> {
    let (sms, began) = (sms(), Instant::now());
    let place = desk.send(&receipt(&sms)).await;
    eventually("the service has looked", async || {
        let looked = desk
            .counted("dlr_messages_received_total", sms.operator)
            .await;
        (looked >= 1).then_some(())
    })
    .await;
    desk.enqueue(&sms).await;
    let in_time = began.elapsed() < WELL_WITHIN_GRACE;
    desk.done(place).await;
    in_time.then_some(sms)
}

#[test]
fn a_receipt_ahead_of_its_message_within_the_grace_period_is_no_orphan() {
    run(async {
        let desk = desk().await;
        // On a machine that is too slow for it, it is tried again.
        let sms = eventually("early, and in time", async || early(desk).await).await;
        assert_eq!(desk.effects(&sms).await, settled_as("DELIVRD", "DELIVERED"));
        assert!(desk.orphans(&sms).await.is_empty());
        assert!(desk.unmatched(&sms).await.is_empty());
    });
}
