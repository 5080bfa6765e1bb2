//! What is made of announcements.

use bytes::Bytes;
use serde_json::json;

use super::fixture::{REASON, Tenant, stage};
use crate::fixture::{eventually, run, unique};

#[test]
fn a_tenant_is_asked_to_be_erased_once_however_often_that_is_said() {
    run(async {
        let stage = stage().await;
        let tenant = Tenant::new();
        stage.agree(tenant).await;
        let announcement = unique();
        for announcement in [announcement, announcement, unique()] {
            stage.announce(tenant, announcement).await;
        }
        stage.pending(1).await;
        let sql = "select count(*) from eventlog.event where category = 'tenant'";
        let row = stage.database().query_one(sql, &[]).await;
        assert_eq!(row.expect("reads").get::<_, i64>(0), 1);
    });
}

#[test]
fn what_is_no_announcement_is_refused_and_repeated_nowhere() {
    run(async {
        let stage = stage().await;
        let before = stage.desk.head().await;
        let id = unique();
        let mut sent = 0;
        for wrong in [
            Bytes::from_static(b""),
            Bytes::from_static(b"not json"),
            json!({ "eventId": id, "erasedAt": "2026-03-01T12:00:00Z", "reason": REASON })
                .to_string()
                .into(),
            json!({ "eventId": id, "tenantId": REASON, "erasedAt": "2026-03-01T12:00:00Z" })
                .to_string()
                .into(),
            json!({ "eventId": id, "tenantId": id, "erasedAt": REASON })
                .to_string()
                .into(),
            json!({ "eventId": id, "tenantId": id, "erasedAt": "2026-03-01T12:00:00" })
                .to_string()
                .into(),
        ] {
            stage.announce_bytes(wrong).await;
            sent += 1;
        }
        eventually("all are answered", async || {
            (stage.answered().await == sent).then_some(())
        })
        .await;
        assert_eq!(stage.desk.head().await, before, "nothing is recorded");
        let said = stage.billing.log();
        assert!(said.contains("erasure.invalid"), "{said}");
        assert!(!said.contains("Quillon"), "{said}");
        let sql = "select count(*) from eventlog.tenant";
        let row = stage.database().query_one(sql, &[]).await;
        assert_eq!(
            row.expect("reads").get::<_, i64>(0),
            0,
            "nobody was made known"
        );
    });
}
