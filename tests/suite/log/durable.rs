//! L5: what append acknowledged is on disk.

use std::sync::{Arc, Mutex};

use eventstore::{EventStore, Outcome, contract::samples};
use schema::Position;
use tests::stack::{PgOptions, PgVersion, Postgres};
use tokio::task::JoinSet;

use crate::fixture::{Base, base_in, dense, eventually, prepare, run};

/// Appends until Postgres goes away; notes each acknowledged event before the next append.
async fn append_until_it_breaks(base: Base, acknowledged: Arc<Mutex<Vec<(u128, Position)>>>) {
    let log = base.log("dlr_svc");
    loop {
        let number = samples::fresh();
        match log.append(vec![samples::append(number, 0, 1)]).await {
            Ok(outcomes) => match outcomes[..] {
                [Outcome::Recorded { position, .. }] => {
                    acknowledged.lock().expect("whole").push((number, position));
                }
                _ => panic!("{outcomes:?}"),
            },
            Err(_) => return,
        }
    }
}

#[test]
fn l5_everything_acknowledged_survives_an_immediate_stop() {
    run(async {
        let options = PgOptions {
            shared_buffers_mib: 128,
            settings: Vec::new(),
        };
        let postgres = Postgres::start(PgVersion::V18, options)
            .await
            .expect("postgres");
        // It is stopped below; only its description stays.
        let postgres: &'static Postgres = Box::leak(Box::new(postgres));
        prepare(postgres).await;
        let base = base_in(postgres).await;
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        for round in 1..=3 {
            let mut writers = JoinSet::new();
            for _ in 0..3 {
                writers.spawn(append_until_it_breaks(base, Arc::clone(&acknowledged)));
            }
            eventually("enough to lose", async || {
                (acknowledged.lock().expect("whole").len() >= 60 * round).then_some(())
            })
            .await;
            postgres.restart_immediate().await.expect("comes back");
            while let Some(writer) = writers.join_next().await {
                writer.expect("no panic");
            }
            let admin = base.admin().await;
            let acknowledged = acknowledged.lock().expect("whole").clone();
            let head = dense(&admin).await;
            let known = i64::try_from(acknowledged.len()).expect("few");
            assert!(head >= known, "{head} events, {known} acknowledged");
            let sql = "select exists (select from eventlog.event where stream_id = $1
                and category = 'message' and version = 1 and position = $2)";
            for (number, position) in acknowledged {
                let id = samples::stream(number).id;
                let row = admin
                    .query_one(sql, &[&id, &position.0])
                    .await
                    .expect("reads");
                assert!(row.get::<_, bool>(0), "position {position} is gone");
            }
        }
        postgres.stop().await.expect("stops");
    });
}
