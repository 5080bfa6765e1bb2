//! `tollbook replay-intake`: takes in again what arrived in a stream since a moment.
//!
//! For when the end of the log was lost to a failover or a restore: what was recorded there had been
//! acknowledged and does not come again by itself. What the log still has is found to be known,
//! because ids are derived from what happened; what it lost is recorded again. The services go on
//! meanwhile, and it may run twice.

use std::{convert::Infallible, future::Future, sync::Arc};

use actors::{
    erasure::metrics::ErasureMetrics,
    runtime::intake::Source,
    services::billing::{Billing, BillingMetrics, Sources},
};
use prometheus_client::registry::Registry;
use tokio::{sync::watch, task::JoinHandle};

use super::{RoleError, billing, dlr, say};
use crate::{
    cli::{DlrSettings, ReplaySettings, Taken},
    nats::{ADMIN, replay::Replay},
    service::{Login, OpenSource, Service, until_served},
    shutdown::Shutdown,
};

/// Who may make consumers, under a name of its own in `pg_stat_activity`.
const LOGIN: Login = Login {
    user: ADMIN,
    application: "tollbook-replay-intake",
};

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
    let (since, max_ack_pending) = (settings.since, settings.receipts.dlr_max_ack_pending);
    let dlr = DlrSettings {
        service: settings.service,
        receipts: settings.receipts,
    };
    let context = dlr::connect(dlr, LOGIN, shutdown).await?;
    let replay = context.service.replay(since, max_ack_pending);
    let (end, ending) = watch::channel(false);
    let source = opener(&replay);
    let actors = actors::services::dlr::run(context.deps(), context.options(), source, ending);
    let taking = take(&context.service, &replay, actors, end);
    Box::pin(context.service.run(taking, nothing_to_ask)).await
}

async fn settlements(settings: ReplaySettings, shutdown: Shutdown) -> Result<(), RoleError> {
    let metrics = Arc::new(BillingMetrics::default());
    let registry = Registry::default();
    let service = billing::connect(&settings.service, LOGIN, &metrics, registry, shutdown).await?;
    let replay = service.replay(settings.since, settings.charges.billing_max_ack_pending);
    let (end, ending) = watch::channel(false);
    let deps = billing::deps(&service, &metrics, ErasureMetrics::default());
    let billing = Billing::new(deps, billing::options(&settings.charges));
    let sources = Sources {
        settlements: opener(&replay),
        erasures: None,
    };
    let actors = billing.run(sources, ending);
    let taking = take(&service, &replay, actors, end);
    Box::pin(service.run(taking, nothing_to_ask)).await
}

/// Nobody asks this process anything.
async fn nothing_to_ask() -> Result<(), Infallible> {
    Ok(())
}

/// What opens the consumer, each time it is asked.
fn opener(replay: &Replay) -> OpenSource {
    let replay = replay.clone();
    Box::new(move || {
        let replay = replay.clone();
        Box::pin(async move {
            let consumer = replay.open().await?;
            let jetstream = replay.jetstream;
            Ok(Source {
                consumer,
                jetstream,
            })
        })
    })
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
