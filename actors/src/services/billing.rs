//! Billing: the tree of actors, and its life.
//!
//! ```text
//! Root ── Appender
//!      ├─ Tenants ── one TenantActor per tenant awake
//!      ├─ Directory<PriceDecider>, <CostDecider>, <AccountDecider>, <AccessDecider>
//!      ├─ intake (a task; may be off)
//!      ├─ held charges (a task)
//!      └─ counts of refused calls (a task)
//! ```
//!
//! [`intake`] brings settlements in, [`charging`] turns them into charges with what the
//! [`price_book`] knows, [`held`] rates later what could not be rated at once, and the [`desk`]
//! is where the edge changes prices, costs and accounts.

use std::{future::Future, sync::Arc};

use eventstore::{EventStore, Feed, LogId, keyring::Keyring, postgres::Database};
use ractor::{Actor, SpawnErr};
use tokio::sync::watch;

pub use super::desk::Desk;
use super::desk::Offices;
pub use crate::charges::metrics::BillingMetrics;
use crate::{
    charges::{
        charging::Charging, held::HeldCharges, intake::Intake, price_cache::PriceBook,
        tenants::Tenants,
    },
    runtime::{
        directory,
        intake::{Adopt, PullOptions, Source},
        pulse::Pulse,
        supervision::{Exit, keep_alive},
        tree::{Tree, keep_pulling},
    },
};

/// How billing works.
#[derive(Debug, Clone)]
pub struct BillingOptions {
    /// How settlements are taken in; absent while the consumer is off.
    pub intake: Option<PullOptions>,
    /// How many idle actors may stay awake, of tenants and per directory.
    pub live_max: usize,
}

/// What billing works with. Cheap to clone.
#[derive(Clone)]
pub struct BillingDeps {
    /// The connections to Postgres.
    pub database: Database,
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Which log.
    pub log: LogId,
    /// Told of each commit; says whether the log is still the same. The caller keeps
    /// [`Feed::poll_head`] running.
    pub feed: Arc<Feed>,
    /// The keys.
    pub keyring: Arc<dyn Keyring>,
    /// What is counted.
    pub metrics: Arc<BillingMetrics>,
    /// Whether messages are being pulled, and when it is worth trying again.
    pub pulse: Arc<Pulse>,
    /// Hangs a span on the caller's span that a `traceparent` names.
    pub adopt: Adopt,
}

/// Billing, ready to [`run`](Self::run).
pub struct Billing {
    deps: BillingDeps,
    options: BillingOptions,
    offices: watch::Sender<Option<Offices>>,
    desk: Desk,
}

/// What is grown on a tree.
struct Parts {
    offices: Offices,
    intake: Option<Intake>,
    held: HeldCharges,
}

impl Billing {
    /// Billing, and the desk where it is asked. The desk answers while billing runs.
    #[must_use]
    pub fn new(deps: BillingDeps, options: BillingOptions) -> (Self, Desk) {
        let (offices, opened) = watch::channel(None);
        let desk = Desk::new(Arc::clone(&deps.keyring), deps.log, opened);
        let billing = Self {
            deps,
            options,
            offices,
            desk: desk.clone(),
        };
        (billing, desk)
    }

    /// Charges and decides until `stop` turns true and everything under way is done. `source`
    /// is asked anew for each pull, if settlements are taken in; while it fails, it is asked again
    /// with growing pauses, and the rest goes on.
    pub async fn run<F, E>(
        self,
        source: impl Fn() -> F + Send + Sync + 'static,
        stop: watch::Receiver<bool>,
    ) where
        F: Future<Output = Result<Source, E>> + Send + 'static,
        E: std::error::Error + Send + 'static,
    {
        let source = Arc::new(source);
        let live = |stop| self.live(Arc::clone(&source), stop);
        keep_alive("billing", stop, live).await;
    }

    /// One life of the tree.
    async fn live<C, F, E>(&self, source: Arc<C>, stop: watch::Receiver<bool>) -> Exit
    where
        C: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<Source, E>> + Send + 'static,
        E: std::error::Error + Send + 'static,
    {
        let grown = match Tree::plant(&self.deps.feed).await {
            Ok(tree) => self.grow(&tree).await.map(|parts| (tree, parts)),
            Err(error) => Err(error),
        };
        let (tree, parts) = match grown {
            Ok(grown) => grown,
            Err(error) => {
                tracing::error!(event = "actor.not_started", error = %error);
                return Exit::ActorFailed;
            }
        };
        self.offices.send_replace(Some(parts.offices));
        let pulse = Arc::clone(&self.deps.pulse);
        let live = tree.live(stop, |tasks, ending| {
            tasks.spawn(parts.held.run(ending.clone()));
            tasks.spawn(self.desk.clone().keep_refusals(ending.clone()));
            match parts.intake {
                Some(intake) => tasks.spawn(async move {
                    let pull = |source, stop| intake.clone().run(source, stop);
                    keep_pulling("billing.intake", &pulse, ending, &*source, pull).await;
                }),
                None => tasks.spawn(async move {
                    tracing::info!(event = "billing.consumer_off");
                    pulse.nothing_to_pull();
                    let mut ending = ending;
                    let _ = ending.wait_for(|ending| *ending).await;
                }),
            };
        });
        let exit = live.await;
        self.offices.send_replace(None);
        exit
    }

    async fn grow(&self, tree: &Tree) -> Result<Parts, SpawnErr> {
        let deps = &self.deps;
        let observed = deps.metrics.append_batch_events.clone();
        let shared = tree
            .grow_appender(&deps.store, deps.log, &deps.feed, observed)
            .await?;
        let (live_max, root) = (self.options.live_max, tree.root());
        let offices = Offices {
            prices: directory::open(&shared, live_max, root).await?,
            costs: directory::open(&shared, live_max, root).await?,
            accounts: directory::open(&shared, live_max, root).await?,
            accesses: directory::open(&shared, live_max, root).await?,
        };
        let charging = Charging {
            book: Arc::new(PriceBook::new(Arc::clone(&deps.store))),
            store: Arc::clone(&deps.store),
            appender: shared.appender.clone(),
            metrics: Arc::clone(&deps.metrics),
        };
        let args = crate::charges::tenants::Args { charging, live_max };
        let (tenants, _) = Actor::spawn_linked(None, Tenants, args, root.get_cell()).await?;
        let intake = self.options.intake.clone().map(|options| Intake {
            options,
            keyring: Arc::clone(&deps.keyring),
            tenants: tenants.clone(),
            metrics: Arc::clone(&deps.metrics),
            pulse: Arc::clone(&deps.pulse),
            adopt: deps.adopt,
        });
        let held = HeldCharges {
            database: deps.database.clone(),
            store: Arc::clone(&deps.store),
            log: deps.log,
            feed: Arc::clone(&deps.feed),
            tenants,
            metrics: Arc::clone(&deps.metrics),
        };
        Ok(Parts {
            offices,
            intake,
            held,
        })
    }
}
