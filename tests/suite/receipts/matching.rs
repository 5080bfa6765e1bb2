//! How a receipt and its message are recognised, and when it counts as happened (CONTRACTS 3, 4).

use schema::Timestamp;
use serde_json::json;

use super::fixture::{Desk, Sms, desk, receipt, settled_as, sms};
use crate::fixture::run;

/// The orchestrator writes a message's operator in another way.
async fn spelled(desk: &Desk, sms: &Sms, operator: &str) {
    let sql = "update orch.sms_messages set operator_id = $2 where message_id = $1";
    let rows = desk.database.execute(sql, &[&sms.id, &operator]).await;
    assert_eq!(rows.expect("may"), 1);
}

#[test]
fn an_operators_id_is_an_id_however_it_is_spelled() {
    run(async {
        let desk = desk().await;
        let (mut all, mut last) = (Vec::new(), 0);
        for spelling in 0..8 {
            let sms = desk.message().await;
            let mut text = match spelling % 2 {
                0 => sms.operator.hyphenated().to_string(),
                _ => sms.operator.simple().to_string(),
            };
            if spelling % 4 > 1 {
                text = text.to_uppercase();
            }
            if spelling > 3 {
                text = format!("{{{text}}}");
            }
            spelled(desk, &sms, &text).await;
            last = desk.send(&receipt(&sms)).await;
            all.push((text, sms));
        }
        desk.done(last).await;
        for (text, sms) in all {
            assert_eq!(
                desk.effects(&sms).await,
                settled_as("DELIVRD", "DELIVERED"),
                "{text}"
            );
        }
    });
}

#[test]
fn a_message_of_sixteen_segments_is_settled_shown_and_announced() {
    run(async {
        let desk = desk().await;
        let mut long = sms();
        long.segments = 16;
        desk.enqueue(&long).await;
        desk.receives(&receipt(&long)).await;
        assert_eq!(
            desk.effects(&long).await,
            settled_as("DELIVRD", "DELIVERED")
        );
        assert!(desk.unmatched(&long).await.is_empty());
    });
}

/// When a message's receipt counts as happened: in the log, in the table, on both subjects.
async fn happened(desk: &Desk, sms: &Sms) -> Timestamp {
    let sql = "select e.occurred_at, (e.payload #>> '{receipt,deliveredAt}')::timestamptz,
            r.delivered_at
        from eventlog.event e join dlr.delivery_receipts r using (log_id, position)
        where e.stream_id = $1 and e.category = 'message'";
    let row = desk.database.query_one(sql, &[&sms.id]).await.expect("one");
    let at: Timestamp = Timestamp::from_datetime(row.get(0));
    for column in [1, 2] {
        assert_eq!(Timestamp::from_datetime(row.get(column)), at);
    }
    for stream in ["BILLING_EVENTS", "WEBHOOK_DISPATCH"] {
        let told = crate::fixture::published(&desk.observer, stream).await;
        let mut about = told
            .iter()
            .filter(|told| told.body["messageId"] == sms.id.to_string());
        let told = about.next().expect("published");
        assert_eq!(told.body["occurredAt"], at.to_string(), "{stream}");
    }
    at
}

#[test]
fn nothing_published_happened_before_its_message_was_handed_in_or_after_its_receipt_arrived() {
    run(async {
        let desk = desk().await;
        let sms = desk.message().await;
        let before = sms.enqueued.micros() - 3_600_000_000;
        let early = Timestamp::from_micros(before).expect("valid").to_string();
        desk.receives(&receipt(&sms).with("deliveredAt", json!(early)))
            .await;
        assert_eq!(happened(desk, &sms).await, sms.enqueued);
        let orphan = super::fixture::sms();
        let ahead = Timestamp::from_micros(before + 10 * 3_600_000_000).expect("valid");
        let late = receipt(&orphan).with("deliveredAt", json!(ahead.to_string()));
        desk.receives(&late).await;
        desk.enqueue(&orphan).await;
        crate::fixture::eventually("the orphan is healed", async || {
            let orphans = desk.orphans(&orphan).await;
            orphans.iter().all(|(_, resolved)| *resolved).then_some(())
        })
        .await;
        desk.done(0).await;
        let sql = "select (payload #>> '{receipt,receivedAt}')::timestamptz,
                (payload #>> '{receipt,statedDeliveredAt}')::timestamptz
            from eventlog.event where stream_id = $1 and category = 'message'";
        let row = desk.database.query_one(sql, &[&orphan.id]).await;
        let row = row.expect("one");
        let arrived = Timestamp::from_datetime(row.get(0));
        assert_eq!(happened(desk, &orphan).await, arrived);
        assert_eq!(
            Timestamp::from_datetime(row.get(1)),
            ahead,
            "what was said is kept"
        );
    });
}
