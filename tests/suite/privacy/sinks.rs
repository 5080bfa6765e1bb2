//! Where something could be seen that nobody may see: everything that leaves a process of ours or
//! that it leaves behind.

use std::{collections::BTreeSet, fmt::Write as _};

use api::nats::plan::{SMS_DLR, STREAMS};
use async_nats::{HeaderMap, jetstream};
use futures::StreamExt as _;
use tests::world::{Service, World};
use tokio::time::timeout;
use tokio_postgres::Client;

use super::marks::{Found, Search};
use crate::fixture::PATIENCE;

/// What one sink holds.
#[derive(Debug, Clone)]
pub(crate) struct Sink {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// A mark in a sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leak {
    pub(crate) sink: String,
    pub(crate) found: Found,
}

impl Sink {
    pub(crate) fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let (name, bytes) = (name.into(), bytes.into());
        Self { name, bytes }
    }
}

/// Every mark that any of the sinks shows.
pub(crate) fn leaks(search: &Search, sinks: &[Sink]) -> Vec<Leak> {
    let of_sink = |sink: &Sink| {
        let found = search.within(&sink.bytes).into_iter();
        let name = sink.name.clone();
        found.map(move |found| Leak {
            sink: name.clone(),
            found,
        })
    };
    sinks.iter().flat_map(of_sink).collect()
}

/// What a service writes and what its probes tell.
pub(crate) async fn of_service(name: &str, service: &Service) -> Vec<Sink> {
    let mut sinks = vec![Sink::new(format!("the output of {name}"), service.log())];
    for path in ["/metrics", "/health", "/ready"] {
        let said = service.get(path).await.expect("an answer");
        sinks.push(Sink::new(format!("{path} of {name}"), said));
    }
    sinks
}

/// Every column of every row of every table of ours, as text; bytes are hexadecimal there. And
/// what the server shows of the statements that its clients run.
pub(crate) async fn of_database(database: &Client) -> Vec<Sink> {
    let tables = include_str!("sinks/tables.sql");
    let tables = database.query(tables, &[]).await.expect("reads");
    let tables = tables.iter().map(|row| row.get::<_, String>(0));
    let mut sinks = Vec::new();
    for table in tables.chain(["pg_stat_activity".to_owned()]) {
        let all = format!("select coalesce(string_agg(t::text, E'\\n'), '') from {table} as t");
        let row = database.query_one(&all, &[]).await.expect("reads");
        let name = format!("the table {table}");
        sinks.push(Sink::new(name, row.get::<_, String>(0)));
    }
    sinks
}

/// A message that a test published itself: its stream and its place there.
pub(crate) type OfATest = (&'static str, u64);

/// Subject and headers, and apart from them the payload, of every message in every stream but the
/// one that everything comes in by.
pub(crate) async fn of_streams(
    jetstream: &jetstream::Context,
    except: &BTreeSet<OfATest>,
) -> Vec<Sink> {
    let mut sinks = Vec::new();
    for plan in STREAMS {
        for message in messages(jetstream, plan.name).await {
            let info = message.info().expect("of a stream");
            if plan == SMS_DLR || except.contains(&(plan.name, info.stream_sequence)) {
                continue;
            }
            let headers = message.headers.clone().unwrap_or_default();
            let envelope = format!("{} {}", message.subject, written(&headers));
            sinks.push(Sink::new(format!("an envelope in {}", plan.name), envelope));
            let payload = message.payload.to_vec();
            sinks.push(Sink::new(payload_of(plan.name), payload));
        }
    }
    sinks
}

/// What the sink with the payloads of a stream is called.
pub(crate) fn payload_of(stream: &str) -> String {
    format!("a payload in {stream}")
}

async fn messages(jetstream: &jetstream::Context, stream: &str) -> Vec<jetstream::Message> {
    let stream = jetstream.get_stream(stream).await.expect("the stream");
    let count = usize::try_from(stream.cached_info().state.messages).expect("few");
    if count == 0 {
        return Vec::new();
    }
    let config = jetstream::consumer::pull::OrderedConfig::default();
    let consumer = stream.create_consumer(config).await.expect("a consumer");
    let messages = consumer.messages().await.expect("messages").take(count);
    let read = messages.map(|message| message.expect("a message"));
    timeout(PATIENCE, read.collect()).await.expect("all of it")
}

fn written(headers: &HeaderMap) -> String {
    let mut text = String::new();
    for (name, values) in headers.iter() {
        for value in values {
            let _ = writeln!(text, "{name}: {}", value.as_str());
        }
    }
    text
}

/// What the servers write themselves.
pub(crate) fn of_servers(world: &World) -> Vec<Sink> {
    let log = |name: &str, leash: &tests::stack::Leash| {
        let text = std::fs::read(leash.folder().join("log")).expect("a log");
        Sink::new(format!("the log of {name}"), text)
    };
    vec![
        log("postgres", world.postgres.leash()),
        log("nats", world.nats.leash()),
    ]
}
