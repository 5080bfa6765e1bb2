//! `tollbook dlr`: takes in delivery receipts, records and publishes them.

use std::sync::Arc;

use actors::{
    receipts::correlate::{Correlator, FindMessages as _},
    services::dlr::{DlrDeps, DlrMetrics, DlrOptions, IntakeOptions},
};
use projections::Reader;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use super::RoleError;
use crate::{
    cli::DlrSettings,
    nats::watch::ConsumerGauges,
    service::{LOG, Login, Service, Setup, size, until_served},
    services,
    settings::ReceiptSettings,
    shutdown::Shutdown,
    telemetry::traceparent,
    views::Tables,
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
        context = connect(settings, services::DLR.login(), shutdown.clone()) => context?,
        () = shutdown.soft() => return Ok(()),
    };
    let database = context.service.database.clone();
    let correlator = Correlator::new(database, context.receipts.dlr_match_window);
    let ask = async || correlator.find(&[]).await.map(drop);
    Box::pin(context.service.run(serve(&context), ask)).await
}

/// Connects everything, as whoever `login` says.
///
/// # Errors
/// Something needed is not there.
pub async fn connect(
    settings: DlrSettings,
    login: Login,
    shutdown: Shutdown,
) -> Result<Context, RoleError> {
    let metrics = Arc::new(DlrMetrics::default());
    let mut registry = Registry::default();
    metrics.register(&mut registry);
    let setup = Setup {
        spec: &services::DLR,
        login,
        settings: &settings.service,
        gauges: ConsumerGauges {
            ack_pending: metrics.nats_ack_pending.clone(),
            pending: metrics.nats_pending.clone(),
            served: metrics.nats_consumer_status.clone(),
        },
        registry,
    };
    Ok(Context {
        service: Service::connect(setup, shutdown).await?,
        receipts: settings.receipts,
        metrics,
    })
}

/// Handles receipts until a soft stop, then finishes what was begun: intake first, so that
/// nothing new comes in, then the projections, at last the acknowledgements still queued.
async fn serve(context: &Context) -> Result<(), RoleError> {
    let service = &context.service;
    let following = service.follow(service.projections());
    let (end, ending) = watch::channel(false);
    let (deps, options) = (context.deps(), context.options());
    let actors = actors::services::dlr::run(deps, options, service.source(), ending);
    until_served(service.shutdown.soft(), tokio::spawn(actors), end).await?;
    following.stop().await;
    service.flush().await;
    Ok(())
}

impl Context {
    /// What the actors work with.
    #[must_use]
    pub fn deps(&self) -> DlrDeps {
        let service = &self.service;
        DlrDeps {
            database: service.database.clone(),
            view: Arc::new(Tables(Reader::new(service.database.clone(), LOG))),
            store: Arc::clone(&service.store),
            log: LOG,
            feed: Arc::clone(&service.feed),
            keyring: service.keyring.clone(),
            metrics: Arc::clone(&self.metrics),
            pulse: Arc::clone(&service.pulse),
            adopt: traceparent::adopt,
        }
    }

    /// How the actors work, from the settings of receipts.
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
