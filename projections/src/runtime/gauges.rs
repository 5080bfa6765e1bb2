//! Keeps the gauges right for projections that other nodes carry along.
//!
//! A projector tells its own progress as it goes. When another node does the work this process
//! would tell an old position; so the checkpoints are looked at now and then, all at once. It
//! must never take one.

use std::{sync::Arc, time::Duration};

use eventstore::{
    Feed, LogId, StoreError,
    log::chain,
    postgres::{Database, Statement},
};
use schema::Position;
use tokio::sync::watch;

use super::metrics::{ProjectionHandle, ProjectionMetrics};

/// How often the checkpoints are looked at while a projection here seems to be behind.
const LOOK: Duration = Duration::from_secs(1);

/// What is needed to keep them.
pub(crate) struct Gauges {
    pub(crate) log: LogId,
    pub(crate) database: Database,
    pub(crate) feed: Arc<Feed>,
    pub(crate) metrics: Arc<ProjectionMetrics>,
    pub(crate) db_error: &'static str,
    pub(crate) handles: Vec<Arc<ProjectionHandle>>,
    pub(crate) stop: watch::Receiver<bool>,
}

impl Gauges {
    /// Runs until it is told to stop.
    pub(crate) async fn run(mut self) {
        let mut head = self.feed.head();
        let incarnation = self.feed.incarnation();
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !*self.stop.borrow() {
            tokio::select! {
                changed = head.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.metrics.head_is(*head.borrow_and_update());
                    self.metrics.log_was_replaced(*incarnation.borrow());
                }
                _ = looks.tick() => {
                    let head = *head.borrow();
                    self.look(head).await;
                }
                _ = self.stop.changed() => {}
            }
        }
    }

    async fn look(&self, head: Position) {
        if self.handles.iter().all(|handle| handle.position() >= head) {
            return;
        }
        if let Err(error) = self.look_at_checkpoints().await {
            tracing::warn!(event = self.db_error, error = %chain(&error));
        }
    }

    async fn look_at_checkpoints(&self) -> Result<(), StoreError> {
        const STANDINGS: Statement = Statement::new(include_str!("gauges/standings.sql"));
        for row in self.database.query(STANDINGS, &[&self.log.0]).await? {
            let (name, position): (&str, _) = (row.get(0), Position(row.get(1)));
            if let Some(handle) = self.handles.iter().find(|handle| handle.name() == name) {
                handle.advanced_to(position);
            }
        }
        Ok(())
    }
}
