//! The log as whoever decides sees it: read here, appended to through the appender.

use std::sync::Arc;

use eventstore::{Append, EventStore, LogId, Outcome, StoreError, Together};
use ractor::ActorRef;

use super::appender;

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct LogHandle {
    /// The log, for reading.
    pub store: Arc<dyn EventStore>,
    /// The number of the log, part of every key.
    pub log: LogId,
    /// The way into it.
    pub appender: ActorRef<appender::Msg>,
}

impl LogHandle {
    /// Appends all and says in their order what became of each.
    ///
    /// # Errors
    /// The store failed, or the appender has stopped; what is on disk is then unknown, and
    /// appending again is safe (L4).
    pub(crate) async fn append(
        &self,
        appends: Vec<Append>,
    ) -> Result<Vec<Outcome>, Arc<StoreError>> {
        if appends.is_empty() {
            return Ok(Vec::new());
        }
        appender::append(&self.appender, appends).await
    }

    /// Appends all or nothing.
    ///
    /// # Errors
    /// As for [`Self::append`].
    pub(crate) async fn append_together(
        &self,
        appends: Vec<Append>,
    ) -> Result<Together, Arc<StoreError>> {
        appender::append_together(&self.appender, appends).await
    }
}
