//! `tollbook billing`: charges settled messages, and answers about it.

use std::sync::Arc;

use actors::{
    erasure::metrics::ErasureMetrics,
    runtime::intake::PullOptions,
    services::billing::{Billing, BillingDeps, BillingMetrics, BillingOptions, Sources},
};
use projections::{Reader, operator_statements::comparison::Comparisons};
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use super::RoleError;
use crate::{
    cli::BillingSettings,
    http::{
        edge::Edge, exports::Exports, limits::RateLimits, metrics::HttpMetrics, server::Server,
        shares::Shares,
    },
    identity::metrics::KeyGauges,
    nats::watch::ConsumerGauges,
    rest::{
        self,
        state::{AppState, Statements},
    },
    service::{LOG, Login, Service, Setup, size, until_served},
    services,
    settings::{ChargeSettings, ServiceSettings},
    shutdown::Shutdown,
    telemetry::traceparent,
    views::{CaughtUpCharges, Tables},
};

/// Runs until it is told to stop.
///
/// # Errors
/// Something needed is not there at the start, or not everything could be finished at the end.
pub async fn run(settings: BillingSettings, shutdown: Shutdown) -> Result<(), RoleError> {
    // Before anything connects: what is wrong with the settings of the REST port.
    let edge = Arc::new(Edge {
        identity: settings.identity.identity(&settings.http)?,
        limits: RateLimits::new(settings.http.allowance(), settings.http.tenant_allowance()),
        questions: Shares::new(size(settings.http.http_tenant_questions)),
        body: settings.http.body(),
        upload: settings.http.upload(),
        timeout: settings.http.http_timeout,
        metrics: HttpMetrics::default(),
    });
    let exports = Arc::new(settings.http.exports());
    let options = settings.http.server()?;
    let questions = settings
        .questions
        .pool(&settings.service.database, services::BILLING.name())?;
    let comparisons = Comparisons::new(questions.clone(), LOG);
    let questions = Reader::new(questions, LOG);
    let metrics = Arc::new(BillingMetrics::default());
    let mut registry = Registry::default();
    registry.register_collector(Box::new(KeyGauges(Arc::clone(&edge.identity.keys))));
    edge.metrics.register(&mut registry);
    let erasures = ErasureMetrics::default();
    erasures.register(&mut registry);
    let login = services::BILLING.login();
    let service = tokio::select! {
        service = connect(&settings.service, login, &metrics, registry, shutdown.clone()) => service?,
        () = shutdown.soft() => return Ok(()),
    };
    let server = Server::bind(options).await?;
    if edge.identity.platform.is_empty() {
        tracing::warn!(event = "identity.no_platform_tenant");
    }
    let parts = Parts {
        service: &service,
        charges: &settings.charges,
        metrics,
        erasures,
        edge,
        questions,
        exports,
        comparisons,
    };
    // Not on the connections for questions: that they are busy is no reason to be out of service.
    let reader = Reader::new(service.database.clone(), LOG);
    let ask = async || projections::services::billing::probe(&reader).await;
    Box::pin(service.run(parts.serve(server), ask)).await
}

/// Connects everything, as whoever `login` says.
///
/// # Errors
/// Something needed is not there.
pub(super) async fn connect(
    settings: &ServiceSettings,
    login: Login,
    metrics: &Arc<BillingMetrics>,
    mut registry: Registry,
    shutdown: Shutdown,
) -> Result<Service, RoleError> {
    metrics.register(&mut registry);
    let setup = Setup {
        spec: &services::BILLING,
        login,
        settings,
        gauges: ConsumerGauges {
            ack_pending: metrics.nats_ack_pending.clone(),
            pending: metrics.nats_consumer_lag.clone(),
            served: metrics.nats_consumer_status.clone(),
        },
        registry,
    };
    Ok(Service::connect(setup, shutdown).await?)
}

/// The parts that serve.
struct Parts<'a> {
    service: &'a Service,
    charges: &'a ChargeSettings,
    metrics: Arc<BillingMetrics>,
    erasures: ErasureMetrics,
    edge: Arc<Edge>,
    questions: Reader,
    exports: Arc<Exports>,
    comparisons: Comparisons,
}

impl Parts<'_> {
    /// Charges and answers until a soft stop, then finishes what was begun: calls first, then
    /// intake, then the projections, which both wait for, at last the acknowledgements still
    /// queued.
    async fn serve(self, server: Server) -> Result<(), RoleError> {
        let service = self.service;
        let following = service.follow(service.projections());
        let deps = deps(service, &self.metrics, self.erasures);
        let billing = Billing::new(deps, options(self.charges));
        let state = AppState {
            questions: self.questions.clone(),
            reader: Reader::new(service.database.clone(), LOG),
            commands: billing.commands(),
            keyring: service.keyring.clone(),
            store: service.store.clone(),
            exports: Arc::clone(&self.exports),
            statements: Statements::new(self.comparisons.clone()),
        };
        let router = rest::router(state, &self.edge);
        let (end, ending) = watch::channel(false);
        let sources = Sources {
            settlements: service.source(),
            erasures: Some(service.other_source(&services::billing::ERASURES)),
        };
        let actors = tokio::spawn(billing.run(sources, ending));
        // Calls under way need the actors, so these end when the last call is answered.
        let edge = Arc::clone(&self.edge);
        let serving = async {
            tokio::select! {
                () = server.serve(router, &service.shutdown) => {}
                never = edge.identity.look_after() => match never {},
                never = edge.limits.look_after() => match never {},
            }
        };
        until_served(serving, actors, end).await?;
        following.stop().await;
        service.flush().await;
        Ok(())
    }
}

/// What the actors work with.
pub(super) fn deps(
    service: &Service,
    metrics: &Arc<BillingMetrics>,
    erasures: ErasureMetrics,
) -> BillingDeps {
    let charges = CaughtUpCharges {
        reader: Reader::new(service.database.clone(), LOG),
        store: Arc::clone(&service.store),
    };
    BillingDeps {
        view: Arc::new(Tables(Reader::new(service.database.clone(), LOG))),
        paid: Arc::new(Tables(Reader::new(service.database.clone(), LOG))),
        costs: Arc::new(Tables(Reader::new(service.database.clone(), LOG))),
        charges: Arc::new(charges.clone()),
        account_charges: Arc::new(charges),
        store: Arc::clone(&service.store),
        log: LOG,
        feed: Arc::clone(&service.feed),
        keyring: service.keyring.clone(),
        metrics: Arc::clone(metrics),
        erasures,
        pulse: Arc::clone(&service.pulse),
        adopt: traceparent::adopt,
    }
}

/// How the actors work, from the settings of charges.
pub(super) fn options(charges: &ChargeSettings) -> BillingOptions {
    let intake = PullOptions {
        batch: size(charges.billing_batch),
        in_flight_max: size(charges.billing_max_ack_pending),
    };
    BillingOptions {
        intake: charges.billing_consumer_enabled.then_some(intake),
        live_max: size(charges.billing_live_actors),
    }
}
