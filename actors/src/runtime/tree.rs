//! A tree of actors under one root, and the tasks that live as long as it does.
//!
//! The tree lives and dies as one: whatever actor fails, the tasks are cut short, everything is
//! stopped, and [`super::supervision`] says what follows. Nothing is lost by that: what was not
//! committed was not acknowledged.

use std::{future::Future, sync::Arc};

use eventstore::{EventStore, Feed, LogId, log::chain};
use prometheus_client::metrics::histogram::Histogram;
use ractor::{Actor, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use super::{
    appender::{self, Appender},
    intake::{PullError, Source},
    log_handle::LogHandle,
    pulse::Pulse,
    supervision::{Exit, keep_alive_and_wake, tell_death},
};

/// A tree that has begun to live.
pub(crate) struct Tree {
    root: ActorRef<()>,
    ended: JoinHandle<()>,
    failure: watch::Receiver<bool>,
    /// Whether the log is still the one that the actors remember.
    incarnation: watch::Receiver<u64>,
}

impl Tree {
    /// Starts a tree that is nothing but its root. Its actors remember the log that `feed` reads
    /// now.
    pub(crate) async fn start(feed: &Feed) -> Result<Self, SpawnErr> {
        let incarnation = feed.incarnation();
        let (failed, failure) = watch::channel(false);
        let (root, ended) = Actor::spawn(None, Root, failed).await?;
        Ok(Self {
            root,
            ended,
            failure,
            incarnation,
        })
    }

    /// Which incarnation of the log its actors remember.
    pub(crate) fn incarnation(&self) -> u64 {
        *self.incarnation.borrow()
    }

    /// What its actors are linked to.
    pub(crate) const fn root(&self) -> &ActorRef<()> {
        &self.root
    }

    /// Starts the way into the log; `batch_events` observes the size of each transaction.
    pub(crate) async fn start_appender(
        &self,
        store: &Arc<dyn EventStore>,
        log: LogId,
        feed: &Arc<Feed>,
        batch_events: Histogram,
    ) -> Result<LogHandle, SpawnErr> {
        let args = appender::Args {
            store: Arc::clone(store),
            feed: Arc::clone(feed),
            on_commit: Arc::new(move |events| batch_events.observe(as_f64(events))),
        };
        let (appender, _) = Actor::spawn_linked(None, Appender, args, self.root.get_cell()).await?;
        Ok(LogHandle {
            store: Arc::clone(store),
            log,
            appender,
        })
    }

    /// One life of a tree: `spawn` starts its actors, `begin` what lives beside them and is given
    /// what tells its tasks to finish.
    pub(crate) async fn live<P>(
        feed: &Feed,
        stop: watch::Receiver<bool>,
        spawn: impl AsyncFnOnce(&Self) -> Result<P, SpawnErr>,
        begin: impl FnOnce(P, &mut JoinSet<()>, watch::Receiver<bool>),
    ) -> Exit {
        let started = async {
            let tree = Self::start(feed).await?;
            let parts = spawn(&tree).await?;
            Ok::<_, SpawnErr>((tree, parts))
        };
        let Ok((tree, parts)) = started.await else {
            // The error's text is what a panic said.
            tracing::error!(event = "actor.not_started");
            return Exit::ActorFailed;
        };
        tree.run(stop, |tasks, ending| begin(parts, tasks, ending))
            .await
    }

    /// Runs what `begin` starts until `stop` turns true and all of it has finished.
    async fn run(
        mut self,
        mut stop: watch::Receiver<bool>,
        begin: impl FnOnce(&mut JoinSet<()>, watch::Receiver<bool>),
    ) -> Exit {
        let (end, ending) = watch::channel(false);
        let mut tasks = JoinSet::new();
        begin(&mut tasks, ending);
        let exit = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => Exit::Stopped,
            _ = self.failure.wait_for(|failed| *failed) => Exit::ActorFailed,
            // Its sender lives as long as the feed, which we keep.
            Ok(()) = self.incarnation.changed() => Exit::LogReplaced,
            // A task ends by itself only by panicking.
            Some(ended) = tasks.join_next() => {
                if let Err(died) = ended {
                    tracing::error!(event = "task.failed", error = %chain(&died));
                }
                Exit::ActorFailed
            }
        };
        end.send_replace(true);
        if exit != Exit::Stopped {
            // Whoever waits for a dead actor waits in vain.
            tasks.shutdown().await;
        }
        while tasks.join_next().await.is_some() {}
        self.stop().await;
        exit
    }

    /// Stops every actor.
    pub(crate) async fn stop(self) {
        self.root.stop(None);
        let _ = self.ended.await;
    }
}

/// Keeps pulling until `stop` turns true. `source` is asked anew each time; while it fails it
/// is asked again with growing pauses, at once when `pulse` says that it is worth it, and the
/// actors do not notice.
pub(crate) async fn keep_pulling<C, E, P>(
    part: &'static str,
    pulse: &Pulse,
    stop: watch::Receiver<bool>,
    source: impl Fn() -> C,
    pull: impl Fn(Source, watch::Receiver<bool>) -> P,
) where
    C: Future<Output = Result<Source, E>>,
    E: std::error::Error + 'static,
    P: Future<Output = Result<(), PullError>>,
{
    let live = |stop| async {
        match source().await {
            Ok(source) => {
                if let Err(error) = pull(source, stop).await {
                    tracing::error!(event = "intake.error", error = %chain(&error));
                }
            }
            Err(error) => tracing::error!(event = "intake.consumer_error", error = %chain(&error)),
        }
        Exit::IntakeFailed
    };
    keep_alive_and_wake(part, stop, live, || pulse.back()).await;
}

/// Events of a transaction as a histogram takes them.
fn as_f64(events: usize) -> f64 {
    f64::from(u32::try_from(events).unwrap_or(u32::MAX))
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
        if let SupervisionEvent::ActorFailed(cell, _) = event {
            tell_death(cell.get_id());
            failed.send_replace(true);
        }
        Ok(())
    }
}
