//! L6: what was decided on the ground of a stream is never recorded after that stream moved.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use eventstore::{EventStore, Guard, Outcome, contract::samples};
use schema::{Category, StreamId};

use crate::support::{append, base, dense, run, unique};

/// Rounds that must end each way before the race has shown anything.
const ENOUGH: usize = 25;
const ROUNDS_MAX: usize = 20_000;

fn in_category(
    category: Category,
    stream: StreamId,
    mut append: eventstore::Append,
) -> eventstore::Append {
    append.stream = StreamId { category, ..stream };
    append
}

#[test]
fn l6_a_guarded_append_is_never_recorded_after_the_guarded_stream_moved() {
    run(async {
        let base = base().await;
        let prices = StreamId {
            category: Category::Price,
            id: unique(),
        };
        let done = Arc::new(AtomicBool::new(false));
        let (log, ended) = (base.log("billing_svc"), Arc::clone(&done));
        let number = prices.id.as_u128();
        let writer = tokio::spawn(async move {
            let mut version = 0;
            while !ended.load(Ordering::Relaxed) {
                let next =
                    in_category(Category::Price, prices, samples::append(number, version, 1));
                assert!(matches!(append(&log, next).await, Outcome::Recorded { .. }));
                version += 1;
            }
            version
        });

        let log = base.log("billing_svc");
        let (mut recorded, mut moved) = (Vec::new(), 0);
        for _ in 0..ROUNDS_MAX {
            if recorded.len() >= ENOUGH && moved >= ENOUGH {
                break;
            }
            let read = log.read_streams(&[prices]).await.expect("reads").remove(0);
            let version = read.last().map_or(0, |event| event.version);
            let id = unique();
            let charge = StreamId {
                category: Category::Charge,
                id,
            };
            let mut wanted = in_category(
                Category::Charge,
                charge,
                samples::append(id.as_u128(), 0, 1),
            );
            wanted.guards = vec![Guard {
                stream: prices,
                version,
            }];
            match append(&log, wanted).await {
                Outcome::Recorded { position, .. } => recorded.push((position, version)),
                Outcome::GuardMoved { stream, actual } => {
                    assert_eq!(stream, prices);
                    assert!(actual > version, "it moved on from {version} to {actual}");
                    moved += 1;
                    let kept = log.read_streams(&[charge]).await.expect("reads").remove(0);
                    assert!(kept.is_empty(), "refused, and yet recorded");
                }
                other => panic!("{other:?}"),
            }
        }
        done.store(true, Ordering::Relaxed);
        let last = writer.await.expect("no panic");
        assert!(
            recorded.len() >= ENOUGH,
            "only {} got through",
            recorded.len()
        );
        assert!(moved >= ENOUGH, "only {moved} met a moved guard");

        let admin = base.admin().await;
        let sql = "select count(*) from eventlog.event where category = 'price' and position < $1";
        for (position, version) in &recorded {
            let before: i64 = admin
                .query_one(sql, &[position])
                .await
                .expect("reads")
                .get(0);
            assert_eq!(
                before,
                i64::from(*version),
                "the price at position {position}"
            );
        }
        let charges = i64::try_from(recorded.len()).expect("few");
        assert_eq!(dense(&admin).await, i64::from(last) + charges);
    });
}
