//! `tollbook dlr`: takes in delivery receipts, records and publishes them.
//!
//! This file connects and checks; [`serve`] is where the actors and projections are put together.

use std::sync::Arc;

use actors::{
    dlr::{DlrDeps, DlrOptions},
    intake::IntakeOptions,
    metrics::DlrMetrics,
};
use async_nats::{Client, jetstream};
use eventstore::{
    EventStore, Feed, LogId,
    keyring::MasterKeyFile,
    log::chain,
    postgres::{Database, PgKeyring, PgStore},
};
use projections::metrics::ProjectionMetrics;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use super::RoleError;
use crate::{
    cli::DlrSettings,
    config::{
        ConfigError,
        settings::{NatsOptions, ReceiptSettings},
    },
    database::{self, DLR_NEEDS},
    health::Health,
    lifecycle::Shutdown,
    nats::{self, plan::DLR_CONSUMER, rotation},
    probes::{self, Probes, Shown},
    telemetry::traceparent,
};

/// Everything that handling receipts needs, connected and checked.
pub struct Context {
    /// The connection to NATS.
    pub nats: Client,
    /// `JetStream` over it.
    pub jetstream: jetstream::Context,
    /// The name of the stream of receipts.
    pub stream: String,
    /// The pool of connections to Postgres, as a modest role.
    pub database: Database,
    /// What wraps the data keys.
    pub master_keys: MasterKeyFile,
    /// How receipts are handled.
    pub receipts: ReceiptSettings,
    /// What the actors count.
    pub metrics: Arc<DlrMetrics>,
    /// How far projections are.
    pub progress: Arc<ProjectionMetrics>,
    /// What the probes show.
    pub health: Arc<Health>,
    /// When to stop.
    pub shutdown: Shutdown,
    nats_options: NatsOptions,
    _probes: Probes,
}

/// Runs until it is told to stop.
///
/// # Errors
/// Something needed is not there at the start, or not everything could be finished at the end.
pub async fn run(settings: DlrSettings, shutdown: Shutdown) -> Result<(), RoleError> {
    let context = tokio::select! {
        context = connect(settings, nats::DLR.user, shutdown.clone()) => context?,
        () = shutdown.soft() => return Ok(()),
    };
    tracing::info!(event = "service.started");
    // Whoever watches does so for as long as we serve, and not a moment longer.
    tokio::select! {
        served = serve(&context) => served?,
        never = look_after(&context) => match never {},
    }
    tracing::info!(event = "service.stopped");
    Ok(())
}

/// Connects everything and checks that it is as it must be. What is wrong with the settings is
/// said before anything connects.
///
/// # Errors
/// Something needed is not there.
pub async fn connect(
    settings: DlrSettings,
    application: &str,
    shutdown: Shutdown,
) -> Result<Context, RoleError> {
    let nats_options = settings.nats.options()?;
    let database_options = settings.database.options(application)?;
    let master_keys = MasterKeyFile::new(settings.master_key.path()?)
        .map_err(|error| ConfigError::value("MASTER_KEY_FILE", chain(&error)))?;
    let database = Database::new(database_options)
        .map_err(|error| ConfigError::value("DATABASE_URL", chain(&error)))?;

    let health = Arc::new(Health::default());
    let metrics = Arc::new(DlrMetrics::default());
    let progress = Arc::new(ProjectionMetrics::default());
    let mut registry = Registry::default();
    metrics.register(&mut registry);
    progress.register(&mut registry);
    let shown = Shown {
        health: Arc::clone(&health),
        registry: Arc::new(registry),
    };
    let probes = probes::start(&settings.probes, shown).await?;

    database::check(&database, &DLR_NEEDS).await?;
    health.postgres.good();
    let client = nats::connect(&nats_options, nats::DLR, Arc::clone(&health)).await?;
    let jetstream = jetstream::new(client.clone());
    let stream = settings.nats.nats_stream_dlr;
    nats::consumer(&jetstream, &stream, DLR_CONSUMER).await?;
    health.consumer.good();
    metrics.nats_consumer_status.set(1);
    Ok(Context {
        nats: client,
        jetstream,
        stream,
        database,
        master_keys,
        receipts: settings.receipts,
        metrics,
        progress,
        health,
        shutdown,
        nats_options,
        _probes: probes,
    })
}

/// Handles receipts until a soft stop, then finishes what was begun: intake first, so that
/// nothing new comes in, then the projections, at last the acknowledgements still queued.
///
/// # Errors
/// A part died that cannot be started again.
pub async fn serve(context: &Context) -> Result<(), RoleError> {
    let deps = context.deps();
    let (end, ending) = watch::channel(false);
    let feed = Arc::clone(&deps.feed);
    let polling = tokio::spawn(async move { feed.poll_head().await });
    let projectors = projections::start(projections::Deps {
        log: deps.log,
        database: deps.database.clone(),
        feed: Arc::clone(&deps.feed),
        metrics: Arc::clone(&context.progress),
        projections: projections::every(&context.nats, &deps.keyring),
    });
    let (jetstream, stream) = (context.jetstream.clone(), context.stream.clone());
    let consumer = move || {
        let (jetstream, stream) = (jetstream.clone(), stream.clone());
        async move { nats::consumer(&jetstream, &stream, DLR_CONSUMER).await }
    };
    let mut processor = tokio::spawn(actors::dlr::run(deps, context.options(), consumer, ending));
    tokio::select! {
        () = context.shutdown.soft() => {}
        // It never ends by itself; whatever ended it, a fresh process is the cure.
        ended = &mut processor => return Err(RoleError::Died(ended.err())),
    }
    context.health.set_stopping();
    end.send_replace(true);
    processor
        .await
        .map_err(|died| RoleError::Died(Some(died)))?;
    projectors.stop().await;
    polling.abort();
    if let Err(error) = context.nats.flush().await {
        tracing::warn!(event = "dlr.ack_error", error = %chain(&error));
    }
    Ok(())
}

impl Context {
    /// What the actors work with.
    #[must_use]
    pub fn deps(&self) -> DlrDeps {
        let log = LogId::DEFAULT;
        let store: Arc<dyn EventStore> = Arc::new(PgStore::new(self.database.clone(), log));
        let keyring = PgKeyring::new(self.database.clone(), self.master_keys.clone());
        DlrDeps {
            database: self.database.clone(),
            feed: Feed::new(Arc::clone(&store)),
            store,
            log,
            keyring: Arc::new(keyring),
            metrics: Arc::clone(&self.metrics),
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
            },
            orphan_keep: receipts.dlr_orphan_keep,
            live_max: size(receipts.dlr_live_actors),
        }
    }
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Looks after the connections while we serve.
async fn look_after(context: &Context) -> std::convert::Infallible {
    tokio::join!(
        database::watch(&context.database, &context.health),
        nats::watch::watch(
            &context.jetstream,
            &context.stream,
            &context.metrics,
            &context.health
        ),
        rotation::watch(&context.nats, &context.nats_options),
    );
    unreachable!("the watches never end")
}
