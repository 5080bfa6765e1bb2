//! What the tests share: one runtime, one Postgres per version, and waiting for what must come.
//!
//! Servers outlive the test that started them, so all tests run on one runtime. The servers end
//! with this process, because each is on a leash.

pub(crate) mod kinds;

use std::{collections::BTreeMap, future::Future, process::Stdio, sync::LazyLock, time::Duration};

use async_nats::jetstream;
use eventstore::{
    Append, EventData, EventStore, LogId, Outcome, Secret,
    contract::samples,
    postgres::{Database, DatabaseOptions, PgStore},
};
use futures::StreamExt as _;
use schema::{Event, StreamId};
use tests::{
    orchestrator,
    stack::{PgOptions, PgVersion, Postgres},
    world::{self, World, WorldOptions},
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
    runtime::Runtime,
    sync::{OnceCell, Semaphore, SemaphorePermit},
    time::{Instant, sleep, timeout},
};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// The accounts of CONTRACTS 6.
pub(crate) const ACCOUNTS: [&str; 4] = ["dlr_svc", "billing_svc", "auditor", "tollbook_admin"];
/// A master key file for processes that no world looks after.
pub(crate) const MASTER_KEY: &str = "1 AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n";
/// How long anything may take before it counts as never; a busy machine is slow.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
/// The database that the others are copies of.
const TEMPLATE: &str = "migrated";
/// Worlds at the same time: each has servers and services of its own.
const WORLDS: usize = 2;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// Runs a test on the runtime that all share.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    RUNTIME.block_on(test)
}

/// An id that nobody has used, in this or any other run.
pub(crate) fn unique() -> Uuid {
    Uuid::from_u128(samples::fresh())
}

/// Waits until `look` finds something; panics, naming `what`, when it never does.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < until, "never came true: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// A world, and the right to have one.
pub(crate) struct OwnWorld {
    pub(crate) world: World,
    /// Given back when it is dropped.
    pub(crate) permit: SemaphorePermit<'static>,
}

/// A world of one's own.
pub(crate) async fn place(options: WorldOptions) -> OwnWorld {
    static FREE: Semaphore = Semaphore::const_new(WORLDS);
    let permit = FREE.acquire().await.expect("never closed");
    OwnWorld {
        world: World::start(options).await.expect("a world"),
        permit,
    }
}

/// The Postgres of this version that all tests share.
pub(crate) async fn postgres(version: PgVersion) -> &'static Postgres {
    static V15: OnceCell<Postgres> = OnceCell::const_new();
    static V18: OnceCell<Postgres> = OnceCell::const_new();
    let cell = match version {
        PgVersion::V15 => &V15,
        PgVersion::V18 => &V18,
    };
    cell.get_or_init(|| async {
        let options = PgOptions {
            shared_buffers_mib: 128,
            settings: Vec::new(),
        };
        let postgres = Postgres::start(version, options).await.expect("postgres");
        prepare(&postgres).await;
        postgres
    })
    .await
}

/// Makes the template: everything migrated, nothing in it.
pub(crate) async fn prepare(postgres: &Postgres) {
    postgres
        .create_database(TEMPLATE, None)
        .await
        .expect("a database");
    let mut client = postgres.admin(TEMPLATE).await.expect("connects");
    let schemas = projections::migrate::schemas();
    eventstore::migrate::run(&mut client, schemas)
        .await
        .expect("migrated");
    orchestrator::install(&client).await.expect("orch");
    postgres.admit(&ACCOUNTS).await.expect("admitted");
}

/// A migrated database of one's own.
#[derive(Clone, Copy)]
pub(crate) struct Base {
    pub(crate) postgres: &'static Postgres,
    pub(crate) name: &'static str,
}

/// A migrated database in the shared Postgres 18.
pub(crate) async fn base() -> Base {
    base_in(postgres(PgVersion::V18).await).await
}

/// A migrated database in `postgres`.
pub(crate) async fn base_in(postgres: &'static Postgres) -> Base {
    let name = format!("t_{}", unique().simple()).leak();
    // Whoever made the template may not have left it yet.
    eventually("a copy of the template", async || {
        postgres.create_database(name, Some(TEMPLATE)).await.ok()
    })
    .await;
    Base { postgres, name }
}

impl Base {
    /// The address for a role.
    pub(crate) fn url(self, role: &str) -> String {
        self.postgres.url(role, self.name)
    }

    /// A pool as a service has one.
    pub(crate) fn pool(self, role: &str) -> Database {
        let options = DatabaseOptions {
            url: Secret::new(self.url(role)),
            url_file: None,
            ca_file: None,
            pool_max: 4,
            deadline: PATIENCE,
            application: "suite".into(),
        };
        Database::new(options).expect("good options")
    }

    /// The log, through a pool of its own, as another process would see it.
    pub(crate) fn log(self, role: &str) -> PgStore {
        PgStore::new(self.pool(role), LogId::DEFAULT)
    }

