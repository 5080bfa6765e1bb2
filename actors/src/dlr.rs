//! The receipt processor: the tree of actors, and its life.
//!
//! ```text
//! Root ── Appender
//!      ├─ Directory<MessageDecider> ── one StreamActor per message awake
//!      ├─ Directory<OrphanDecider>  ── one StreamActor per orphan awake
//!      ├─ intake (a task)
//!      └─ healing (a task)
//! ```
//!
//! The tree lives and dies as one ([`crate::supervision`]): whatever part fails, the rest is
//! stopped and everything is built anew. Nothing is lost by that: what was not committed was not
//! acknowledged.

use std::{future::Future, sync::Arc, time::Duration};

use async_nats::jetstream::consumer::{Consumer, pull};
use eventstore::{EventStore, Feed, LogId, keyring::Keyring, log::chain, postgres::Database};
use ractor::{Actor, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use tokio::sync::watch;

use crate::{
    appender::{self, Appender},
    correlate::Correlator,
    decide::{Decider, message::MessageDecider, orphan::OrphanDecider},
    directory::{self, Directory},
    healing::Healing,
    intake::{Intake, IntakeOptions},
    metrics::DlrMetrics,
    stream_actor::Shared,
    supervision::{Action, Exit, after},
};

/// The name under which the log keeps what this service recorded.
pub const PRINCIPAL: &str = "dlr-processor";

/// A tree that lived this long had a quiet time.
const QUIET: Duration = Duration::from_mins(1);

/// How the processor works.
#[derive(Debug, Clone)]
pub struct DlrOptions {
    /// How receipts are taken in.
    pub intake: IntakeOptions,
    /// How long orphans are matched in the background.
    pub orphan_keep: Duration,
    /// How many idle stream actors may stay awake, per directory.
    pub live_max: usize,
}

/// What the processor works with. Cheap to clone.
#[derive(Clone)]
pub struct DlrDeps {
    /// The connections to Postgres.
    pub database: Database,
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Which log.
    pub log: LogId,
    /// Told of each commit.
    pub feed: Arc<Feed>,
    /// The keys.
    pub keyring: Arc<dyn Keyring>,
    /// What is counted.
    pub metrics: Arc<DlrMetrics>,
    /// Hangs a span on the caller's span that a `traceparent` names.
    pub adopt: fn(&tracing::Span, &str),
}

/// Processes receipts until `stop` turns true and everything under way is done. `consumer` is
/// asked anew for each life of the tree; while it fails, it is asked again with growing pauses.
pub async fn run<F, E>(
    deps: DlrDeps,
    options: DlrOptions,
    consumer: impl Fn() -> F + Send,
    stop: watch::Receiver<bool>,
) where
    F: Future<Output = Result<Consumer<pull::Config>, E>> + Send,
    E: std::error::Error + 'static,
{
    let mut in_a_row = 0;
    loop {
        let born = tokio::time::Instant::now();
        let exit = match consumer().await {
            Ok(consumer) => live(&deps, &options, consumer, stop.clone()).await,
            Err(error) => {
                tracing::error!(event = "dlr.consumer_error", error = %chain(&error));
                Exit::IntakeFailed
            }
        };
        if born.elapsed() > QUIET {
            in_a_row = 0;
        }
        let exit = if *stop.borrow() { Exit::Stopped } else { exit };
        match after(exit, in_a_row) {
            Action::Finish => return,
            Action::RestartAfter(pause) => {
                tracing::warn!(event = "dlr.restarting", cause = ?exit, after = ?pause);
                let mut stop = stop.clone();
                let _ = tokio::time::timeout(pause, stop.wait_for(|stop| *stop)).await;
            }
        }
        in_a_row += 1;
    }
}

/// One life of the tree.
async fn live(
    deps: &DlrDeps,
    options: &DlrOptions,
    consumer: Consumer<pull::Config>,
    mut stop: watch::Receiver<bool>,
) -> Exit {
    let (failed, mut failure) = watch::channel(false);
    let Ok((root, ended)) = Actor::spawn(None, Root, failed).await else {
        return Exit::ActorFailed;
    };
    let tree = match Tree::grow(deps, options, &root).await {
        Ok(tree) => tree,
        Err(error) => {
            tracing::error!(event = "actor.not_started", error = %error);
            return Exit::ActorFailed;
        }
    };
    // Intake and healing stop together with whatever ends this life.
    let (end, ending) = watch::channel(false);
    let healing = tokio::spawn(tree.healing.run(options.orphan_keep, ending.clone()));
    let mut intake = tokio::spawn(tree.intake.run(consumer, ending));
    let exit = tokio::select! {
        _ = stop.wait_for(|stop| *stop) => Exit::Stopped,
        _ = failure.wait_for(|failed| *failed) => Exit::ActorFailed,
        result = &mut intake => {
            match result {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::error!(event = "dlr.intake_error", error = %chain(&error));
                }
                Err(died) => tracing::error!(event = "dlr.intake_error", error = %chain(&died)),
            }
            Exit::IntakeFailed
        }
    };
    end.send_replace(true);
    if exit == Exit::ActorFailed {
        // Whoever waits for a dead actor waits in vain.
        intake.abort();
        healing.abort();
    } else {
        if !intake.is_finished() {
            let _ = intake.await;
        }
        let _ = healing.await;
    }
    root.stop(None);
    let _ = ended.await;
    exit
}

