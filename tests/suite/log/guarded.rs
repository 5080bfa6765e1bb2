//! L6: what was decided on the ground of a stream is never recorded after that stream moved.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use eventstore::{EventStore, Guard, Outcome, postgres::PgStore};
use schema::{Category, Position, StreamId, StreamVersion};

use tokio::time::sleep;

use crate::fixture::{append, base, dense, kinds, run, unique};

/// Rounds that must end each way before the race has shown anything.
const ENOUGH: usize = 25;
const ROUNDS_MAX: usize = 2_000;
/// The longest the writer pauses, so that a slow machine gets through now and then.
const PAUSE_MAX_MICROS: u64 = 200_000;

/// Moves the prices until it is told that it is over; says to which version.
async fn keep_moving(log: PgStore, prices: StreamId, pace: Arc<Pace>) -> i32 {
    let mut version = 0;
    while !pace.over.load(Ordering::Relaxed) {
        let next = kinds::append_in(Category::Price, prices.id, version, 1);
        assert!(matches!(append(&log, next).await, Outcome::Recorded { .. }));
        version += 1;
        sleep(Duration::from_micros(pace.micros.load(Ordering::Relaxed))).await;
    }
    version
}

/// How long the writer pauses between two prices: so long that both ends of the race come about
/// on any machine.
struct Pace {
    micros: AtomicU64,
    over: AtomicBool,
}

impl Pace {
    /// The guard held: the writer hurries, until it is in the way again.
    fn faster(&self) {
        let micros = self.micros.load(Ordering::Relaxed) / 2;
        self.micros.store(micros, Ordering::Relaxed);
    }

    fn slower(&self) {
        let micros = self.micros.load(Ordering::Relaxed) * 2 + 100;
        let micros = micros.min(PAUSE_MAX_MICROS);
        self.micros.store(micros, Ordering::Relaxed);
    }
}

/// Reads the prices, decides, and appends a charge guarded by what was read. Says at which
/// position and with which version of the prices, or `None` if they had moved.
async fn charge(log: &PgStore, prices: StreamId) -> Option<(Position, StreamVersion)> {
    let read = log.read_streams(&[prices]).await.expect("reads").remove(0);
    let version = read
        .last()
        .map_or(StreamVersion::NONE, |event| event.version);
    let mut wanted = kinds::append_in(Category::Charge, unique(), 0, 1);
    let charge = wanted.stream;
    wanted.guards = vec![Guard {
        stream: prices,
        version,
    }];
    match append(log, wanted).await {
        Outcome::Recorded { position, .. } => Some((position, version)),
        Outcome::GuardMoved { stream, actual } => {
            assert_eq!(stream, prices);
            assert!(actual > version, "it moved on from {version} to {actual}");
            let kept = log.read_streams(&[charge]).await.expect("reads").remove(0);
            assert!(kept.is_empty(), "refused, and yet recorded");
            None
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn l6_a_guarded_append_is_never_recorded_after_the_guarded_stream_moved() {
    run(async {
        let base = base().await;
        let prices = StreamId {
            category: Category::Price,
            id: unique(),
        };
        let pace = Arc::new(Pace {
            micros: AtomicU64::new(1_000),
            over: AtomicBool::new(false),
        });
        let moving = keep_moving(base.log("billing_svc"), prices, Arc::clone(&pace));
        let writer = tokio::spawn(moving);

        let log = base.log("billing_svc");
        let (mut recorded, mut moved) = (Vec::new(), 0);
        for _ in 0..ROUNDS_MAX {
            if recorded.len() >= ENOUGH && moved >= ENOUGH {
                break;
            }
            if let Some(charged) = charge(&log, prices).await {
                recorded.push(charged);
                pace.faster();
            } else {
                moved += 1;
                pace.slower();
            }
        }
        pace.over.store(true, Ordering::Relaxed);
        let last = writer.await.expect("no panic");
        let both = recorded.len() >= ENOUGH && moved >= ENOUGH;
        assert!(both, "{} recorded, {moved} moved", recorded.len());

        let admin = base.admin().await;
        let sql = "select count(*) from eventlog.event where category = 'price' and position < $1";
        for (position, version) in &recorded {
            let row = admin.query_one(sql, &[&position.0]).await.expect("reads");
            let before: i64 = row.get(0);
            assert_eq!(before, i64::from(version.0), "the price at {position}");
        }
        let charges = i64::try_from(recorded.len()).expect("few");
        assert_eq!(dense(&admin).await, i64::from(last) + charges);
    });
}