    /// One connection.
    pub(crate) async fn client(self, role: &str) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url(role), NoTls)
            .await
            .expect("connects");
        tokio::spawn(connection);
        client
    }

    /// A superuser's connection.
    pub(crate) async fn admin(self) -> Client {
        self.client("postgres").await
    }

    /// What a superuser does to our tables, in a change window that is closed again.
    pub(crate) async fn alter(self, statement: &str) {
        alter(&self.admin().await, statement).await;
    }
}

/// What a superuser does to our tables, in a change window that is closed again.
pub(crate) async fn alter(admin: &Client, statement: &str) {
    for step in [
        "select tollbook_guard.open_window()",
        statement,
        "select tollbook_guard.close_window()",
    ] {
        let done = admin.batch_execute(step).await;
        done.unwrap_or_else(|error| panic!("a superuser may {step}: {error:?}"));
    }
}

/// The one outcome of one append.
pub(crate) async fn append(log: &dyn EventStore, append: Append) -> Outcome {
    let outcomes = log.append(vec![append]).await.expect("appends");
    outcomes.into_iter().next().expect("an outcome for each")
}

/// Where a recorded append begins.
pub(crate) fn position_of(outcome: &Outcome) -> i64 {
    match outcome {
        Outcome::Recorded { position, .. } => position.0,
        other => panic!("not recorded: {other:?}"),
    }
}

/// Holds the log to L2 and L3 by plain SQL: positions and versions are 1, 2, 3, …, and the head
/// is the last position. Says what that is.
pub(crate) async fn dense(admin: &Client) -> i64 {
    let row = admin
        .query_one(include_str!("fixture/dense.sql"), &[])
        .await
        .expect("reads");
    let (head, events): (i64, i64) = (row.get(0), row.get(1));
    let (gaps, version_gaps, back): (i64, i64, i64) = (row.get(2), row.get(3), row.get(4));
    assert_eq!(head, events, "as many events as positions");
    assert_eq!((gaps, version_gaps, back), (0, 0, 0), "gaps, or time back");
    head
}

/// An append of one event with content that differs by `content`.
pub(crate) fn differing(number: u128, expected: i32, content: i16) -> Append {
    let mut append = samples::append(number, expected, 1);
    if let Event::MessageSettled(event) = &mut append.events[0].event {
        event.segment_count = content;
    }
    append
}

/// `eventlog.append` as plain SQL, for a transaction that is kept open: one event for the end of
/// a stream of messages that is at `version`. Says where the log's head was.
pub(crate) async fn append_by_hand(
    client: &impl tokio_postgres::GenericClient,
    stream: StreamId,
    version: i32,
    event: &EventData,
) -> Result<i64, tokio_postgres::Error> {
    let (name, schema_version) = event.event.type_and_version();
    let payload = event.event.payload();
    let sql = include_str!("fixture/append_by_hand.sql");
    let (stream, id) = (stream.id, event.id.0);
    let row = client
        .query_one(
            sql,
            &[&stream, &version, &id, &name, &schema_version, &payload],
        )
        .await?;
    Ok(row.get(0))
}

/// A process of the binary that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the binary with this environment and no other, until it ends.
pub(crate) async fn tollbook(args: &[&str], variables: &BTreeMap<&str, String>) -> Ended {
    let mut command = Command::new(world::binary().expect("built"));
    command.args(args).env_clear().envs(variables);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(PATIENCE, command.output())
        .await
        .expect("it ends by itself")
        .expect("it runs");
    Ended {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs the binary with this environment and no other until it says that it waits for `what`.
pub(crate) async fn waits_for(what: &str, args: &[&str], variables: &BTreeMap<&str, String>) {
    let mut command = Command::new(world::binary().expect("built"));
    command.args(args).env_clear().envs(variables);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().expect("it runs");
    let told = format!("\"forWhat\":\"{what}\"");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let waiting = async {
        while let Some(line) = lines.next_line().await.expect("readable") {
            if line.contains("service.waiting") && line.contains(&told) {
                return;
            }
        }
        panic!("it ended and did not wait for {what}");
    };
    timeout(PATIENCE, waiting).await.expect("it waits");
}

/// One message of a stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Published {
    pub(crate) id: String,
    pub(crate) body: serde_json::Value,
}

/// Everything in a stream now, in order. Only for streams of a few thousand messages.
pub(crate) async fn published(jetstream: &jetstream::Context, stream: &str) -> Vec<Published> {
    let stream = jetstream.get_stream(stream).await.expect("the stream");
    let count = usize::try_from(stream.cached_info().state.messages).expect("few");
    if count == 0 {
        return Vec::new();
    }
    let config = jetstream::consumer::pull::OrderedConfig::default();
    let consumer = stream.create_consumer(config).await.expect("a consumer");
    let messages = consumer.messages().await.expect("messages").take(count);
    let read = messages.map(|message| {
        let message = message.expect("a message");
        let headers = message.headers.as_ref().expect("headers");
        let id = headers.get("Nats-Msg-Id").expect("an id");
        Published {
            id: id.as_str().to_owned(),
            body: serde_json::from_slice(&message.payload).expect("json"),
        }
    });
    timeout(PATIENCE, read.collect()).await.expect("all of it")
}
