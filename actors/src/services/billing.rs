//! Billing: the tree of actors, and its life.
//!
//! ```text
//! Root ── Appender
//!      ├─ Tenants ── one TenantActor per tenant awake
//!      ├─ one Directory per decider that the edge may ask, see [`Commands`]
//!      ├─ Directory of the streams of tenants
//!      ├─ intake of settlements, intake of erasures (tasks; may be off)
//!      ├─ held charges, costs that are assessed again (tasks)
//!      └─ counts of refused calls (a task)
//! ```

use std::{future::Future, sync::Arc};

use eventstore::{EventStore, Feed, LogId, keyring::Keyring};
use ractor::{Actor, SpawnErr};
use tokio::sync::watch;

pub use crate::charges::metrics::BillingMetrics;
use crate::{
    access,
    accounts::{self, commands::AccountCharges},
    adjustments::{self, commands::PaidCurrencies},
    charges::{
        charging::Charging,
        held::{HeldCharges, HeldChargesView},
        intake::Intake,
        price_cache::PriceCache,
        reassessment::{Reassessment, ReassessmentView},
        tenants::{self, Tenants},
    },
    erasure::{self, metrics::ErasureMetrics},
    operator_statements,
    prices::{self, commands::PlatformCharges},
    runtime::{
        directory,
        intake::{Adopt, PullOptions, Source},
        log_handle::LogHandle,
        pulse::Pulse,
        supervision::{Exit, keep_alive},
        tree::{Tree, keep_pulling},
    },
};

/// The settings of billing.
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
    /// What shows held charges.
    pub view: Arc<dyn HeldChargesView>,
    /// What shows changes of costs, and the charges that they concern.
    pub costs: Arc<dyn ReassessmentView>,
    /// What is shown of charges by the platform's prices.
    pub charges: Arc<dyn PlatformCharges>,
    /// What is shown of the currencies that accounts have paid in.
    pub paid: Arc<dyn PaidCurrencies>,
    /// What is shown of an account's charges.
    pub account_charges: Arc<dyn AccountCharges>,
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// The number of the log, part of every key.
    pub log: LogId,
    /// Told of each commit; says whether the log is still the same. The caller keeps
    /// [`Feed::poll_head`] running.
    pub feed: Arc<Feed>,
    /// The keys.
    pub keyring: Arc<dyn Keyring>,
    /// The metrics of the service.
    pub metrics: Arc<BillingMetrics>,
    /// What is counted of announcements that tenants are erased.
    pub erasures: ErasureMetrics,
    /// Whether messages are being pulled, and when it is worth trying again.
    pub pulse: Arc<Pulse>,
    /// Hangs a span on the caller's span that a `traceparent` names.
    pub adopt: Adopt,
}

/// What the edge may ask of billing, by capability. Cheap to clone; answers while billing runs.
#[derive(Clone)]
pub struct Commands {
    /// Of prices and costs.
    pub prices: prices::commands::Commands,
    /// Of sheets of prices and costs.
    pub sheets: prices::sheets::Sheets,
    /// Of accounts.
    pub accounts: accounts::commands::Commands,
    /// Of adjustments.
    pub adjustments: adjustments::commands::Commands,
    /// About looks at others' data.
    pub access: access::commands::Commands,
    /// Of carriers' statements.
    pub operator_statements: operator_statements::commands::Commands,
}

/// Billing, ready to [`run`](Self::run).
pub struct Billing {
    deps: BillingDeps,
    options: BillingOptions,
    commands: Commands,
}

/// What opens the consumers of billing, each time it is asked.
pub struct Sources<C> {
    /// Of settled messages.
    pub settlements: C,
    /// Of tenants that are erased; absent where only settlements are taken in.
    pub erasures: Option<C>,
}

/// What lives beside the actors.
struct Parts {
    intake: Option<Intake>,
    erasures: erasure::intake::Intake,
    held: HeldCharges,
    reassessment: Reassessment,
}

impl Billing {
    /// Billing, which is asked by its [`commands`](Self::commands) while it runs.
    #[must_use]
    pub fn new(deps: BillingDeps, options: BillingOptions) -> Self {
        let keyring = || Arc::clone(&deps.keyring);
        let commands = Commands {
            prices: prices::commands::Commands::new(keyring(), Arc::clone(&deps.charges)),
            sheets: prices::sheets::Sheets::new(keyring(), Arc::clone(&deps.charges)),
            accounts: accounts::commands::Commands::new(
                keyring(),
                deps.log,
                Arc::clone(&deps.account_charges),
            ),
            adjustments: adjustments::commands::Commands::new(
                keyring(),
                Arc::clone(&deps.store),
                deps.log,
                Arc::clone(&deps.paid),
            ),
            access: access::commands::Commands::new(keyring()),
            operator_statements: operator_statements::commands::Commands::default(),
        };
        Self {
            deps,
            options,
            commands,
        }
    }

    /// What the edge may ask of it.
    #[must_use]
    pub fn commands(&self) -> Commands {
        self.commands.clone()
    }

