//! `./dev bench append`: how fast the log takes and gives events.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actors::appender::{self, Appender};
use eventstore::{
    Append, EventStore, Feed, LogId,
    contract::samples,
    postgres::{Database, DatabaseOptions, PgStore},
};
use ractor::{Actor, ActorRef};

use crate::stack::{PgOptions, PgVersion, Postgres};

/// Events per second.
fn rate(events: u64, took: Duration) -> u64 {
    (u128::from(events) * 1_000_000 / took.as_micros().max(1)) as u64
}

fn batch(events: usize) -> Vec<Append> {
    (0..events)
        .map(|_| samples::append(samples::fresh(), 0, 1))
        .collect()
}

async fn batches(store: &PgStore, size: usize, total: usize) -> u64 {
    let work: Vec<_> = (0..total / size).map(|_| batch(size)).collect();
    let start = Instant::now();
    for batch in work {
        store.append(batch).await.expect("append");
    }
    rate(total as u64, start.elapsed())
}

async fn writers(appender: &ActorRef<appender::Msg>, writers: usize, total: usize) -> u64 {
    let work: Vec<Vec<_>> = (0..writers).map(|_| batch(total / writers)).collect();
    let start = Instant::now();
    let tasks: Vec<_> = work
        .into_iter()
        .map(|mine| {
            let appender = appender.clone();
            tokio::spawn(async move {
                for append in mine {
                    ractor::call!(appender, appender::Msg::Append, append)
                        .expect("reply")
                        .expect("append");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("task");
    }
    rate(total as u64, start.elapsed())
}

async fn read(store: &PgStore) -> u64 {
    let start = Instant::now();
    let (mut at, mut events) = (0, 0);
    loop {
        let s = store.read_after(at, 5_000).await.expect("read");
        if s.events.is_empty() {
            break;
        }
        events += s.events.len() as u64;
        at = s.through;
        if events >= 200_000 {
            break;
        }
    }
    rate(events, start.elapsed())
}

/// Runs it.
pub async fn run(large: usize) {
    let pg = Postgres::start(PgVersion::V18, PgOptions::default())
        .await
        .expect("pg");
    pg.create_database("bench", None).await.expect("db");
    let mut admin = pg.admin("bench").await.expect("admin");
    eventstore::migrate::run(&mut admin).await.expect("migrate");
    pg.admit(&["dlr_svc"]).await.expect("admit");
    let database = Database::new(DatabaseOptions {
        url: pg.url("dlr_svc", "bench"),
        url_file: None,
        ca_file: None,
        pool_max: 8,
        application: "bench".into(),
    })
    .expect("db");
    let store = PgStore::new(database, LogId::DEFAULT);
    println!("warm {}", batches(&store, 100, 20_000).await);
    let arc: Arc<dyn EventStore> = Arc::new(store.clone());
    let feed = Feed::new(Arc::clone(&arc));
    let (appender, _) = Actor::spawn(
        None,
        Appender,
        appender::Args {
            store: arc,
            feed,
            on_commit: Arc::new(|_| ()),
        },
    )
    .await
    .expect("spawn");
    for _ in 0..3 {
        println!("one {}", writers(&appender, 1, 5_000).await);
        println!("ten {}", writers(&appender, 10, 30_000).await);
        println!("b100 {}", batches(&store, 100, 50_000).await);
        println!("b1000 {}", batches(&store, 1_000, 100_000).await);
        println!("read {}", read(&store).await);
    }
    if large > 0 {
        println!("fill {}", batches(&store, 1_000, large).await);
        for _ in 0..3 {
            println!("large b1000 {}", batches(&store, 1_000, 100_000).await);
            println!("one {}", writers(&appender, 1, 5_000).await);
        }
    }
}
