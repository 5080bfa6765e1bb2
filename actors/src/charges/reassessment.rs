//! What charges cost is assessed again when a cost or an exchange rate becomes known for a time
//! gone by.
//!
//! Whoever records a charge guards the costs and rates that it rests on. So every charge recorded
//! behind a change of these knows it already, and those before it are a set that only shrinks: one
//! pass per change goes through them in a fixed order, a page at a time, and records for each page
//! what changed and how far it is. All of that is one stream. Its version says whether the figures
//! shown are the last ones, and of two nodes at the same page one is refused. Whoever is stopped is
//! followed by whoever looks next, from the last page on. See
//! `docs/adr/0050-costs-are-assessed-again.md`.

mod page;

use std::{convert::Infallible, sync::Arc, time::Duration};

use async_trait::async_trait;
use eventstore::{Feed, Outcome, StoreError, clock::now, log::chain};
use schema::{
    AccountId, Amount, CostKey, Currency, Direction, ExchangeRateId, ExchangeRateKey, MessageId,
    OperatorCostId, Period, Position, Pseudonym, Status, StreamId, StreamVersion,
    event::AssessmentCursor,
};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use self::page::Page;
use super::{metrics::BillingMetrics, price_cache::PriceCache};
use crate::runtime::{log_handle::LogHandle, view::ViewError};

/// The pause between two looks at the view.
const PAUSE: Duration = Duration::from_millis(250);
/// A look is due after this even if nothing moved.
const ANYWAY: Duration = Duration::from_mins(1);
/// How many charges are looked at together.
const PAGE: usize = 4_000;
/// How many changes without charges are finished together.
const CHANGES: usize = 500;
/// How often a page is decided again because costs or rates moved, before it has to be looked at
/// anew.
const TRIES: usize = 8;

/// What assessing again works with. Cheap to clone.
#[derive(Clone)]
pub struct Reassessment {
    /// What shows changes and charges.
    pub view: Arc<dyn ReassessmentView>,
    /// The log.
    pub log: LogHandle,
    /// Says when the log has moved.
    pub feed: Arc<Feed>,
    /// The costs and rates that were read.
    pub prices: Arc<PriceCache>,
    /// What is counted.
    pub metrics: Arc<BillingMetrics>,
}

/// What is shown of changes of costs and exchange rates, and of the charges that they concern.
#[async_trait]
pub trait ReassessmentView: Send + Sync {
    /// The oldest changes whose charges are not all assessed again, at most `limit`, and how far
    /// that is.
    ///
    /// # Errors
    /// The view could not be asked.
    async fn pending(&self, limit: usize) -> Result<Pending, ViewError>;

    /// At most `limit` charges that `change` concerns, behind `after`, in order.
    ///
    /// # Errors
    /// The view could not be asked.
    async fn page(
        &self,
        change: &CostChange,
        after: Option<AssessmentCursor>,
        limit: usize,
    ) -> Result<Vec<ChargedMessage>, ViewError>;
}

/// What is to be done, as it is shown at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The version of the stream of assessments up to which figures are shown. Every charge before
    /// each of the changes is shown too.
    pub version: StreamVersion,
    /// The changes, oldest first.
    pub changes: Vec<CostChange>,
    /// How many there are in all.
    pub waiting: i64,
    /// Up to where the log is shown.
    pub shown: Position,
}

/// A change of costs or exchange rates whose charges are not all assessed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostChange {
    /// Where in the log it stands.
    pub position: Position,
    /// What changed.
    pub of: Changed,
    /// For which time.
    pub period: Period,
    /// Whether it concerns any charge that is not behind `progress`.
    pub concerns: bool,
    /// How far through its charges somebody came.
    pub progress: Progress,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// What a carrier takes.
    Cost(CostKey),
    /// An exchange rate.
    Rate(ExchangeRateKey),
}

/// How far one pass is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// The last charge looked at.
    pub through: Option<AssessmentCursor>,
    /// How many were looked at.
    pub examined: i64,
    /// How many of them cost something else now.
    pub changed: i64,
}

/// A charge, with what it is shown to cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChargedMessage {
    /// The message.
    pub message: MessageId,
    /// Whose it is.
    pub tenant: Pseudonym,
    /// On which account.
    pub account: AccountId,
    /// Through which carrier, for which time, and where in the log.
    pub cursor: AssessmentCursor,
    /// Which way it went.
    pub direction: Direction,
    /// Its final status.
    pub status: Status,
    /// Its SMS segments.
    pub segments: i16,
    /// What the customer pays.
    pub customer_price: Amount,
    /// In this currency.
    pub currency: Currency,
    /// What it is shown to cost.
    pub shown: ShownCost,
}

