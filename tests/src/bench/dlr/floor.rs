//! The floor: a bare loop that does the same durable work in batches, without actors.
//!
//! Check, correlate with one query, decide by the same pure rules, seal, append in one transaction;
//! where it also announces, publish on `billing.events` what is settled and wait until all of it is
//! acknowledged. It assumes that every stream is new; where that is wrong it reads the streams and
//! decides again. How batches come and go, see [`bare_loop`].

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use actors::{
    receipts::{
        correlate::{Correlator, FindMessages as _, Wanted},
        decide::message::{MessageDecider, RecordReceipt},
    },
    runtime::decider::{Command as _, Decider as _, EventPlace, folded, version_of},
};
use async_nats::jetstream::{AckKind, Message};
use async_trait::async_trait;
use eventstore::{
    Append, EventStore as _, LogId, Outcome, RecordedEvent, keyring::Keyring, postgres::PgStore,
};
use projections::runtime::publishing::{Announcement, Outbox};
use schema::{
    Event, MessageId, Position, ReceivedReceipt, StreamId, TenantId, Timestamp,
    published::{BILLING_EVENTS, BillingEvent, SCHEMA_VERSION},
};

use crate::{
    bench::{
        bare_loop::{self, Work},
        connect,
    },
    world::{Fault, World},
};

/// The role that receipts are recorded as.
pub(super) const ROLE: &str = "dlr_svc";
/// How long a message is found by its receipts.
pub(super) const MATCH_WINDOW: Duration = Duration::from_hours(7 * 24);

/// What the loop works with.
#[derive(Clone)]
struct Tools {
    store: PgStore,
    correlator: Correlator,
    keyring: Arc<dyn Keyring>,
    /// Where what is settled is announced, if it is.
    outbox: Option<Arc<Outbox>>,
}

/// The receipts of one stream in one batch.
struct Stream {
    id: StreamId,
    tenant: TenantId,
    commands: Vec<RecordReceipt>,
}

/// Records receipts until dropped; with `announcing`, what is settled is published too.
pub(in crate::bench) async fn run(world: &World, announcing: bool) -> Result<(), Fault> {
    let database = connect::database(world, ROLE)?;
    let source = connect::receipts(world).await?;
    let outbox = || Outbox::new(source.jetstream.client(), BILLING_EVENTS);
    let tools = Tools {
        keyring: connect::keyring(world, &database)?,
        store: PgStore::new(database.clone(), LogId::DEFAULT),
        correlator: Correlator::new(database, MATCH_WINDOW),
        outbox: announcing.then(|| Arc::new(outbox())),
    };
    bare_loop::run(tools, source).await
}

#[async_trait]
impl Work for Tools {
    type Prepared = Vec<Stream>;