struct Tree {
    intake: Intake,
    healing: Healing,
}

impl Tree {
    async fn grow(
        deps: &DlrDeps,
        options: &DlrOptions,
        root: &ActorRef<()>,
    ) -> Result<Self, SpawnErr> {
        let metrics = Arc::clone(&deps.metrics);
        let on_commit = Arc::new(move |events| metrics.append_batch_events.observe(as_f64(events)));
        let args = appender::Args {
            store: Arc::clone(&deps.store),
            feed: Arc::clone(&deps.feed),
            on_commit,
        };
        let (appender, _) = Actor::spawn_linked(None, Appender, args, root.get_cell()).await?;
        let shared = Arc::new(Shared {
            store: Arc::clone(&deps.store),
            log: deps.log,
            appender,
        });
        let live_max = options.live_max;
        let messages = directory::<MessageDecider>(&shared, live_max, root).await?;
        let orphans = directory::<OrphanDecider>(&shared, live_max, root).await?;
        let correlator = Correlator::new(deps.database.clone());
        let intake = Intake {
            options: options.intake.clone(),
            correlator: correlator.clone(),
            keyring: Arc::clone(&deps.keyring),
            messages: messages.clone(),
            orphans: orphans.clone(),
            metrics: Arc::clone(&deps.metrics),
            adopt: deps.adopt,
        };
        let healing = Healing {
            database: deps.database.clone(),
            store: Arc::clone(&deps.store),
            log: deps.log,
            correlator,
            keyring: Arc::clone(&deps.keyring),
            messages,
            orphans,
            metrics: Arc::clone(&deps.metrics),
        };
        Ok(Self { intake, healing })
    }
}

/// Events of a transaction as a histogram takes them.
fn as_f64(events: usize) -> f64 {
    f64::from(u32::try_from(events).unwrap_or(u32::MAX))
}

async fn directory<D: Decider>(
    shared: &Arc<Shared>,
    live_max: usize,
    root: &ActorRef<()>,
) -> Result<ActorRef<directory::Msg<D>>, SpawnErr> {
    let args = directory::Args {
        shared: Arc::clone(shared),
        live_max,
    };
    let (directory, _) =
        Actor::spawn_linked(None, Directory::<D>::default(), args, root.get_cell()).await?;
    Ok(directory)
}

/// Looks once at every orphan of any age; says how many were healed.
///
/// # Errors
/// The actors could not be started, or the store or the keyring failed.
pub async fn reconcile(deps: &DlrDeps, options: &DlrOptions) -> Result<usize, ReconcileError> {
    let (failed, _) = watch::channel(false);
    let (root, ended) = Actor::spawn(None, Root, failed).await?;
    let tree = Tree::grow(deps, options, &root).await?;
    // Unwrap safety: the epoch is a time.
    let ever = schema::Timestamp::from_micros(0).expect("the epoch");
    let (_end, never) = watch::channel(false);
    let healed = tree.healing.pass(ever, &never).await?;
    root.stop(None);
    let _ = ended.await;
    Ok(healed)
}

/// What kept `reconcile` from finishing.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The actors could not be started.
    #[error("starting the actors")]
    Start(#[from] SpawnErr),
    /// The pass failed.
    #[error("matching orphans")]
    Pass(#[from] crate::healing::HealingError),
}

/// The root: it only notices that a child has failed.
struct Root;

impl Actor for Root {
    type Msg = ();
    type State = watch::Sender<bool>;
    type Arguments = watch::Sender<bool>;

    async fn pre_start(
        &self,
        _: ActorRef<()>,
        failed: watch::Sender<bool>,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(failed)
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<()>,
        event: SupervisionEvent,
        failed: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        // ractor's default would take the root down at once and with it what is in flight.
        if let SupervisionEvent::ActorFailed(cell, cause) = event {
            tracing::error!(event = "actor.failed", actor = %cell.get_id(), cause = %cause);
            failed.send_replace(true);
        }
        Ok(())
    }
}
