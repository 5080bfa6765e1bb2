//! The status rules (CONTRACTS 4): the first final receipt settles, once, for ever.

use futures::future::join_all;

use super::fixture::{Effects, connector_receipt, desk, receipt, settled_as, untouched};
use crate::fixture::{run, unique};

fn row(word: &str, status: &str) -> (String, String) {
    (word.into(), status.into())
}

#[test]
fn every_word_has_its_status_in_any_case() {
    run(async {
        let desk = desk().await;
        let words = [
            ("DELIVRD", "DELIVERED"),
            ("delivered", "DELIVERED"),
            ("UNDELIV", "UNDELIVERED"),
            ("Undeliverable", "UNDELIVERED"),
            ("UNDELIVERED", "UNDELIVERED"),
            ("EXPIRED", "EXPIRED"),
            ("DELETED", "FAILED"),
            ("failed", "FAILED"),
            ("SKIPPED", "FAILED"),
            ("REJECTD", "REJECTED"),
            ("rejected", "REJECTED"),
        ];
        let mut messages = Vec::new();
        let mut last = 0;
        for (word, _) in words {
            let sms = desk.message().await;
            last = desk.send(&connector_receipt(&sms).says(word)).await;
            messages.push(sms);
        }
        desk.done(last).await;
        for ((word, status), sms) in words.into_iter().zip(&messages) {
            assert_eq!(desk.effects(sms).await, settled_as(word, status), "{word}");
        }
    });
}

#[test]
fn an_intermediate_or_unheard_of_word_is_unknown_told_once_and_not_billed() {
    run(async {
        let desk = desk().await;
        for word in [
            "ACCEPTD",
            "enroute",
            "SCHEDULED",
            "UNKNOWN",
            "NEVER_HEARD-1",
        ] {
            let sms = desk.message().await;
            desk.receives(&receipt(&sms).says(word)).await;
            let expected = Effects {
                events: vec!["ReceiptRecorded".into()],
                rows: vec![row(word, "UNKNOWN")],
                shown: ("SENT".into(), Some("UNKNOWN".into()), false),
                billed: vec![],
                told: vec!["UNKNOWN".into()],
            };
            assert_eq!(desk.effects(&sms).await, expected);
        }
    });
}

#[test]
fn an_intermediate_receipt_never_blocks_the_final_one() {
    run(async {
        let desk = desk().await;
        let sms = desk.message().await;
        desk.receives(&receipt(&sms).says("ACCEPTD")).await;
        desk.receives(&receipt(&sms).says("ENROUTE")).await;
        desk.receives(&receipt(&sms)).await;
        let expected = Effects {
            events: vec!["ReceiptRecorded".into(), "MessageSettled".into()],
            rows: vec![row("ACCEPTD", "UNKNOWN"), row("DELIVRD", "DELIVERED")],
            told: vec!["UNKNOWN".into(), "DELIVERED".into()],
            ..settled_as("DELIVRD", "DELIVERED")
        };
        assert_eq!(desk.effects(&sms).await, expected);
    });
}

#[test]
fn a_receipt_told_again_in_either_form_adds_nothing() {
    run(async {
        let desk = desk().await;
        let sms = desk.message().await;
        let first = receipt(&sms);
        desk.receives(&first).await;
        desk.receives(&first).await;
        desk.receives(&first.clone().again()).await;
        desk.receives(&connector_receipt(&sms)).await;
        assert_eq!(desk.effects(&sms).await, settled_as("DELIVRD", "DELIVERED"));
        let duplicates = desk.counted("dlr_duplicates_total", sms.operator).await;
        assert!(duplicates >= 3, "{duplicates} duplicates counted");
    });
}

