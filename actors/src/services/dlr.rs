//! The receipt processor: the tree of actors, and its life.
//!
//! ```text
//! Root ── Appender
//!      ├─ Directory<MessageDecider> ── one StreamActor per message awake
//!      ├─ Directory<OrphanDecider>  ── one StreamActor per orphan awake
//!      ├─ intake (a task)
//!      └─ reconciliation (a task)
//! ```

use std::{future::Future, sync::Arc, time::Duration};

use eventstore::{EventStore, Feed, LogId, keyring::Keyring, postgres::Database};
use ractor::SpawnErr;
use tokio::sync::watch;

pub use crate::receipts::{intake::IntakeOptions, metrics::DlrMetrics};
use crate::{
    receipts::{
        correlate::Correlator,
        intake::{Intake, OrphanQuota, WaitingRoom},
        reconciliation::{OpenOrphans, Reconciliation, ReconciliationError},
    },
    runtime::{
        directory,
        intake::{Adopt, Source},
        pulse::Pulse,
        supervision::{Exit, keep_alive},
        tree::{Tree, keep_pulling},
    },
};

/// The settings of the receipt processor.
#[derive(Debug, Clone)]
pub struct DlrOptions {
    /// How receipts are pulled, and how long they wait for their message.
    pub intake: IntakeOptions,
    /// How long orphans are matched in the background.
    pub orphan_keep: Duration,
    /// How many idle stream actors may stay awake, per directory.
    pub live_max: usize,
}

/// What the processor works with. Cheap to clone.
#[derive(Clone)]
pub struct DlrDeps {
    /// Where the orchestrator's messages are.
    pub database: Database,
    /// What shows orphans.
    pub view: Arc<dyn OpenOrphans>,
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
    pub metrics: Arc<DlrMetrics>,
    /// Whether messages are being pulled, and when it is worth trying again.
    pub pulse: Arc<Pulse>,
    /// Hangs a span on the caller's span that a `traceparent` names.
    pub adopt: Adopt,
}

/// Processes receipts until `stop` turns true and everything under way is done. `source` is
/// asked anew for each pull; while it fails, it is asked again with growing pauses.
pub async fn run<F, E>(
    deps: DlrDeps,
    options: DlrOptions,
    source: impl Fn() -> F + Send + Sync + 'static,
    stop: watch::Receiver<bool>,
) where
    F: Future<Output = Result<Source, E>> + Send + 'static,
    E: std::error::Error + Send + 'static,
{
    let source = Arc::new(source);
    let live = |stop| live(&deps, &options, Arc::clone(&source), stop);
    keep_alive("dlr", stop, live).await;
}

/// One life of the tree.
async fn live<C, F, E>(
    deps: &DlrDeps,
    options: &DlrOptions,
    source: Arc<C>,
    stop: watch::Receiver<bool>,
) -> Exit
where
    C: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = Result<Source, E>> + Send + 'static,
    E: std::error::Error + Send + 'static,
{
    let keep = options.orphan_keep;
    let pulse = Arc::clone(&deps.pulse);
    let spawn = async |tree: &Tree| spawn(deps, options, tree).await;
    Tree::live(
        &deps.feed,
        stop,
        spawn,
        |(intake, reconciliation), tasks, ending| {
            tasks.spawn(reconciliation.run(keep, ending.clone()));
            tasks.spawn(async move {
                let pull = |source, stop| intake.clone().run(source, stop);
                keep_pulling("dlr.intake", &pulse, ending, &*source, pull).await;
            });
        },
    )
    .await
}

async fn spawn(
    deps: &DlrDeps,
    options: &DlrOptions,
    tree: &Tree,
) -> Result<(Intake, Reconciliation), SpawnErr> {
    let observed = deps.metrics.append_batch_events.clone();
    let log = tree
        .start_appender(&deps.store, deps.log, &deps.feed, observed)
        .await?;
    let messages = directory::open(&log, options.live_max, tree.root()).await?;
    let orphans = directory::open(&log, options.live_max, tree.root()).await?;
    let correlator = Correlator::new(deps.database.clone(), options.intake.match_window);
    let intake = Intake {
        options: options.intake.clone(),
        correlator: correlator.clone(),
        keyring: Arc::clone(&deps.keyring),
        messages: messages.clone(),
        orphans: orphans.clone(),
        waiting: WaitingRoom::new(options.intake.waiting_max),
        quota: OrphanQuota::new(options.intake.orphans_per_hour),
        metrics: Arc::clone(&deps.metrics),
        pulse: Arc::clone(&deps.pulse),
        adopt: deps.adopt,
        feed: Arc::clone(&deps.feed),
        incarnation: tree.incarnation(),
    };
    let reconciliation = Reconciliation {
        view: Arc::clone(&deps.view),
        store: Arc::clone(&deps.store),
        log: deps.log,
        correlator: Arc::new(correlator),
        keyring: Arc::clone(&deps.keyring),
        messages,
        orphans,
        metrics: Arc::clone(&deps.metrics),
    };
    Ok((intake, reconciliation))
}

/// Looks once at every orphan of any age; says how many were matched.
///
/// # Errors
/// The actors could not be started, or the store or the keyring failed.
pub async fn reconcile(deps: &DlrDeps, options: &DlrOptions) -> Result<usize, ReconcileError> {
    let tree = Tree::start(&deps.feed).await?;
    let (_, reconciliation) = spawn(deps, options, &tree).await?;
    let (_end, never) = watch::channel(false);
    let matched = reconciliation.pass(&never).await?;
    tree.stop().await;
    Ok(matched)
}

/// What kept `reconcile` from finishing.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The actors could not be started.
    #[error("starting the actors")]
    Start(#[from] SpawnErr),
    /// The pass failed.
    #[error("matching orphans")]
    Pass(#[from] ReconciliationError),
}