    /// Charges and decides until `stop` turns true and everything under way is done. A source
    /// is asked anew for each pull, if messages are taken in; while it fails, it is asked again
    /// with growing pauses, and the rest goes on.
    pub async fn run<C, F, E>(self, sources: Sources<C>, stop: watch::Receiver<bool>)
    where
        C: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<Source, E>> + Send + 'static,
        E: std::error::Error + Send + 'static,
    {
        let sources = Arc::new(sources);
        let live = |stop| self.live(Arc::clone(&sources), stop);
        keep_alive("billing", stop, live).await;
    }

    /// One life of the tree.
    async fn live<C, F, E>(&self, sources: Arc<Sources<C>>, stop: watch::Receiver<bool>) -> Exit
    where
        C: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<Source, E>> + Send + 'static,
        E: std::error::Error + Send + 'static,
    {
        let spawn = async |tree: &Tree| self.spawn(tree).await;
        Tree::live(&self.deps.feed, stop, spawn, |parts, tasks, ending| {
            tasks.spawn(parts.held.run(ending.clone()));
            tasks.spawn(parts.reassessment.run(ending.clone()));
            let access = self.commands.access.clone();
            tasks.spawn(access.keep_refusals(ending.clone()));
            let Some(intake) = parts.intake else {
                let pulse = Arc::clone(&self.deps.pulse);
                tasks.spawn(pull_nothing(pulse, ending));
                return;
            };
            if sources.erasures.is_some() {
                tasks.spawn(pull_erasures(
                    parts.erasures,
                    Arc::clone(&sources),
                    ending.clone(),
                ));
            }
            let pulse = Arc::clone(&self.deps.pulse);
            tasks.spawn(async move {
                let pull = |source, stop| intake.clone().run(source, stop);
                keep_pulling("billing.intake", &pulse, ending, &sources.settlements, pull).await;
            });
        })
        .await
    }

    async fn spawn(&self, tree: &Tree) -> Result<Parts, SpawnErr> {
        let deps = &self.deps;
        let observed = deps.metrics.append_batch_events.clone();
        let log = tree
            .start_appender(&deps.store, deps.log, &deps.feed, observed)
            .await?;
        let (live_max, root) = (self.options.live_max, tree.root());
        self.commands.prices.open(&log, live_max, root).await?;
        self.commands.sheets.open(&log);
        self.commands.accounts.open(&log, live_max, root).await?;
        self.commands.adjustments.open(&log, live_max, root).await?;
        self.commands.access.open(&log, live_max, root).await?;
        let statements = &self.commands.operator_statements;
        statements.open(&log, live_max, root).await?;
        let erasures = erasure::intake::Intake {
            store: Arc::clone(&deps.store),
            keyring: Arc::clone(&deps.keyring),
            tenants: directory::open(&log, live_max, root).await?,
            metrics: deps.erasures.clone(),
            pulse: Arc::default(),
        };
        self.spawn_charges(tree, log, erasures).await
    }

    async fn spawn_charges(
        &self,
        tree: &Tree,
        log: LogHandle,
        erasures: erasure::intake::Intake,
    ) -> Result<Parts, SpawnErr> {
        let deps = &self.deps;
        let prices = Arc::new(PriceCache::new(Arc::clone(&deps.store)));
        let reassessment = Reassessment {
            view: Arc::clone(&deps.costs),
            log: log.clone(),
            feed: Arc::clone(&deps.feed),
            prices: Arc::clone(&prices),
            metrics: Arc::clone(&deps.metrics),
        };
        let args = tenants::Args {
            charging: Charging {
                log,
                prices,
                metrics: Arc::clone(&deps.metrics),
            },
            live_max: self.options.live_max,
        };
        let (tenants, _) = Actor::spawn_linked(None, Tenants, args, tree.root().get_cell()).await?;
        let intake = self.options.intake.clone().map(|options| Intake {
            options,
            keyring: Arc::clone(&deps.keyring),
            tenants: tenants.clone(),
            metrics: Arc::clone(&deps.metrics),
            pulse: Arc::clone(&deps.pulse),
            adopt: deps.adopt,
        });
        let held = HeldCharges {
            view: Arc::clone(&deps.view),
            store: Arc::clone(&deps.store),
            feed: Arc::clone(&deps.feed),
            tenants,
            metrics: Arc::clone(&deps.metrics),
        };
        Ok(Parts {
            intake,
            erasures,
            held,
            reassessment,
        })
    }
}

/// The consumer is off: nothing is to be pulled, which is as it should be.
async fn pull_nothing(pulse: Arc<Pulse>, mut ending: watch::Receiver<bool>) {
    tracing::info!(event = "billing.consumer_off");
    pulse.nothing_to_pull();
    let _ = ending.wait_for(|ending| *ending).await;
}

/// Keeps pulling announcements of erased tenants.
async fn pull_erasures<C, F, E>(
    intake: erasure::intake::Intake,
    sources: Arc<Sources<C>>,
    ending: watch::Receiver<bool>,
) where
    C: Fn() -> F,
    F: Future<Output = Result<Source, E>>,
    E: std::error::Error + 'static,
{
    let Some(source) = &sources.erasures else {
        return;
    };
    let pulse = Arc::clone(&intake.pulse);
    let pull = |source, stop| intake.clone().run(source, stop);
    keep_pulling("erasure.intake", &pulse, ending, source, pull).await;
}
