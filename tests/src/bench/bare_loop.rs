//! The loop of a floor: what is left of a service without actors, projections and recovery.
//!
//! It pulls up to 1 000 messages as the services do, prepares them, makes them durable and
//! acknowledges them; the next batch is prepared while the last one is written. It supports one
//! process only, keeps nothing in memory between batches, and survives nothing.

use std::pin::pin;

use actors::runtime::intake::{Requests, Source};
use async_nats::jetstream::Message;
use async_trait::async_trait;
use futures::StreamExt as _;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use crate::world::Fault;

/// The most messages of one batch.
const BATCH: usize = 1_000;

/// What a floor does with its messages.
#[async_trait]
pub(super) trait Work: Clone + Send + Sync + 'static {
    /// What is to be written for a batch.
    type Prepared: Send;

    /// Says what is to be written, and which of the messages are acknowledged then. The others are
    /// answered here.
    async fn prepare(
        &self,
        messages: Vec<Message>,
    ) -> Result<(Self::Prepared, Vec<Message>), Fault>;

    /// Makes a batch durable.
    async fn write(&self, prepared: Self::Prepared) -> Result<(), Fault>;
}

/// Runs until dropped.
pub(super) async fn run<W: Work>(work: W, source: Source) -> Result<(), Fault> {
    let (forward, mut prepared) = mpsc::channel(1);
    // Ends with this function: a puller that outlived its run would take the messages of the next.
    let mut pulling = JoinSet::new();
    pulling.spawn(pull(work.clone(), source, forward));
    while let Some((batch, messages)) = prepared.recv().await {
        work.write(batch).await?;
        for message in messages {
            message.ack().await?;
        }
    }
    match pulling.join_next().await {
        Some(ended) => ended?,
        None => Ok(()),
    }
}

async fn pull<W: Work>(
    work: W,
    source: Source,
    forward: mpsc::Sender<(W::Prepared, Vec<Message>)>,
) -> Result<(), Fault> {
    let (_never, stop) = watch::channel(false);
    let mut batches = pin!(Requests::open(source, BATCH).await?.batches(stop));
    while let Some((messages, broken)) = batches.next().await {
        if let Some(broken) = broken {
            return Err(broken.into());
        }
        let batch = work.prepare(messages).await?;
        if forward.send(batch).await.is_err() {
            break;
        }
    }
    Ok(())
}
