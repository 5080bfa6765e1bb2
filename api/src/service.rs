//! What both services stand on: settings that were read before anything connects, connections
//! that were checked, probes, projections that follow the log, and whoever looks after them.

use std::{convert::Infallible, error::Error, sync::Arc, time::Duration};

use actors::runtime::{intake::Source, pulse::Pulse};
use async_nats::{Client, jetstream};
use eventstore::{
    EventStore, Feed, LogId,
    keyring::{Keyring, MasterKeyFile},
    log::chain,
    postgres::{Database, PgKeyring, PgStore, register_statement_metrics},
};
use futures::future::BoxFuture;
use projections::{Projection, Projectors, runtime::metrics::ProjectionMetrics};
use prometheus_client::registry::Registry;
use schema::Timestamp;
use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle},
    time::timeout,
};

use crate::{
    config::ConfigError,
    database::{self, DefenceGauges},
    health::Health,
    keys,
    nats::{
        self, Access, NatsError, User,
        replay::Replay,
        rotation,
        watch::{ConsumerGauges, Watched},
    },
    probes::{self, Probes, Shown},
    services::{ConsumerSpec, ServiceSpec},
    settings::ServiceSettings,
    shutdown::Shutdown,
    start::{StartError, until_there},
};

/// What a process that runs a service, or a part of one, starts with.
pub struct Setup<'a> {
    /// The service.
    pub spec: &'static ServiceSpec,
    /// Who it is to the servers.
    pub login: Login,
    /// The settings that all services have.
    pub settings: &'a ServiceSettings,
    /// Where the state of the intake's consumer is told.
    pub gauges: ConsumerGauges,
    /// What it counts by itself; what all services count is added.
    pub registry: Registry,
}

/// Who a process is to NATS and to Postgres.
#[derive(Debug, Clone, Copy)]
pub struct Login {
    /// The user of NATS.
    pub user: User,
    /// What Postgres shows in `pg_stat_activity`.
    pub application: &'static str,
}

impl ServiceSpec {
    /// As the service itself.
    #[must_use]
    pub const fn login(&self) -> Login {
        Login {
            user: self.user,
            application: self.name(),
        }
    }
}

/// Connections that work, and what hangs on them.
pub struct Service {
    /// The connection to NATS.
    pub nats: Client,
    /// The pool of connections to Postgres, as a modest role.
    pub database: Database,
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// The shared view of the log.
    pub feed: Arc<Feed>,
    /// The keys.
    pub keyring: Arc<PgKeyring>,
    /// How far projections are.
    pub progress: Arc<ProjectionMetrics>,
    /// What is known of the servers it needs; the probes show it.
    pub health: Arc<Health>,
    /// Whether our intake pulls, and what wakes it.
    pub pulse: Arc<Pulse>,
    /// Says when to stop.
    pub shutdown: Shutdown,
    /// The streams.
    pub jetstream: jetstream::Context,
    spec: &'static ServiceSpec,
    watched: Watched,
    access: Access,
    defences: (Duration, DefenceGauges),
    _probes: Probes,
}

/// Projections that follow the log.
pub struct Following {
    projectors: Projectors,
    polling: JoinHandle<()>,
}

/// What opens a consumer, each time it is asked.
pub type OpenSource = Box<dyn Fn() -> BoxFuture<'static, Result<Source, NatsError>> + Send + Sync>;

/// How long the last acknowledgements may take to leave.
const FLUSH: Duration = Duration::from_secs(2);

