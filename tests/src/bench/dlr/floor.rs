//! The floor: a bare loop that does the same durable work in batches, without actors.
//!
//! Pull up to 1 000 as the service does, check, correlate with one query, decide by the same pure
//! rules, seal, append in one transaction, acknowledge. The next batch is prepared while the last
//! one is written. It assumes that every stream is new; where that is wrong it reads the streams
//! and decides again. It supports one process only, keeps nothing in memory between batches, and
//! survives nothing.

use std::{
    collections::{HashMap, hash_map::Entry},
    pin::pin,
    sync::Arc,
};

use actors::{
    receipts::{
        correlate::{Correlator, FindMessages as _, Wanted},
        decide::message::{MessageDecider, RecordReceipt},
    },
    runtime::{
        decider::{Command as _, Decider as _, EventPlace, folded},
        intake::{Requests, Source},
    },
};
use async_nats::jetstream::{self, AckKind};
use eventstore::{
    Append, EventStore as _, LogId, Outcome, RecordedEvent, keyring::Keyring, postgres::PgStore,
};
use futures::StreamExt as _;
use schema::{ReceivedReceipt, StreamId, Timestamp};
use tokio::sync::{mpsc, watch};

use crate::world::Fault;

const BATCH: usize = 1_000;

/// What the loop works with.
#[derive(Clone)]
pub(super) struct Tools {
    pub(super) store: PgStore,
    pub(super) correlator: Correlator,
    pub(super) keyring: Arc<dyn Keyring>,
}

/// The receipts of one stream in one batch.
struct Stream {
    id: StreamId,
    commands: Vec<RecordReceipt>,
}

/// A batch that waits to be written.
struct Batch {
    streams: Vec<Stream>,
    messages: Vec<jetstream::Message>,
}

/// Runs until dropped.
pub(super) async fn run(tools: Tools, source: Source) -> Result<(), Fault> {
    let (forward, mut prepared) = mpsc::channel(1);
    let reading = tokio::spawn(read(tools.clone(), source, forward));
    while let Some(batch) = prepared.recv().await {
        record(&tools.store, &batch).await?;
        for message in &batch.messages {
            message.ack().await?;
        }
    }
    reading.await?
}

async fn read(tools: Tools, source: Source, forward: mpsc::Sender<Batch>) -> Result<(), Fault> {
    let (_never, stop) = watch::channel(false);
    let mut batches = pin!(Requests::open(source, BATCH).await?.batches(stop));
    while let Some((messages, broken)) = batches.next().await {
        if let Some(broken) = broken {
            return Err(broken.into());
        }
        let batch = prepare(&tools, messages).await?;
        if forward.send(batch).await.is_err() {
            break;
        }
    }
    Ok(())
}

async fn prepare(tools: &Tools, chunk: Vec<jetstream::Message>) -> Result<Batch, Fault> {
    let (mut messages, mut receipts, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
    for message in chunk {
        let arrived = Timestamp::from_datetime(message.info()?.published);
        let Ok(received) = ReceivedReceipt::parse(&message.payload, arrived) else {
            message.ack_with(AckKind::Term).await?;
            continue;
        };
        wanted.push(Wanted::of(&received));
        receipts.push((received, trace(&message)));
        messages.push(message);
    }
    let found = tools.correlator.find(&wanted).await?;
    let mut tenants: Vec<_> = found.iter().flatten().map(|found| found.tenant).collect();
    tenants.sort_unstable();
    tenants.dedup();
    let keys = tools.keyring.of_tenants(&tenants).await?;
    let mut streams: Vec<Stream> = Vec::with_capacity(receipts.len());
    let mut places = HashMap::with_capacity(receipts.len());
    for ((received, trace), found) in receipts.into_iter().zip(found) {
        let found = found.ok_or("the traffic holds a receipt of no message")?;
        let id = StreamId::message(found.message.id);
        let place = match places.entry(id) {
            Entry::Occupied(place) => *place.get(),
            Entry::Vacant(vacant) => {
                let commands = Vec::with_capacity(1);
                streams.push(Stream { id, commands });
                *vacant.insert(streams.len() - 1)
            }
        };
        let tenant = keys[&found.tenant].unlocked()?;
        let command = RecordReceipt::new(received, found.message, tenant, trace);
        streams[place].commands.push(command);
    }
    Ok(Batch { streams, messages })
}

/// Writes a batch: first as if every stream were new, then what was not, with its history.
async fn record(store: &PgStore, batch: &Batch) -> Result<(), Fault> {
    let decided = batch.streams.iter();
    let mut decided: Vec<_> = decided
        .filter_map(|stream| Some((stream, decide(stream, &[])?)))
        .collect();
    while !decided.is_empty() {
        let (streams, appends): (Vec<_>, Vec<_>) = decided.into_iter().unzip();
        let outcomes = store.append(appends).await?;
        let refused = streams.into_iter().zip(outcomes).filter(|(_, outcome)| {
            !matches!(outcome, Outcome::Recorded { .. } | Outcome::AlreadyRecorded)
        });
        let refused: Vec<&Stream> = refused.map(|(stream, _)| stream).collect();
        if refused.is_empty() {
            break;
        }
        let ids: Vec<_> = refused.iter().map(|stream| stream.id).collect();
        let histories = store.read_streams(&ids).await?;
        let again = refused.into_iter().zip(&histories);
        decided = again
            .filter_map(|(stream, history)| Some((stream, decide(stream, history)?)))
            .collect();
    }
    Ok(())
}

/// What follows for a stream, if anything.
fn decide(stream: &Stream, history: &[RecordedEvent]) -> Option<Append> {
    let mut state = folded::<MessageDecider>(history);
    let expected = history.last().map_or(0, |last| last.version);
    let (mut events, mut version) = (Vec::with_capacity(1), expected);
    for command in &stream.commands {
        let decided = MessageDecider::decide(&state, command);
        for event in decided.into_iter().flat_map(|decision| decision.events) {
            version += 1;
            let place = EventPlace {
                log: LogId::DEFAULT,
                stream: stream.id,
                version,
            };
            let recorded = RecordedEvent {
                position: 0,
                stream: stream.id,
                version,
                recorded_at: command.receipt.received_at,
                fact: command.record(place, event),
            };
            MessageDecider::fold(&mut state, &recorded);
            events.push(recorded.fact);
        }
    }
    (!events.is_empty()).then(|| Append {
        stream: stream.id,
        expected,
        events,
        guards: Vec::new(),
    })
}

fn trace(message: &jetstream::Message) -> Option<String> {
    let value = message.headers.as_ref()?.get("traceparent")?;
    Some(value.as_str().to_owned())
}
