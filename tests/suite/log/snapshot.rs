//! A long snapshot (a dump, a forgotten transaction) keeps whatever was there when it began. It must
//! make neither appends nor looks at the log dearer, however much happens meanwhile.

use tests::stack::PgVersion;
use tokio_postgres::Client;

use crate::fixture::{base_in, dense, postgres, run};

/// What is done all the time: an append, and looks at how far the log and a projection are.
const OFTEN: [&str; 5] = [
    include_str!("snapshot_append.sql"),
    "select position from eventlog.head where log_id = 1",
    "select position from eventlog.checkpoint where log_id = 1 and projection = 'sms_messages'",
    "select projection, position from eventlog.checkpoint where log_id = 1",
    "select eventlog.take_checkpoint(1::smallint, 'sms_messages')",
];

/// How many pages each of [`OFTEN`] touches.
async fn pages(client: &Client) -> [i64; OFTEN.len()] {
    let mut touched = [0; OFTEN.len()];
    for (pages, statement) in touched.iter_mut().zip(OFTEN) {
        let sql = format!("explain (analyze, buffers, format json) {statement}");
        let row = client.query_one(&sql, &[]).await.expect("explained");
        let plan: serde_json::Value = row.get(0);
        let of = |key: &str| plan[0]["Plan"][key].as_i64().expect("a number");
        *pages = of("Shared Hit Blocks") + of("Shared Read Blocks");
    }
    touched
}

async fn holds_on(version: PgVersion) {
    let base = base_in(postgres(version).await).await;
    let (admin, dlr) = (base.admin().await, base.client("dlr_svc").await);
    let busy = |steps: i32| include_str!("snapshot_busy.sql").replace("$steps", &steps.to_string());
    // Durability is not what is looked at.
    dlr.batch_execute("set synchronous_commit = off")
        .await
        .expect("it may");
    dlr.batch_execute(&busy(200)).await.expect("done");
    pages(&dlr).await;
    let before = pages(&dlr).await;

    let dump = base.client("auditor").await;
    dump.batch_execute("begin isolation level repeatable read; select from eventlog.event")
        .await
        .expect("sees what is there now");
    dlr.batch_execute(&busy(3_000)).await.expect("done");
    // Statistics that changed meanwhile make the first look plan anew, which is looked at neither.
    pages(&dlr).await;
    let after = pages(&dlr).await;
    for ((statement, before), after) in OFTEN.iter().zip(before).zip(after) {
        assert!(before > 0, "{statement}: nothing was counted");
        // Where one page of an index was looked at it may be two: a tree grows by a level. A heap of
        // dead versions is many times that.
        assert!(
            after <= 2 * before,
            "{version:?}: {before} pages, then {after}: {statement}"
        );
    }
    dump.batch_execute("rollback").await.expect("ends");
    assert!(dense(&admin).await > 3_200);
}

#[test]
fn l2_a_long_snapshot_makes_neither_appends_nor_looks_dearer_on_postgres_18() {
    run(holds_on(PgVersion::V18));
}

#[test]
fn l2_a_long_snapshot_makes_neither_appends_nor_looks_dearer_on_postgres_15() {
    if PgVersion::V15.available() {
        run(holds_on(PgVersion::V15));
    } else {
        eprintln!("skipped: apt-get install postgresql-15 lets this run");
    }
}
