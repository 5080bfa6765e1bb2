//! L7: what cannot be read stops the reader, naming table, column and position.

use eventstore::{EventStore, StoreError, contract::samples, log::chain};
use tokio_postgres::Client;

use crate::support::{append, base, run};

/// An event at the end of the log that no writer of ours would leave.
pub(crate) async fn plant(admin: &Client, name: &str, version: i16, payload: &str) -> i64 {
    let sql = include_str!("plant.sql");
    let row = admin.query_one(sql, &[&name, &version, &payload]).await;
    row.expect("a superuser may").get(0)
}

#[test]
fn l7_an_event_that_cannot_be_read_stops_the_reader_at_its_table_column_and_position() {
    run(async {
        let sound = samples::new_event(1, 1).event.payload();
        let broken = sound.replace("\"segmentCount\":1", "\"segmentCount\":\"one\"");
        assert_ne!(sound, broken);
        for (name, version, payload, told) in [
            (
                "NeverHeardOf",
                1,
                sound.as_str(),
                "no reader for event type NeverHeardOf version 1",
            ),
            (
                "MessageSettled",
                99,
                &sound,
                "no reader for event type MessageSettled version 99",
            ),
            ("MessageSettled", 1, &broken, "has another shape"),
        ] {
            let base = base().await;
            let log = base.log("dlr_svc");
            append(&log, samples::append(samples::fresh(), 0, 2)).await;
            assert_eq!(plant(&base.admin().await, name, version, payload).await, 3);
            append(&log, samples::append(samples::fresh(), 0, 1)).await;

            let before = log
                .read_after(0, 2)
                .await
                .expect("what is before it is read");
            assert_eq!((before.events.len(), before.through), (2, 2));
            let error = log.read_after(2, 10).await.expect_err("not skipped");
            let here = matches!(
                error,
                StoreError::Unreadable {
                    column: "payload",
                    position: 3,
                    ..
                }
            );
            assert!(here, "{error:?}");
            let text = chain(&error);
            for part in ["eventlog.event", "column payload", "position 3", told] {
                assert!(text.contains(part), "{part} is not in: {text}");
            }
            assert!(!text.contains("op-1-1"), "content in an error: {text}");
            let all = log.read_after(0, 10).await.expect("up to it");
            assert_eq!((all.events.len(), all.through), (2, 2), "never past it");
        }
    });
}
