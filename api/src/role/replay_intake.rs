//! `tollbook replay-intake`: takes in again what arrived in a stream since a moment.
//!
//! For when the end of the log was lost to a failover or a restore: what was recorded there had been
//! acknowledged and does not come again by itself. What the log still has is found to be known,
//! because ids are derived from what happened; what it lost is recorded again. The services go on
//! meanwhile, and it may run twice.

use std::{convert::Infallible, future::Future, sync::Arc};

use actors::{
    runtime::intake::Source,
    services::billing::{Billing, BillingMetrics},
};
use prometheus_client::registry::Registry;
use tokio::{sync::watch, task::JoinHandle};

use super::{RoleError, billing, dlr, say};
use crate::{
    cli::{ReplaySettings, Taken},
    nats::{
        ADMIN, NatsError,
        plan::{
            BILLING_CONSUMER, BILLING_REPLAY, BILLING_STREAM, DLR_CONSUMER, DLR_REPLAY, planned,
        },
        replay::Replay,
    },
    service::{Service, Settings, until_served},
    shutdown::Shutdown,
};

/// What Postgres shows in `pg_stat_activity`.
const APPLICATION: &str = "tollbook-replay-intake";

/// Takes everything in again and says how much that was.
///
/// # Errors
/// Something needed is not there, or not everything could be taken in.
pub async fn run(settings: ReplaySettings, shutdown: Shutdown) -> Result<(), RoleError> {
    match settings.what {
        Taken::Receipts => receipts(settings, shutdown).await,
        Taken::Settlements => settlements(settings, shutdown).await,
    }
}

async fn receipts(settings: ReplaySettings, shutdown: Shutdown) -> Result<(), RoleError> {
    let (since, stream) = (settings.since, settings.dlr.nats.nats_stream_dlr.clone());
    let max_ack_pending = settings.dlr.receipts.dlr_max_ack_pending;
    let context = dlr::connect(settings.dlr, ADMIN, APPLICATION, shutdown).await?;
    let replay = Replay {
        jetstream: context.service.jetstream.clone(),
        plan: planned(DLR_CONSUMER),
        stream,
        consumer: DLR_REPLAY,
        since,
        max_ack_pending,
    };
    let (end, ending) = watch::channel(false);
    let source = opener(&replay);
    let actors = actors::services::dlr::run(context.deps(), context.options(), source, ending);
    let taking = take(&context.service, &replay, actors, end);
    Box::pin(context.service.run(taking, nothing_to_ask)).await
}

async fn settlements(settings: ReplaySettings, shutdown: Shutdown) -> Result<(), RoleError> {
    let metrics = Arc::new(BillingMetrics::default());
    let shared = Settings {
        nats: &settings.dlr.nats,
        database: &settings.dlr.database,
        master_key: &settings.dlr.master_key,
        probes: &settings.dlr.probes,
    };
    let registry = Registry::default();
    let who = (ADMIN, APPLICATION);
    let service = billing::connect(shared, who, &metrics, registry, shutdown).await?;
    let replay = Replay {
        jetstream: service.jetstream.clone(),
        plan: planned(BILLING_CONSUMER),
        stream: BILLING_STREAM.to_owned(),
        consumer: BILLING_REPLAY,
        since: settings.since,
        max_ack_pending: settings.charges.billing_max_ack_pending,
    };
    let (end, ending) = watch::channel(false);
    let deps = billing::deps(&service, &metrics);
    let billing = Billing::new(deps, billing::options(&settings.charges));
    let actors = billing.run(opener(&replay), ending);
    let taking = take(&service, &replay, actors, end);
    Box::pin(service.run(taking, nothing_to_ask)).await
}

/// Nobody asks this process anything.
async fn nothing_to_ask() -> Result<(), Infallible> {
    Ok(())
}

/// What opens the consumer, each time it is asked.
fn opener(
    replay: &Replay,
) -> impl Fn() -> futures::future::BoxFuture<'static, Result<Source, NatsError>>
+ Send
+ Sync
+ 'static
+ use<> {
    let replay = replay.clone();
    move || {
        let replay = replay.clone();
        Box::pin(async move {
            let consumer = replay.open().await?;
            let jetstream = replay.jetstream;
            Ok(Source {
                consumer,
                jetstream,
            })
        })
    }
}

/// Lets the actors take everything in, and ends them when it is answered or at a soft stop.
async fn take(
    service: &Service,
    replay: &Replay,
    actors: impl Future<Output = ()> + Send + 'static,
    end: watch::Sender<bool>,
) -> Result<(), RoleError> {
    // Nothing is shown or published from here; the log is only looked at.
    let following = service.follow(Vec::new());
    let actors: JoinHandle<()> = tokio::spawn(actors);
    let mut outcome = Err(RoleError::NotDrained);
    let taking = async {
        tokio::select! {
            answered = replay.answered() => outcome = answered.map_err(RoleError::from),
            () = service.shutdown.soft() => {}
        }
    };
    until_served(taking, actors, end).await?;
    following.stop().await;
    service.flush().await;
    let taken = outcome?;
    say(format_args!("{taken} messages taken in again"));
    Ok(())
}