/// A part of the service died that cannot be started again within the process.
#[derive(Debug, thiserror::Error)]
#[error("a part of the service has died")]
pub struct Died(#[source] Option<JoinError>);

/// The log of a deployment.
pub const LOG: LogId = LogId::DEFAULT;

impl Service {
    /// Connects everything and checks that it is as it must be. What is wrong with the settings is
    /// said before anything connects; what is merely away is waited for.
    ///
    /// # Errors
    /// Something needed is not there.
    pub async fn connect(setup: Setup<'_>, shutdown: Shutdown) -> Result<Self, StartError> {
        let Setup {
            spec,
            login,
            settings,
            gauges,
            mut registry,
        } = setup;
        let access = Access::new(settings.nats.options()?, login.user)?;
        let database_options = settings.database.options(login.application)?;
        let master_keys = MasterKeyFile::new(settings.master_key.path()?)
            .map_err(|error| ConfigError::value("MASTER_KEY_FILE", chain(&error)))?;
        let database = Database::new(database_options)
            .map_err(|error| ConfigError::value("DATABASE_URL", chain(&error)))?;

        let health = Arc::new(Health::default());
        let progress = Arc::new(ProjectionMetrics::default());
        progress.register(&mut registry);
        register_statement_metrics(&mut registry);
        let gauges_of_defences = DefenceGauges::default();
        gauges_of_defences.register(&mut registry);
        access.register(&mut registry);
        let keyring = PgKeyring::new(database.clone(), master_keys.clone())
            .telling(keys::locked_gauge(&mut registry));
        let keyring = Arc::new(keyring);
        let shown = Shown {
            health: Arc::clone(&health),
            registry: Arc::new(registry),
        };
        let probes = probes::start(&settings.probes, spec.probe_port, shown).await?;

        let check = async || {
            database::check(&database, spec.database_role).await?;
            keys::check(&master_keys, &keyring).await
        };
        until_there("postgres", &health.postgres, check).await?;
        let pulse = Arc::new(Pulse::default());
        let connect = async || {
            let (health, pulse) = (Arc::clone(&health), Arc::clone(&pulse));
            Ok(nats::connect(&access, health, pulse).await?)
        };
        let client = until_there("nats", &health.nats, connect).await?;
        let jetstream = jetstream::new(client.clone());
        let watched = Watched {
            stream: (spec.intake.stream_name)(&settings.nats).to_owned(),
            consumer: spec.intake.consumer.name,
            gauges,
        };
        let look =
            async || Ok(nats::consumer(&jetstream, &watched.stream, watched.consumer).await?);
        let consumer = until_there(watched.consumer, &health.consumer, look).await?;
        watched.gauges.tell(consumer.cached_info());

        let store: Arc<dyn EventStore> = Arc::new(PgStore::new(database.clone(), LOG));
        Ok(Self {
            nats: client,
            feed: Feed::new(Arc::clone(&store)),
            store,
            keyring,
            database,
            progress,
            health,
            pulse,
            shutdown,
            jetstream,
            spec,
            watched,
            access,
            defences: (settings.database.db_defence_check, gauges_of_defences),
            _probes: probes,
        })
    }

    /// What finds the consumer of the intake anew, each time it is asked.
    #[must_use]
    pub fn source(&self) -> OpenSource {
        self.source_of(self.watched.stream.clone(), self.watched.consumer)
    }

    /// What finds another consumer of the service.
    #[must_use]
    pub fn other_source(&self, consumer: &'static ConsumerSpec) -> OpenSource {
        self.source_of(consumer.stream.name.to_owned(), consumer.name)
    }

    fn source_of(&self, stream: String, consumer: &'static str) -> OpenSource {
        let jetstream = self.jetstream.clone();
        Box::new(move || {
            let (jetstream, stream) = (jetstream.clone(), stream.clone());
            Box::pin(async move {
                let consumer = nats::consumer(&jetstream, &stream, consumer).await?;
                Ok(Source {
                    consumer,
                    jetstream,
                })
            })
        })
    }

    /// What reads again what the intake took since that moment.
    #[must_use]
    pub fn replay(&self, since: Timestamp, max_ack_pending: u32) -> Replay {
        Replay {
            jetstream: self.jetstream.clone(),
            plan: self.spec.intake.consumer.stream,
            stream: self.watched.stream.clone(),
            consumer: self.spec.intake.replay,
            since,
            max_ack_pending,
        }
    }

    /// The service's projections.
    #[must_use]
    pub fn projections(&self) -> Vec<Arc<dyn Projection>> {
        let keyring: Arc<dyn Keyring> = self.keyring.clone();
        (self.spec.projections)(&self.nats, &keyring)
    }

    /// Lets `projections` follow the log.
    #[must_use]
    pub fn follow(&self, projections: Vec<Arc<dyn Projection>>) -> Following {
        let feed = Arc::clone(&self.feed);
        let polling = tokio::spawn(async move { feed.poll_head().await });
        let projectors = projections::start(projections::Deps {
            log: LOG,
            database: self.database.clone(),
            feed: Arc::clone(&self.feed),
            metrics: Arc::clone(&self.progress),
            db_error: self.spec.db_error,
            projections,
        });
        Following {
            projectors,
            polling,
        }
    }

    /// Runs `serving` for as long as the connections are looked after, and not a moment longer.
    /// `ask` asks the tables what the service asks them; while that fails it is not ready.
    ///
    /// # Errors
    /// What `serving` says.
    pub async fn run<E: Error + 'static, F>(
        &self,
        serving: impl Future<Output = Result<(), F>>,
        ask: impl AsyncFn() -> Result<(), E>,
    ) -> Result<(), F> {
        tracing::info!(event = "service.started");
        tokio::select! {
            served = serving => served?,
            never = self.look_after(ask) => match never {},
        }
        tracing::info!(event = "service.stopped");
        Ok(())
    }

    /// Sends the acknowledgements that are still queued.
    pub async fn flush(&self) {
        match timeout(FLUSH, self.nats.flush()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(event = "nats.ack_error", error = %chain(&error)),
            // They come again.
            Err(_) => tracing::warn!(event = "nats.ack_error", error = "no answer"),
        }
    }

    async fn look_after<E: Error + 'static>(
        &self,
        ask: impl AsyncFn() -> Result<(), E>,
    ) -> Infallible {
        let (every, gauges) = &self.defences;
        tokio::join!(
            database::watch(&self.database, &self.health),
            database::watch_defences(&self.database, *every, gauges),
            database::watch_questions(ask, &self.health),
            keys::watch(&self.keyring, self.feed.incarnation()),
            nats::watch::watch(&self.jetstream, &self.watched, &self.health, &self.pulse),
            rotation::watch(&self.nats, &self.access, &self.pulse),
            self.tell_of_stop(),
        );
        unreachable!("the watches never end")
    }

    async fn tell_of_stop(&self) {
        self.shutdown.soft().await;
        self.health.set_stopping();
    }
}

impl Following {
    /// Lets every projection finish the batch it is at, and ends them.
    pub async fn stop(self) {
        self.projectors.stop().await;
        self.polling.abort();
    }
}

/// Runs actors for as long as `serving` lasts, which is until a soft stop, and then until they
/// have finished what was begun.
///
/// # Errors
/// They died; a fresh process is the cure.
pub async fn until_served(
    serving: impl Future<Output = ()>,
    mut actors: JoinHandle<()>,
    end: watch::Sender<bool>,
) -> Result<(), Died> {
    tokio::select! {
        () = serving => {}
        // They never end by themselves.
        ended = &mut actors => return Err(Died(ended.err())),
    }
    end.send_replace(true);
    actors.await.map_err(|died| Died(Some(died)))
}

/// A count of the settings as the actors take it.
#[must_use]
pub fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