/// What a charge is shown to cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownCost {
    /// The version of the cost, if there is one.
    pub cost: Option<OperatorCostId>,
    /// The version of the exchange rate, if one was applied.
    pub exchange: Option<ExchangeRateId>,
    /// What the carrier takes, in the currency of the cost.
    pub operator_cost: Amount,
    /// The same in the currency of the charge, where that is known.
    pub converted_cost: Option<Amount>,
    /// The margin, where it is known.
    pub margin: Option<Amount>,
}

/// What kept a look from finishing; the next one tries again.
#[derive(Debug, thiserror::Error)]
enum Fault {
    /// The view could not be asked.
    #[error("looking for charges to assess again")]
    View(#[from] ViewError),
    /// The log could not be read or written.
    #[error("assessing costs again")]
    Store(#[from] Arc<StoreError>),
}

impl From<StoreError> for Fault {
    fn from(fault: StoreError) -> Self {
        Self::Store(Arc::new(fault))
    }
}

impl Reassessment {
    /// Assesses again whatever has to be, until `stop` turns true.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let looks = self.looks();
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            never = looks => match never {},
        }
    }

    async fn looks(&self) -> Infallible {
        let mut head = self.feed.head();
        loop {
            let end = *head.borrow_and_update();
            let done = match self.look().await {
                Ok(done) => done,
                Err(fault) => {
                    self.metrics.pg_error("reassess");
                    let error = chain(&fault);
                    tracing::error!(event = "billing.db_error", operation = "reassess", error);
                    None
                }
            };
            sleep(PAUSE).await;
            // The log moves before its view does, so what is not shown yet is looked for again.
            if done.is_some_and(|shown| shown >= end) {
                let _ = timeout(ANYWAY, head.changed()).await;
            }
        }
    }

    /// Does what is shown to be done; says up to where the log was shown, if nothing is left.
    async fn look(&self) -> Result<Option<Position>, Fault> {
        let Pending {
            version,
            changes,
            waiting,
            shown,
        } = self.view.pending(CHANGES).await?;
        self.metrics.cost_changes_pending.set(waiting);
        let idle = changes.iter().take_while(|change| !change.concerns).count();
        match changes.get(idle) {
            None if changes.is_empty() => return Ok(Some(shown)),
            // Changes for a time to come, as most are.
            _ if idle > 0 => {
                let done = Page::finished(&changes[..idle], version, now());
                self.append(done).await?;
            }
            Some(change) => self.pass(change, version).await?,
            None => {}
        }
        Ok(None)
    }

    /// Goes through the charges of `change`, from where somebody left off.
    async fn pass(&self, change: &CostChange, mut version: StreamVersion) -> Result<(), Fault> {
        let mut progress = change.progress;
        loop {
            let after = progress.through;
            let charges = self.view.page(change, after, PAGE).await?;
            let page = Page::of(change, charges, progress, version, PAGE);
            let Some((newer, advanced)) = self.assess(&page).await? else {
                return Ok(());
            };
            let changed = u64::try_from(advanced.changed - progress.changed).unwrap_or(0);
            self.metrics.reassessed.inc_by(changed);
            (version, progress) = (newer, advanced);
            if page.is_last() {
                tracing::info!(
                    event = "billing.costs_assessed",
                    position = %change.position,
                    examined = progress.examined,
                    changed = progress.changed,
                );
                return Ok(());
            }
        }
    }
}

impl Reassessment {
    /// Decides `page` with the costs and rates of today and records what follows; says at which
    /// version the stream is then, and how far the pass. Nothing if somebody else went on with it
    /// meanwhile, or costs and rates moved all the time.
    async fn assess(&self, page: &Page<'_>) -> Result<Option<(StreamVersion, Progress)>, Fault> {
        for _ in 0..TRIES {
            // Twice, because costs choose the rates.
            for _ in 0..2 {
                let missing = page.missing(&self.prices.read());
                if !missing.is_empty() {
                    self.prices.load_all(missing).await?;
                }
            }
            let decided = page.decide(&self.prices.read(), now());
            let Some(decided) = decided else {
                continue;
            };
            let progress = decided.progress;
            match self.append(decided).await? {
                Outcome::Recorded { version, .. } => return Ok(Some((version, progress))),
                Outcome::GuardMoved { stream, .. } => self.prices.invalidate([stream]),
                Outcome::AlreadyRecorded
                | Outcome::Diverged { .. }
                | Outcome::Conflict { .. }
                | Outcome::Refused => return Ok(None),
            }
        }
        Ok(None)
    }

    async fn append(&self, decided: page::Assessed) -> Result<Outcome, Fault> {
        let (log, stream) = (self.log.log, StreamId::assessments());
        let append = decided
            .decision
            .append(log, stream, decided.expected, &decided.command);
        let outcomes = self.log.append(vec![append]).await?;
        // Unwrap safety: one append has one outcome.
        Ok(outcomes.into_iter().next().expect("an outcome"))
    }
}

#[cfg(test)]
mod tests;