#[test]
fn a_wrong_final_never_overwrites_the_first_and_is_kept_as_late() {
    run(async {
        let desk = desk().await;
        for late in ["DELIVRD", "UNDELIV", "REJECTD", "FAILED"] {
            let sms = desk.message().await;
            desk.receives(&receipt(&sms).says("EXPIRED")).await;
            assert_eq!(desk.effects(&sms).await, settled_as("EXPIRED", "EXPIRED"));
            desk.receives(&receipt(&sms).says(late)).await;
            let after = desk.effects(&sms).await;
            assert_eq!(after.events, ["MessageSettled", "LateReceiptRecorded"]);
            assert_eq!(after.rows.len(), 2);
            assert_eq!(
                (after.rows[0].1.as_str(), after.rows[1].0.as_str()),
                ("EXPIRED", late)
            );
            let first = settled_as("EXPIRED", "EXPIRED");
            assert_eq!(after.shown, first.shown);
            assert_eq!((after.billed, after.told), (first.billed, first.told));
        }
    });
}

#[test]
fn an_intermediate_receipt_after_the_settlement_changes_nothing() {
    run(async {
        let desk = desk().await;
        let sms = desk.message().await;
        desk.receives(&receipt(&sms)).await;
        desk.receives(&receipt(&sms).says("ENROUTE")).await;
        let after = desk.effects(&sms).await;
        let first = settled_as("DELIVRD", "DELIVERED");
        assert_eq!(after.events, ["MessageSettled", "LateReceiptRecorded"]);
        assert_eq!(after.shown, first.shown);
        assert_eq!((after.billed, after.told), (first.billed, first.told));
    });
}

#[test]
fn several_parts_settle_charge_and_tell_once() {
    run(async {
        let desk = desk().await;
        let sms = desk.message().await;
        desk.receives(&receipt(&sms)).await;
        for part in 1..=3 {
            let name = format!("{}.{part}", sms.operator_message);
            let word = if part == 3 { "FAILED" } else { "DELIVERED" };
            let receipt = connector_receipt(&sms).of_part(&name).says(word);
            desk.receives(&receipt.hinting(sms.id)).await;
        }
        let after = desk.effects(&sms).await;
        let late = "LateReceiptRecorded";
        assert_eq!(after.events, ["MessageSettled", late, late, late]);
        assert_eq!(after.rows.len(), 4, "every part's receipt is kept");
        assert_eq!(after.shown, settled_as("", "DELIVERED").shown);
        assert_eq!((after.billed.len(), after.told.len()), (1, 1));
    });
}

#[test]
fn ids_that_repeat_between_operators_are_told_apart() {
    run(async {
        let desk = desk().await;
        let one = desk.message().await;
        let mut other = super::fixture::sms();
        other.operator_message.clone_from(&one.operator_message);
        desk.enqueue(&other).await;
        desk.receives(&receipt(&one).says("REJECTD")).await;
        assert_eq!(desk.effects(&other).await, untouched());
        desk.receives(&receipt(&other)).await;
        assert_eq!(desk.effects(&one).await, settled_as("REJECTD", "REJECTED"));
        assert_eq!(
            desk.effects(&other).await,
            settled_as("DELIVRD", "DELIVERED")
        );
    });
}

#[test]
fn a_hint_at_a_message_that_never_was_is_not_believed() {
    run(async {
        let desk = desk().await;
        let sms = desk.message().await;
        desk.receives(&connector_receipt(&sms).hinting(unique()))
            .await;
        let expected = settled_as("DELIVERED", "DELIVERED");
        assert_eq!(desk.effects(&sms).await, expected);
    });
}

#[test]
fn a_flood_of_one_receipt_grows_the_log_by_one() {
    run(async {
        const FLOOD: usize = 2_000;
        let desk = desk().await;
        let sms = desk.message().await;
        let receipt = receipt(&sms);
        let places = join_all((0..FLOOD).map(|_| desk.send(&receipt))).await;
        let last = places.into_iter().max().expect("many");
        desk.done(last).await;
        assert_eq!(desk.effects(&sms).await, settled_as("DELIVRD", "DELIVERED"));
        let duplicates = desk.counted("dlr_duplicates_total", sms.operator).await;
        let all = i64::try_from(FLOOD).expect("few") - 1;
        assert!(duplicates >= all, "{duplicates} duplicates counted");
    });
}