    async fn prepare(&self, messages: Vec<Message>) -> Result<(Vec<Stream>, Vec<Message>), Fault> {
        let (mut good, mut receipts, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
        for message in messages {
            let arrived = Timestamp::from_datetime(message.info()?.published);
            let Ok(received) = ReceivedReceipt::parse(&message.payload, arrived) else {
                message.ack_with(AckKind::Term).await?;
                continue;
            };
            wanted.push(Wanted::of(&received));
            receipts.push((received, trace(&message)));
            good.push(message);
        }
        Ok((self.streams(receipts, &wanted).await?, good))
    }

    /// First as if every stream were new, then what was not, with its history.
    async fn write(&self, streams: Vec<Stream>) -> Result<(), Fault> {
        let mut announcements = Vec::new();
        let unread: Vec<Vec<RecordedEvent>> = vec![Vec::new(); streams.len()];
        let (mut streams, mut histories) = (streams.iter().collect::<Vec<_>>(), unread);
        loop {
            let mut decided = Vec::with_capacity(streams.len());
            for (stream, history) in streams.into_iter().zip(&histories) {
                if let Some((append, settled)) = self.decide(stream, history)? {
                    decided.push((append, (stream, settled)));
                }
            }
            let (appends, decided): (Vec<_>, Vec<_>) = decided.into_iter().unzip();
            streams = Vec::new();
            for ((stream, settled), outcome) in
                decided.into_iter().zip(self.store.append(appends).await?)
            {
                match outcome {
                    Outcome::Recorded { .. } => announcements.extend(settled),
                    Outcome::AlreadyRecorded => {}
                    _ => streams.push(stream),
                }
            }
            if streams.is_empty() {
                break;
            }
            let ids: Vec<_> = streams.iter().map(|stream| stream.id).collect();
            histories = self.store.read_streams(&ids).await?;
        }
        match &self.outbox {
            Some(outbox) => Ok(outbox.publish_all(announcements).await?),
            None => Ok(()),
        }
    }
}

impl Tools {
    /// Finds the message of each receipt and groups the receipts by it.
    async fn streams(
        &self,
        receipts: Vec<(ReceivedReceipt, Option<String>)>,
        wanted: &[Wanted],
    ) -> Result<Vec<Stream>, Fault> {
        let found = self.correlator.find(wanted).await?;
        let mut tenants: Vec<_> = found.iter().flatten().map(|found| found.tenant).collect();
        tenants.sort_unstable();
        tenants.dedup();
        let keys = self.keyring.of_tenants(&tenants).await?;
        let mut streams: Vec<Stream> = Vec::with_capacity(receipts.len());
        let mut places = HashMap::with_capacity(receipts.len());
        for ((received, trace), found) in receipts.into_iter().zip(found) {
            let found = found.ok_or("the traffic holds a receipt of no message")?;
            let id = StreamId::message(found.message.id);
            let place = match places.entry(id) {
                Entry::Occupied(place) => *place.get(),
                Entry::Vacant(vacant) => {
                    streams.push(Stream {
                        id,
                        tenant: found.tenant,
                        commands: Vec::with_capacity(1),
                    });
                    *vacant.insert(streams.len() - 1)
                }
            };
            let tenant = keys[&found.tenant].unlocked()?;
            let command = RecordReceipt::new(received, found.message, tenant, trace);
            streams[place].commands.push(command);
        }
        Ok(streams)
    }

    /// What follows for a stream, if anything, and what is to be announced of it.
    fn decide(
        &self,
        stream: &Stream,
        history: &[RecordedEvent],
    ) -> Result<Option<(Append, Option<Announcement>)>, Fault> {
        let mut state = folded::<MessageDecider>(history);
        let expected = version_of(history);
        let (mut events, mut version) = (Vec::with_capacity(1), expected);
        let mut settled = None;
        for command in &stream.commands {
            let decided = MessageDecider::decide(&state, command);
            for event in decided.into_iter().flat_map(|decision| decision.events) {
                version = version.next();
                let place = EventPlace {
                    log: LogId::DEFAULT,
                    stream: stream.id,
                    version,
                };
                let recorded = RecordedEvent {
                    position: Position::BEGINNING,
                    stream: stream.id,
                    version,
                    recorded_at: command.receipt.received_at,
                    data: command.record(place, event),
                };
                MessageDecider::fold(&mut state, &recorded);
                if self.outbox.is_some() {
                    settled = announcement(&recorded, stream.tenant)?.or(settled);
                }
                events.push(recorded.data);
            }
        }
        let append = |events| Append {
            stream: stream.id,
            expected,
            events,
            guards: Vec::new(),
        };
        Ok((!events.is_empty()).then(|| (append(events), settled)))
    }
}

/// The message about a settlement.
fn announcement(event: &RecordedEvent, tenant_id: TenantId) -> Result<Option<Announcement>, Fault> {
    let Event::MessageSettled(settled) = &event.data.event else {
        return Ok(None);
    };
    let message = BillingEvent {
        schema_version: SCHEMA_VERSION.to_owned(),
        event_id: event.data.id.announced_on(BILLING_EVENTS),
        event_type: "DLR_TERMINAL".to_owned(),
        message_id: MessageId(event.stream.id),
        tenant_id,
        account_id: event.data.account.ok_or("a settlement of no account")?,
        operator_id: settled.receipt.operator_id,
        direction: "MT".to_owned(),
        segment_count: settled.segment_count,
        dlr_status: settled.receipt.dlr_status,
        occurred_at: settled.receipt.delivered_at,
        charged_at: settled.receipt.delivered_at,
        account_tier: None,
        currency: None,
    };
    let made = Announcement::of(event, message.event_id, Some(tenant_id), &message)?;
    Ok(Some(made))
}

fn trace(message: &Message) -> Option<String> {
    let value = message.headers.as_ref()?.get("traceparent")?;
    Some(value.as_str().to_owned())
}
