//! L7: what cannot be read is told, with table, column and position; it is never left out.

use eventstore::{EventStore, StoreError, contract::samples, log::chain};
use schema::Position;
use tokio_postgres::Client;

use crate::fixture::{append, base, run};

/// An event at the end of the log that no writer of ours would leave.
pub(crate) async fn plant(admin: &Client, name: &str, version: i16, payload: &str) -> i64 {
    let sql = include_str!("plant.sql");
    let row = admin.query_one(sql, &[&name, &version, &payload]).await;
    row.expect("a superuser may").get(0)
}

#[test]
fn l7_an_event_that_cannot_be_read_is_told_with_its_table_column_and_position() {
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

            let all = log
                .read_after(Position::BEGINNING, 10)
                .await
                .expect("reads");
            let readable: Vec<_> = all.events.iter().map(Result::is_ok).collect();
            assert_eq!(readable, [true, true, false, true], "it is not left out");
            assert_eq!(all.through, Position(4));
            let error = all.whole().expect_err("not skipped");
            let StoreError::Unreadable(row) = &error else {
                panic!("{error:?}");
            };
            assert_eq!((row.column, row.position), ("payload", Position(3)));
            assert_eq!((&*row.category, &*row.event_type), ("message", name));
            let text = chain(&error);
            for part in ["eventlog.event", "column payload", "position 3", told] {
                assert!(text.contains(part), "{part} is not in: {text}");
            }
            assert!(!text.contains("op-1-1"), "content in an error: {text}");
        }
    });
}
