//! All projections of a process, started and stopped together.

use std::sync::Arc;

use eventstore::{Feed, LogId, log::chain, postgres::Database};
use tokio::{sync::watch, task::JoinSet, time::Instant};

use super::{
    gauges::Gauges,
    metrics::ProjectionMetrics,
    pace::Pace,
    projector::{Course, Projector},
};
use crate::Projection;

/// What projections need from their process.
pub struct Deps {
    /// The log they follow.
    pub log: LogId,
    /// Where their tables and checkpoints are. Each projection holds at most one connection.
    pub database: Database,
    /// Their view of the log. The caller keeps [`Feed::poll_head`] running.
    pub feed: Arc<Feed>,
    /// How far each projection has come is told here.
    pub metrics: Arc<ProjectionMetrics>,
    /// The log event of a fault of Postgres.
    pub db_error: &'static str,
    /// The projections to carry along.
    pub projections: Vec<Arc<dyn Projection>>,
}

/// Running projections. Dropped, they stop wherever they are, which does no harm.
pub struct Projectors {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// Starts them, each in a task of its own.
#[must_use]
pub fn start(deps: Deps) -> Projectors {
    let (stop, stopping) = watch::channel(false);
    let pace = Pace::since(Instant::now());
    let mut tasks = JoinSet::new();
    let mut handles = Vec::with_capacity(deps.projections.len());
    for projection in deps.projections {
        let handle = deps
            .metrics
            .projection(projection.name(), projection.publishes());
        handles.push(Arc::clone(&handle));
        let projector = Projector {
            log: deps.log,
            database: deps.database.clone(),
            feed: Arc::clone(&deps.feed),
            follower: deps.feed.follow(),
            incarnation: deps.feed.incarnation(),
            projection,
            db_error: deps.db_error,
            handle,
            stop: stopping.clone(),
            pace,
            course: Course::default(),
        };
        tasks.spawn(projector.run());
    }
    let gauges = Gauges {
        log: deps.log,
        database: deps.database,
        feed: deps.feed,
        metrics: deps.metrics,
        db_error: deps.db_error,
        handles,
        stop: stopping,
    };
    tasks.spawn(gauges.run());
    Projectors { stop, tasks }
}

impl Projectors {
    /// Lets every projection finish the batch it is at (at most a few seconds, while an
    /// acknowledgement is waited for) and ends them. What they have not taken in is still in the
    /// log.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(event = "projection.died", error = chain(&error));
            }
        }
    }
}
