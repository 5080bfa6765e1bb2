//! Reconciliation: orphans whose message has appeared get the effects an on-time receipt has.
//!
//! A look takes the youngest orphans that are shown and the next page of a sweep over all that are
//! still matched in the background, correlates them with one query and records those that found
//! their message together ([`matching`]). So a look costs the same however many orphans there are;
//! an old one is looked at the less often, the more there are. Looking twice, or on two nodes at
//! once, does no harm.

mod matching;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use eventstore::{
    EventStore, LogId, StoreError, clock,
    keyring::{Keyring, KeyringError},
    log::chain,
};
use schema::{EventId, Position, StreamId, Timestamp};
use tokio::sync::watch;

use super::{
    correlate::{FindMessages, Wanted},
    decide::{message::MessageDecider, orphan::OrphanDecider},
    metrics::DlrMetrics,
};
use crate::runtime::{directory::DirectoryRef, view::ViewError};

/// The pause between two looks; a look that took long is followed by a pause as long.
const PAUSE: Duration = Duration::from_secs(1);
/// How many of the youngest orphans each look takes.
const YOUNGEST: i64 = 1_000;
/// How many more each step of a sweep takes.
const PAGE: i64 = 1_000;

/// What reconciliation works with. Cheap to clone.
#[derive(Clone)]
pub struct Reconciliation {
    /// What shows orphans.
    pub view: Arc<dyn OpenOrphans>,
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Which log.
    pub log: LogId,
    /// Finds messages.
    pub correlator: Arc<dyn FindMessages>,
    /// Opens what was sealed for the orphan and gives the tenant's key.
    pub keyring: Arc<dyn Keyring>,
    /// Where receipts of messages go.
    pub messages: DirectoryRef<MessageDecider>,
    /// Where orphans go.
    pub orphans: DirectoryRef<OrphanDecider>,
    /// What is counted.
    pub metrics: Arc<DlrMetrics>,
}

/// What kept a look from finishing. The next one tries again.
#[derive(Debug, thiserror::Error)]
pub enum ReconciliationError {
    /// The store failed.
    #[error("matching orphans")]
    Store(#[from] StoreError),
    /// The keyring failed.
    #[error("matching orphans")]
    Keyring(#[from] KeyringError),
    /// The view could not be asked.
    #[error("looking for orphans")]
    View(#[from] ViewError),
}

/// Where an orphan stands in the order of arrival: when it was received, and its position in the
/// log.
pub type Arrival = (Timestamp, Position);

/// An orphan without a match, as it is shown.
#[derive(Debug, Clone)]
pub struct OpenOrphan {
    /// The id of the event that records it.
    pub id: EventId,
    /// What it was looked for by, and is looked for again.
    pub wanted: Wanted,
}

impl OpenOrphan {
    fn stream(&self) -> StreamId {
        StreamId::orphan(self.wanted.operator, &self.wanted.operator_message)
    }
}

/// What was looked at.
#[derive(Debug, Clone, Default)]
pub struct OrphanPage {
    /// Those without a match, in the order of arrival.
    pub open: BTreeMap<Arrival, OpenOrphan>,
    /// Where the last of all stands, with or without a match; `None` if there was none to look at.
    pub last: Option<Arrival>,
}

/// What is shown of orphans and of their matches. A match that is not shown yet leaves its orphan
/// open, which does no harm.
#[async_trait]
pub trait OpenOrphans: Send + Sync {
    /// The youngest orphans: at most `limit`, none received before `since`.
    ///
    /// # Errors
    /// The view could not be asked.
    async fn youngest(&self, since: Timestamp, limit: i64) -> Result<OrphanPage, ViewError>;

    /// The next orphans after `after` in the order of arrival, at most `limit`.
    ///
    /// # Errors
    /// The view could not be asked.
    async fn next(&self, after: Arrival, limit: i64) -> Result<OrphanPage, ViewError>;
}

impl Reconciliation {
    /// Matches orphans received within the last `keep`, look after look, until `stop` turns true.
    pub async fn run(self, keep: Duration, mut stop: watch::Receiver<bool>) {
        let mut sweep = None;
        loop {
            let began = clock::now();
            let since = Timestamp::from_datetime(began.datetime() - keep);
            if let Err(fault) = self.look(since, &mut sweep, &stop).await {
                self.metrics.db_error("heal");
                tracing::error!(event = "dlr.db_error", operation = "heal", error = %chain(&fault));
            }
            let took = Duration::try_from(clock::now().datetime() - began.datetime());
            let pause = PAUSE.max(took.unwrap_or_default());
            if tokio::time::timeout(pause, stop.wait_for(|stop| *stop))
                .await
                .is_ok()
            {
                return;
            }
        }
    }

    /// Looks at the youngest orphans and at the page of the sweep after `sweep`, which begins
    /// with those received at `since` and starts over when it is through.
    async fn look(
        &self,
        since: Timestamp,
        sweep: &mut Option<Arrival>,
        stop: &watch::Receiver<bool>,
    ) -> Result<usize, ReconciliationError> {
        let mut youngest = self.view.youngest(since, YOUNGEST).await?;
        let begin = (since, Position::BEGINNING);
        let after = sweep.map_or(begin, |after| after.max(begin));
        let next = self.view.next(after, PAGE).await?;
        youngest.open.extend(next.open);
        let matched = self.match_open(youngest.open, stop).await?;
        *sweep = next.last;
        Ok(matched)
    }

    /// Looks once at every open orphan, unless `stop` turns true before the end; says how many
    /// were matched.
    ///
    /// # Errors
    /// The store or the keyring failed; what was matched before stays matched.
    pub async fn pass(&self, stop: &watch::Receiver<bool>) -> Result<usize, ReconciliationError> {
        // Unwrap safety: the epoch is a time.
        let ever = Timestamp::from_micros(0).expect("the epoch");
        let (mut after, mut matched) = (Some((ever, Position::BEGINNING)), 0);
        while let Some(place) = after.filter(|_| !*stop.borrow()) {
            let page = self.view.next(place, PAGE).await?;
            matched += self.match_open(page.open, stop).await?;
            after = page.last;
        }
        Ok(matched)
    }
}

#[cfg(test)]
mod tests;
