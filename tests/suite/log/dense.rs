//! L2: positions are dense and in commit order, whatever writers do: sleep, give up, or die.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use eventstore::{EventStore, Outcome, StoreError, contract::samples, postgres::PgStore};
use schema::Position;
use tokio::{task::JoinSet, time::sleep};
use tokio_postgres::{Client, IsolationLevel, error::SqlState};

use crate::fixture::{Base, append, append_by_hand, base, dense, eventually, position_of, run};

/// Appends waiting for the log's head, as Postgres sees them.
async fn waiting(admin: &Client) -> i64 {
    let sql = "select count(*) from pg_stat_activity
        where wait_event_type = 'Lock' and query like '%eventlog.append(%'
            and datname = current_database()";
    admin.query_one(sql, &[]).await.expect("reads").get(0)
}

/// Three appends through pools of their own, under way.
fn three_writers(base: Base) -> JoinSet<i64> {
    let mut writers = JoinSet::new();
    for _ in 0..3 {
        let log = base.log("dlr_svc");
        writers.spawn(async move {
            position_of(&append(&log, samples::append(samples::fresh(), 0, 2)).await)
        });
    }
    writers
}

async fn reads_nothing_after(log: &PgStore, position: i64) {
    let stretch = log
        .read_after(Position(position), 100)
        .await
        .expect("reads");
    assert_eq!((stretch.events.len(), stretch.through.0), (0, position));
    assert_eq!(log.head().await.expect("reads").0, position);
}

/// What becomes of the writer that sleeps.
enum Ends {
    Commits,
    GivesUp,
    IsKilled,
}

/// A writer appends two events and sleeps before its commit, while three others append.
async fn a_writer_sleeps_before_its_commit_and(ends: Ends) {
    let base = base().await;
    let (admin, reader) = (base.admin().await, base.log("dlr_svc"));
    append(&reader, samples::append(samples::fresh(), 0, 1)).await;

    let mut sleeper = base.client("dlr_svc").await;
    let pid: i32 = sleeper
        .query_one("select pg_backend_pid()", &[])
        .await
        .expect("a pid")
        .get(0);
    let slow = sleeper.transaction().await.expect("begins");
    let number = samples::fresh();
    for version in [1, 2] {
        let event = samples::new_event(number, version);
        let before = append_by_hand(&slow, samples::stream(number), version - 1, &event);
        assert_eq!(before.await.expect("appends"), i64::from(version));
    }
    let mut others = three_writers(base);
    eventually("the others wait", async || {
        reads_nothing_after(&reader, 1).await;
        (waiting(&admin).await == 3).then_some(())
    })
    .await;
    slow.batch_execute("select pg_sleep(0.3)")
        .await
        .expect("sleeps");
    assert_eq!(
        waiting(&admin).await,
        3,
        "they wait for as long as it takes"
    );
    reads_nothing_after(&reader, 1).await;

    let slept = match ends {
        Ends::Commits => {
            slow.commit().await.expect("commits");
            2
        }
        Ends::GivesUp => {
            slow.rollback().await.expect("gives up");
            0
        }
        Ends::IsKilled => {
            let killed = admin
                .query_one("select pg_terminate_backend($1)", &[&pid])
                .await;
            assert!(killed.expect("asked").get::<_, bool>(0));
            assert!(slow.commit().await.is_err(), "it is dead");
            0
        }
    };
    let mut positions = Vec::new();
    while let Some(position) = others.join_next().await {
        positions.push(position.expect("no panic"));
    }
    positions.sort_unstable();
    let first = 2 + slept;
    assert_eq!(positions, [first, first + 2, first + 4], "after it, no gap");
    assert_eq!(dense(&admin).await, 7 + slept);
    let stream = reader.read_streams(&[samples::stream(number)]).await;
    assert_eq!(
        i64::try_from(stream.expect("reads")[0].len()),
        Ok(slept),
        "all of it or nothing"
    );
}

#[test]
fn l2_a_writer_that_sleeps_before_commit_is_waited_for_and_never_stepped_over() {
    run(a_writer_sleeps_before_its_commit_and(Ends::Commits));
}

#[test]
fn l2_a_writer_that_gives_up_leaves_no_gap() {
    run(a_writer_sleeps_before_its_commit_and(Ends::GivesUp));
}

#[test]
fn l2_a_backend_killed_before_commit_leaves_no_gap() {
    run(a_writer_sleeps_before_its_commit_and(Ends::IsKilled));
}

/// Appends a batch until it is known to be in; says how often that took a second try.
async fn insist(log: &PgStore, batch: &[eventstore::Append]) -> (usize, usize) {
    let (mut broken, mut known) = (0, 0);
    loop {
        match log.append(batch.to_vec()).await {
            Err(StoreError::Postgres { .. } | StoreError::Pool { .. }) => broken += 1,
            Err(other) => panic!("{other:?}"),
            Ok(outcomes) => {
                for outcome in outcomes {
                    match outcome {
                        Outcome::Recorded { .. } => {}
                        Outcome::AlreadyRecorded => known += 1,
                        other => panic!("{other:?}"),
                    }
                }
                return (broken, known);
            }
        }
    }
}

