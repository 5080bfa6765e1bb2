//! The log under test: the service's own store and its appender, on a database of their own.

use std::{sync::Arc, time::Duration};

use actors::runtime::appender::{self, Appender};
use eventstore::{
    Append, EventStore, Feed, LogId, Secret,
    contract::samples,
    postgres::{Database, DatabaseOptions, PgStore},
};
use ractor::{Actor, ActorRef};
use schema::Position;
use tokio::{task::JoinSet, time::Instant};

use crate::{bench::measure::per_second, stack::Postgres, world::Fault};

/// How many events are appended while a snapshot is held; the last of them are measured.
const UNDER_SNAPSHOT: usize = 300_000;
const UNDER_SNAPSHOT_MEASURED: usize = 20_000;
/// How many events are read, in stretches of how many.
pub(super) const READ: i64 = 200_000;
pub(super) const STRETCH: i64 = 5_000;

/// How the ids of new streams follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ids {
    /// In the order of time.
    InTime,
    /// Scattered, as message ids are.
    Random,
}

impl Ids {
    /// The number of a stream that nobody has used.
    fn fresh(self) -> u128 {
        let number = samples::fresh();
        match self {
            Self::InTime => number,
            Self::Random => schema::id::derive("bench", &[&number.to_be_bytes()]).as_u128(),
        }
    }
}

/// A log, and the way into it that actors take.
pub(super) struct Log {
    pub(super) store: PgStore,
    appender: ActorRef<appender::Msg>,
    database: &'static str,
}

impl Log {
    /// A new database with an empty log.
    pub(super) async fn open(postgres: &Postgres, name: &'static str) -> Result<Self, Fault> {
        postgres.create_database(name, None).await?;
        let mut admin = postgres.admin(name).await?;
        eventstore::migrate::run(&mut admin, Vec::new()).await?;
        postgres.admit(&["dlr_svc"]).await?;
        let database = Database::new(DatabaseOptions {
            url: Secret::new(postgres.url("dlr_svc", name)),
            url_file: None,
            ca_file: None,
            pool_max: 10,
            deadline: Duration::from_secs(15),
            application: "bench".to_owned(),
        })?;
        let store = PgStore::new(database, LogId::DEFAULT);
        let shared: Arc<dyn EventStore> = Arc::new(store.clone());
        let args = appender::Args {
            feed: Feed::new(Arc::clone(&shared)),
            store: shared,
            on_commit: Arc::new(|_| ()),
        };
        let (appender, _) = Actor::spawn(None, Appender, args).await?;
        Ok(Self {
            store,
            appender,
            database: name,
        })
    }

    /// Events per second of `writers` that each wait for one event before they send the next.
    pub(super) async fn writers(&self, writers: usize, events: usize) -> Result<u64, Fault> {
        let work = (0..writers).map(|_| batch(Ids::InTime, events / writers));
        let work: Vec<_> = work.collect();
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for mine in work {
            tasks.spawn(write(self.appender.clone(), mine));
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(per_second(u64::try_from(events)?, start.elapsed()))
    }

    /// Events per second of ten writers after many others, all while somebody holds a snapshot of
    /// the time before, as a dump does.
    pub(super) async fn under_a_snapshot(&self, postgres: &Postgres) -> Result<u64, Fault> {
        let dump = postgres.admin(self.database).await?;
        dump.batch_execute("begin isolation level repeatable read; select from eventlog.head")
            .await?;
        self.writers(10, UNDER_SNAPSHOT - UNDER_SNAPSHOT_MEASURED)
            .await?;
        let rate = self.writers(10, UNDER_SNAPSHOT_MEASURED).await?;
        dump.batch_execute("rollback").await?;
        Ok(rate)
    }

    /// Events per second, read in order and decoded; the first of the log.
    pub(super) async fn read(&self) -> Result<u64, Fault> {
        let start = Instant::now();
        let (mut at, mut events) = (Position::BEGINNING, 0);
        while at.0 < READ {
            let stretch = self.store.read_after(at, STRETCH).await?;
            if stretch.events.is_empty() {
                break;
            }
            at = stretch.through;
            events += stretch.whole()?.len();
        }
        Ok(per_second(u64::try_from(events)?, start.elapsed()))
    }

    /// Ends the appender; the database stays.
    pub(super) fn close(self) {
        self.appender.stop(None);
    }
}

/// Events per second in batches of `size`, one after the other.
pub(super) async fn batches(
    store: &PgStore,
    ids: Ids,
    size: usize,
    events: usize,
) -> Result<u64, Fault> {
    let work: Vec<_> = (0..events / size).map(|_| batch(ids, size)).collect();
    let start = Instant::now();
    for batch in work {
        store.append(batch).await?;
    }
    Ok(per_second(u64::try_from(events)?, start.elapsed()))
}

/// Appends of one event each, to streams that nobody has used.
pub(super) fn batch(ids: Ids, events: usize) -> Vec<Append> {
    let fresh = (0..events).map(|_| samples::append(ids.fresh(), 0, 1));
    fresh.collect()
}

async fn write(appender: ActorRef<appender::Msg>, appends: Vec<Append>) -> Result<(), Fault> {
    for append in appends {
        appender::append(&appender, vec![append]).await?;
    }
    Ok(())
}
