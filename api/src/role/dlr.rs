//! `tollbook dlr`: takes in delivery receipts, records and publishes them.

use std::sync::Arc;

use actors::{
    receipts::correlate::Correlator,
    services::dlr::{DlrDeps, DlrMetrics, DlrOptions, IntakeOptions},
};
use eventstore::keyring::Keyring;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use super::RoleError;
use crate::{
    cli::DlrSettings,
    database::needs,
    nats::{
        self, Identity,
        plan::DLR_CONSUMER,
        watch::{Watched, gauge},
    },
    service::{LOG, Plan, Service, Settings, size, until_served},
    settings::ReceiptSettings,
    shutdown::Shutdown,
    telemetry::traceparent,
};

/// Everything that handling receipts needs, connected and checked.
pub struct Context {
    pub(super) service: Service,
    receipts: ReceiptSettings,
    metrics: Arc<DlrMetrics>,
}

/// Runs until it is told to stop.
///
/// # Errors
/// Something needed is not there at the start, or not everything could be finished at the end.
pub async fn run(settings: DlrSettings, shutdown: Shutdown) -> Result<(), RoleError> {
    let context = tokio::select! {
        context = connect(settings, nats::DLR, nats::DLR.user, shutdown.clone()) => context?,
        () = shutdown.soft() => return Ok(()),
    };
    let database = context.service.database.clone();
    let correlator = Correlator::new(database, context.receipts.dlr_match_window);
    let ask = async || correlator.find(&[]).await.map(drop);
    Box::pin(context.service.run(serve(&context), ask)).await
}

/// Connects everything, to NATS as `identity`, to Postgres as `application`.
///
/// # Errors
/// Something needed is not there.
pub async fn connect(
    settings: DlrSettings,
    identity: Identity,
    application: &str,
    shutdown: Shutdown,
) -> Result<Context, RoleError> {
    let metrics = Arc::new(DlrMetrics::default());
    let mut registry = Registry::default();
    metrics.register(&mut registry);
    let plan = Plan {
        identity,
        application,
        needs: &needs::DLR,
        watched: watched(&settings, &metrics),
        registry,
        probe_port: 3000,
        db_error: "dlr.db_error",
    };
    let shared = Settings {
        nats: &settings.nats,
        database: &settings.database,
        master_key: &settings.master_key,
        probes: &settings.probes,
    };
    Ok(Context {
        service: Service::connect(shared, plan, shutdown).await?,
        receipts: settings.receipts,
        metrics,
    })
}

/// Handles receipts until a soft stop, then finishes what was begun: intake first, so that
/// nothing new comes in, then the projections, at last the acknowledgements still queued.
async fn serve(context: &Context) -> Result<(), RoleError> {
    let service = &context.service;
    let keyring: Arc<dyn Keyring> = service.keyring.clone();
    let projections = projections::services::dlr::projections(&service.nats, &keyring);
    let following = service.follow(projections);
    let (end, ending) = watch::channel(false);
    let (deps, options) = (context.deps(), context.options());
    let actors = actors::services::dlr::run(deps, options, service.source(), ending);
    until_served(service.shutdown.soft(), tokio::spawn(actors), end).await?;
    following.stop().await;
    service.flush().await;
    Ok(())
}

fn watched(settings: &DlrSettings, metrics: &Arc<DlrMetrics>) -> Watched {
    let (metrics, status) = (Arc::clone(metrics), Arc::clone(metrics));
    Watched {
        stream: settings.nats.nats_stream_dlr.clone(),
        consumer: DLR_CONSUMER,
        tell: Arc::new(move |info| {
            if let Some(info) = info {
                metrics.nats_ack_pending.set(gauge(info.num_ack_pending));
                metrics.nats_pending.set(gauge(info.num_pending));
            }
        }),
        tell_status: Arc::new(move |served| {
            status.nats_consumer_status.set(i64::from(served));
        }),
    }
}

impl Context {
    /// What the actors work with.
    #[must_use]
    pub fn deps(&self) -> DlrDeps {
        let service = &self.service;
        DlrDeps {
            database: service.database.clone(),
            store: Arc::clone(&service.store),
            log: LOG,
            feed: Arc::clone(&service.feed),
            keyring: service.keyring.clone(),
            metrics: Arc::clone(&self.metrics),
            pulse: Arc::clone(&service.pulse),
            adopt: traceparent::adopt,
        }
    }

    /// How the actors work.
    #[must_use]
    pub fn options(&self) -> DlrOptions {
        let receipts = &self.receipts;
        DlrOptions {
            intake: IntakeOptions {
                batch: size(receipts.dlr_batch),
                in_flight_max: size(receipts.dlr_max_ack_pending),
                grace: receipts.dlr_grace,
                match_window: receipts.dlr_match_window,
                waiting_max: size(receipts.dlr_waiting_max),
                orphans_per_hour: receipts.dlr_orphans_per_hour,
            },
            orphan_keep: receipts.dlr_orphan_keep,
            live_max: size(receipts.dlr_live_actors),
        }
    }
}