#[test]
fn l2_l4_backends_killed_in_the_middle_of_an_append_leave_the_log_dense_and_a_repeat_is_safe() {
    run(async {
        let base = base().await;
        let admin = base.admin().await;
        let (done, killed) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicI64::new(0)),
        );
        let mut writers = JoinSet::new();
        for _ in 0..2 {
            let (log, done) = (base.log("dlr_svc"), Arc::clone(&done));
            writers.spawn(async move {
                let (mut broken, mut events) = (0, 0);
                while !done.load(Ordering::Relaxed) {
                    let batch: Vec<_> = (0..200)
                        .map(|_| samples::append(samples::fresh(), 0, 2))
                        .collect();
                    broken += insist(&log, &batch).await.0;
                    events += 400;
                }
                (broken, events)
            });
        }
        // Only backends that are in the middle of it die.
        let kill = "select count(pg_terminate_backend(pid)) from pg_stat_activity
            where datname = current_database() and state = 'active'
                and query like '%eventlog.append(%' and pid <> pg_backend_pid()";
        eventually("forty backends killed", async || {
            sleep(Duration::from_millis(3)).await;
            let row = admin.query_one(kill, &[]).await.expect("asks");
            let all = killed.fetch_add(row.get(0), Ordering::Relaxed);
            (all >= 40).then_some(())
        })
        .await;
        done.store(true, Ordering::Relaxed);
        let (mut broken, mut events) = (0, 0);
        while let Some(writer) = writers.join_next().await {
            let (more_broken, more_events) = writer.expect("no panic");
            broken += more_broken;
            events += more_events;
        }
        assert!(broken >= 10, "only {broken} appends were hit");
        assert_eq!(dense(&admin).await, events, "each event once");
    });
}

/// Reads the log from wherever the last stretch ended, and holds it to be a prefix without gaps.
async fn follow(log: PgStore, done: Arc<AtomicBool>) -> (i64, usize) {
    let (mut at, mut looks, mut time) = (0, 0, i64::MIN);
    loop {
        // Read before the last look, so that it sees everything.
        let last = done.load(Ordering::Relaxed);
        let stretch = log.read_after(Position(at), 64).await.expect("reads");
        let (through, events) = (stretch.through, stretch.whole().expect("readable"));
        for event in &events {
            at += 1;
            assert_eq!(event.position.0, at, "a position was stepped over");
            assert!(event.recorded_at.micros() >= time, "time went back");
            time = event.recorded_at.micros();
        }
        assert_eq!(through.0, at, "nothing is passed unseen");
        looks += 1;
        if last && events.is_empty() {
            return (at, looks);
        }
    }
}

#[test]
fn l2_readers_see_a_prefix_at_every_moment_while_many_write() {
    run(async {
        const WRITERS: i32 = 8;
        const BATCHES: i32 = 40;
        let base = base().await;
        let done = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = ["dlr_svc", "auditor"]
            .map(|role| tokio::spawn(follow(base.log(role), Arc::clone(&done))))
            .into();
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let log = base.log("dlr_svc");
            writers.spawn(async move {
                for turn in 0..BATCHES {
                    let batch = (0..=writer)
                        .map(|_| samples::append(samples::fresh(), 0, 1 + turn % 3))
                        .collect();
                    let outcomes = log.append(batch).await.expect("appends");
                    let firsts: Vec<_> = outcomes.iter().map(position_of).collect();
                    assert!(firsts.is_sorted(), "in the order of the batch");
                }
            });
        }
        while let Some(writer) = writers.join_next().await {
            writer.expect("no panic");
        }
        done.store(true, Ordering::Relaxed);
        let written = dense(&base.admin().await).await;
        assert!(written > i64::from(WRITERS * BATCHES));
        for reader in readers {
            let (seen, looks) = reader.await.expect("no gap");
            assert_eq!(seen, written);
            assert!(looks > 20, "the reader hardly looked: {looks}");
        }
    });
}

#[test]
fn l2_whoever_appends_on_an_old_snapshot_is_refused() {
    run(async {
        let base = base().await;
        let mut client = base.client("dlr_svc").await;
        let old = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .start();
        let old = old.await.expect("begins");
        let head = "select position from eventlog.head";
        let row = old.query_one(head, &[]).await.expect("reads");
        assert_eq!(row.get::<_, i64>(0), 0, "what it sees from now on");
        append(
            &base.log("dlr_svc"),
            samples::append(samples::fresh(), 0, 3),
        )
        .await;
        let number = samples::fresh();
        let event = samples::new_event(number, 1);
        let late = append_by_hand(&old, samples::stream(number), 0, &event).await;
        let late = late.expect_err("its position is taken");
        assert_eq!(late.code(), Some(&SqlState::UNIQUE_VIOLATION), "{late:?}");
        assert_eq!(dense(&base.admin().await).await, 3);
    });
}
