//! L3 and L4: processes that race for one stream, or tell the same fact.

use eventstore::{EventStore, Outcome, contract::samples};
use schema::StreamVersion;

use crate::fixture::{append, base, dense, differing, run};

/// How often each race is run.
const ROUNDS: i32 = 60;

#[test]
fn l3_of_three_processes_racing_for_a_version_exactly_one_wins_and_the_others_hear_the_truth() {
    run(async {
        let base = base().await;
        let logs = [0, 1, 2].map(|_| base.log("dlr_svc"));
        let stream = samples::fresh();
        let mut won = [0; 3];
        for version in 0..ROUNDS {
            // Three different facts, each told as the stream's next.
            let [a, b, c] = [0, 1, 2].map(|racer| {
                let event = 1_000 * (version + 1) + racer;
                samples::append_numbered(stream, version, event)
            });
            let (a, b, c) = tokio::join!(
                append(&logs[0], a),
                append(&logs[1], b),
                append(&logs[2], c)
            );
            let mut winners = 0;
            for (racer, outcome) in [a, b, c].iter().enumerate() {
                match outcome {
                    Outcome::Recorded { version: now, .. } => {
                        assert_eq!(now.0, version + 1);
                        won[racer] += 1;
                        winners += 1;
                    }
                    other => assert_eq!(
                        *other,
                        Outcome::Conflict {
                            actual: StreamVersion(version + 1)
                        }
                    ),
                }
            }
            assert_eq!(winners, 1, "version {version}");
        }
        assert_eq!(won.iter().sum::<i32>(), ROUNDS);
        assert_eq!(dense(&base.admin().await).await, i64::from(ROUNDS));
        let events = logs[0]
            .read_streams(&[samples::stream(stream)])
            .await
            .expect("reads")
            .remove(0);
        let versions: Vec<_> = events.iter().map(|event| event.version.0).collect();
        assert_eq!(versions, (1..=ROUNDS).collect::<Vec<_>>());
    });
}

#[test]
fn l4_two_processes_that_tell_the_same_fact_record_it_once() {
    run(async {
        let base = base().await;
        let (left, right) = (base.log("dlr_svc"), base.log("dlr_svc"));
        for _ in 0..ROUNDS {
            let fact = samples::append(samples::fresh(), 0, 2);
            let (a, b) = tokio::join!(append(&left, fact.clone()), append(&right, fact));
            let recorded = |outcome: &Outcome| matches!(outcome, Outcome::Recorded { .. });
            assert!(recorded(&a) != recorded(&b), "{a:?} {b:?}");
            let other = if recorded(&a) { b } else { a };
            assert_eq!(other, Outcome::AlreadyRecorded);
        }
        assert_eq!(dense(&base.admin().await).await, i64::from(2 * ROUNDS));
    });
}

#[test]
fn l4_of_two_processes_that_tell_one_id_with_other_content_the_second_diverges() {
    run(async {
        let base = base().await;
        let (left, right) = (base.log("dlr_svc"), base.log("dlr_svc"));
        for _ in 0..ROUNDS {
            let stream = samples::fresh();
            let (one, two) = (differing(stream, 0, 1), differing(stream, 0, 2));
            let id = one.events[0].id;
            assert_eq!(id, two.events[0].id, "the same fact by its id");
            let (a, b) = tokio::join!(append(&left, one), append(&right, two));
            let diverged = Outcome::Diverged { id };
            assert!((a == diverged) != (b == diverged), "{a:?} {b:?}");
            let first = if a == diverged { b } else { a };
            assert!(matches!(first, Outcome::Recorded { .. }), "{first:?}");
        }
        assert_eq!(dense(&base.admin().await).await, i64::from(ROUNDS));
    });
}

#[test]
fn l3_a_conflict_of_one_stream_lets_the_rest_of_a_contended_batch_in() {
    run(async {
        let base = base().await;
        let contended = samples::fresh();
        let batch = || {
            vec![
                samples::append(samples::fresh(), 0, 1),
                samples::append_numbered(contended, 0, 1),
                samples::append(samples::fresh(), 0, 1),
            ]
        };
        let (mut one, mut two) = (batch(), batch());
        one[1] = samples::append_numbered(contended, 0, 11);
        two[1] = samples::append_numbered(contended, 0, 22);
        let (left, right) = (base.log("dlr_svc"), base.log("dlr_svc"));
        let (a, b) = tokio::join!(left.append(one), right.append(two));
        let (a, b) = (a.expect("appends"), b.expect("appends"));
        let conflict = Outcome::Conflict {
            actual: StreamVersion(1),
        };
        assert!((a[1] == conflict) != (b[1] == conflict), "{a:?} {b:?}");
        for outcome in [&a[0], &a[2], &b[0], &b[2]] {
            assert!(matches!(outcome, Outcome::Recorded { .. }), "{outcome:?}");
        }
        assert_eq!(dense(&base.admin().await).await, 5);
    });
}
