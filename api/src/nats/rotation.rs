//! Uses new certificates and authorities as soon as they are there.
//!
//! Each is tried on a connection of its own before the one we have is given up for it. What does
//! not work is told once and looked at again and again, for a server may merely be away.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use actors::runtime::{intake::EXPIRES, pulse::Pulse};
use async_nats::Client;
use eventstore::{files::Stamps, log::chain};

use super::{Access, NatsError, credentials::Credentials};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// How long what was handed out last may take to be acknowledged.
const ANSWERS: Duration = Duration::from_millis(500);
/// How long the new connection is waited for before it is left to come when it can.
const CONNECTED: Duration = Duration::from_secs(5);
/// How often it is looked for.
const CONNECTED_LOOK: Duration = Duration::from_millis(5);
/// A certificate with less than this part of its life left should have been followed by another.
const ENDING: i64 = 10;

/// Watches the files of `access`, for ever, and reconnects when they hold others that work.
pub async fn watch(client: &Client, access: &Access, pulse: &Pulse) -> Infallible {
    let Some(credentials) = &access.credentials else {
        return std::future::pending().await;
    };
    let (mut told, mut told_ending) = (None::<Stamps>, None::<Stamps>);
    loop {
        let used = credentials.used();
        if let Some((left, life)) = used.remaining() {
            access.remaining.set(left);
            if left < life / ENDING && told_ending.as_ref() != Some(&used.stamps) {
                told_ending = Some(used.stamps.clone());
                tracing::error!(event = "nats.certificate_ending", seconds = left);
            }
        }
        tokio::time::sleep(LOOK).await;
        let now = credentials.stamps();
        if now == used.stamps {
            continue;
        }
        match exchange(access, credentials).await {
            Ok(()) => reconnect(client, pulse).await,
            Err(error) => {
                if told.replace(now.clone()) != Some(now) {
                    let error = chain(&error);
                    tracing::warn!(event = "nats.certificate_unusable", error);
                }
            }
        }
    }
}

/// Connects anew once nothing is on its way here: what is handed out for a request of a connection
/// that is gone comes again only after `ack_wait`. The client may still send on the old connection
/// what it is given after it was told to connect anew, so nothing is asked for before it has.
async fn reconnect(client: &Client, pulse: &Pulse) {
    let pause = pulse.pause();
    tokio::time::sleep(EXPIRES + ANSWERS).await;
    let statistics = client.statistics();
    let before = statistics.connects.load(Ordering::Relaxed);
    match client.force_reconnect().await {
        Ok(()) => {
            let connected = async {
                while statistics.connects.load(Ordering::Relaxed) == before {
                    tokio::time::sleep(CONNECTED_LOOK).await;
                }
            };
            let _ = tokio::time::timeout(CONNECTED, connected).await;
            tracing::info!(event = "nats.certificate_rotated");
        }
        Err(error) => tracing::error!(event = "nats.certificate_unused", error = %error),
    }
    drop(pause);
}

/// Reads the files, connects with them, and has them used from the next connection on.
async fn exchange(access: &Access, credentials: &Arc<Credentials>) -> Result<(), NatsError> {
    let new = credentials.read()?;
    let trial = Access {
        credentials: Some(credentials.with(new.clone())),
        ..access.clone()
    };
    trial.open(|connect| connect).await?;
    credentials.use_from_now_on(new);
    Ok(())
}
