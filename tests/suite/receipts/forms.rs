//! Both producers' forms, and texts that look dangerous and are only texts.

use schema::Timestamp;
use serde_json::json;

use super::fixture::{Receipt, connector_receipt, desk, receipt, settled_as, sms};
use crate::fixture::run;

#[test]
fn both_forms_are_accepted_and_have_the_same_effects() {
    run(async {
        let desk = desk().await;
        let (one, other) = (desk.message().await, desk.message().await);
        desk.receives(&receipt(&one)).await;
        desk.receives(&connector_receipt(&other)).await;
        let expected = settled_as("DELIVRD", "DELIVERED");
        assert_eq!(desk.effects(&one).await, expected);
        let expected = settled_as("DELIVERED", "DELIVERED");
        assert_eq!(desk.effects(&other).await, expected);
    });
}

#[test]
fn the_receipt_forms_word_counts_before_the_connectors() {
    run(async {
        let desk = desk().await;
        let sms = desk.message().await;
        let both = receipt(&sms)
            .says("EXPIRED")
            .with("status", json!("DELIVERED"));
        desk.receives(&both).await;
        assert_eq!(desk.effects(&sms).await, settled_as("EXPIRED", "EXPIRED"));
    });
}

#[test]
fn with_both_words_a_hint_nobody_looks_at_spoils_nothing() {
    run(async {
        let desk = desk().await;
        let sms = desk.message().await;
        let both = receipt(&sms)
            .with("status", json!({"$ne": null}))
            .with("messageId", json!("nobody"))
            .with("occurredAt", json!("yesterday"))
            .with("smppErrorCode", json!(vec!["7"; 99]));
        desk.receives(&both).await;
        assert_eq!(desk.effects(&sms).await, settled_as("DELIVRD", "DELIVERED"));
    });
}

#[test]
fn unknown_fields_and_foreign_schema_versions_are_no_obstacle() {
    run(async {
        let desk = desk().await;
        let sms = desk.message().await;
        let odd = receipt(&sms)
            .with("schemaVersion", json!(["7", {"of": 9}]))
            .with("x-carrier", json!({"deep": [[[[[[[[[[1]]]]]]]]]]}))
            .with("sourceAddr", json!(null));
        desk.receives(&odd).await;
        let foreign = desk
            .service
            .metric("dlr_foreign_schema_version_total")
            .await;
        assert!(foreign >= Some(1), "{foreign:?}");
        assert_eq!(desk.effects(&sms).await, settled_as("DELIVRD", "DELIVERED"));
    });
}

#[test]
fn sql_in_an_operators_id_is_data() {
    run(async {
        let desk = desk().await;
        for text in [
            "'; DROP TABLE orch.sms_messages; --",
            "$1 || (select 1/0) || '",
            "\\'; truncate dlr.delivery_receipts; --",
            "{\"level\":\"ERROR\",\"event\":\"forged\"}",
            "%s%n%x ${jndi:ldap://x} <script>",
        ] {
            let mut sms = sms();
            sms.operator_message = text.to_owned();
            desk.enqueue(&sms).await;
            desk.receives(&receipt(&sms)).await;
            assert_eq!(
                desk.effects(&sms).await,
                settled_as("DELIVRD", "DELIVERED"),
                "{text}"
            );
            let sql = "select operator_message_id::text from dlr.delivery_receipts
                where message_id = $1";
            let row = desk
                .database
                .query_one(sql, &[&sms.id])
                .await
                .expect("a row");
            assert_eq!(row.get::<_, &str>(0), text);
        }
        let forged = desk.service.log().contains("\"event\":\"forged\"");
        assert!(!forged, "a line of the log was forged");
    });
}

#[test]
fn an_error_code_that_is_none_is_left_out_and_counted_and_private_data_is_sealed() {
    run(async {
        let desk = desk().await;
        let sms = desk.message().await;
        let odd: Receipt = receipt(&sms)
            .with("errorCode", json!("+4915112345678\u{0}"))
            .with("sourceAddr", json!("\u{0}\r\nevil"))
            .with("rawPayload", json!({"t\u{0}": "\u{0}\u{202e}", "n": 1e308}));
        let left_out = async || desk.service.metric("dlr_error_codes_left_out_total").await;
        let before = left_out().await.unwrap_or_default();
        desk.receives(&odd).await;
        assert_eq!(desk.effects(&sms).await, settled_as("DELIVRD", "DELIVERED"));
        assert!(left_out().await.unwrap_or_default() > before);
        let sql = "select error_code, source_addr, dest_addr from dlr.delivery_receipts
            where message_id = $1";
        let row = desk
            .database
            .query_one(sql, &[&sms.id])
            .await
            .expect("a row");
        assert_eq!(row.get::<_, Option<&str>>(0), None);
        for sealed in [1, 2] {
            let text: &str = row.get(sealed);
            assert!(!text.contains("evil") && !text.contains(&sms.to), "{text}");
        }
    });
}

#[test]
fn what_is_just_within_the_limits_is_accepted() {
    run(async {
        let desk = desk().await;
        let mut sms = sms();
        sms.operator_message = format!("{:0>64}", sms.id.simple());
        desk.enqueue(&sms).await;
        let nested = json!({"1": {"2": {"3": {"4": {"5": {"6": {"7": {"8": 1}}}}}}}});
        let large = receipt(&sms)
            .says("deLivrd")
            .with("errorCode", json!("e".repeat(32)))
            .with("sourceAddr", json!("9".repeat(32)))
            .with("rawPayload", nested);
        let mut text = large.text();
        text.push_str(&" ".repeat(64 * 1024 - text.len()));
        assert_eq!(text.len(), 64 * 1024);
        let place = desk.send_bytes(text.into()).await;
        desk.done(place).await;
        assert_eq!(desk.effects(&sms).await, settled_as("deLivrd", "DELIVERED"));
    });
}

#[test]
fn an_implausible_time_is_replaced_kept_and_counted() {
    run(async {
        let desk = desk().await;
        for stated in ["1999-12-31T23:59:59Z", "2999-01-01T00:00:00+02:00"] {
            let counted = || desk.service.metric("dlr_implausible_time_total");
            let before = counted().await.unwrap_or_default();
            let sms = desk.message().await;
            desk.receives(&receipt(&sms).with("deliveredAt", json!(stated)))
                .await;
            assert_eq!(desk.effects(&sms).await, settled_as("DELIVRD", "DELIVERED"));
            let sql = "select payload #>> '{receipt,statedDeliveredAt}',
                    (payload #>> '{receipt,deliveredAt}')::timestamptz,
                    (payload #>> '{receipt,receivedAt}')::timestamptz
                from eventlog.event where stream_id = $1 and category = 'message'";
            let row = desk
                .database
                .query_one(sql, &[&sms.id])
                .await
                .expect("one event");
            let kept: Option<&str> = row.get(0);
            assert!(
                kept.is_some_and(|kept| kept.starts_with(&stated[..3])),
                "{kept:?}"
            );
            let at = |column| Timestamp::from_datetime(row.get(column));
            let counts = if stated.starts_with('1') {
                sms.enqueued
            } else {
                at(2)
            };
            assert_eq!(at(1), counts, "the message's begin, or the arrival");
            assert!(counted().await.unwrap_or_default() > before);
        }
    });
}
