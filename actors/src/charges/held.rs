//! Held charges rate themselves once a price covers their time.
//!
//! Whenever the view of prices, costs, accounts and held charges has moved, and now and then
//! anyway, one pass asks it which held charges may be ratable. That is a hint: a view may be
//! behind. Each charge's stream is read and goes through its tenant's actor, which rates it with
//! what the log says today. Two nodes may do this at once: a message is charged once.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use eventstore::{EventStore, Feed, StoreError, log::chain};
use ractor::ActorRef;
use schema::{MessageId, Position, Pseudonym, StreamId, Timestamp};
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{
    charging::HeldCharge,
    decide::charge::Charge,
    metrics::BillingMetrics,
    tenant_actor::{RateHeld, Work},
    tenants,
};
use crate::runtime::{decider::version_of, view::ViewError};

/// The pause between two looks at the view.
const PAUSE: Duration = Duration::from_millis(250);
/// A pass is due after this even if nothing moved.
const ANYWAY: Duration = Duration::from_mins(1);
/// How many held charges are looked at together.
const PAGE: i64 = 500;
/// How long the actors may take for a page.
const PATIENCE: Duration = Duration::from_secs(30);

/// What rating held charges works with. Cheap to clone.
#[derive(Clone)]
pub struct HeldCharges {
    /// What shows them.
    pub view: Arc<dyn HeldChargesView>,
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Says when the log has moved.
    pub feed: Arc<Feed>,
    /// Where held charges are rated.
    pub tenants: ActorRef<tenants::Msg>,
    /// What is counted.
    pub metrics: Arc<BillingMetrics>,
}

/// What is shown of held charges and of what they wait for, all tenants together.
#[async_trait]
pub trait HeldChargesView: Send + Sync {
    /// What has happened, and the position up to which held charges, prices, costs and accounts
    /// are all shown. It must be cheap: it is asked four times a second while the log moves.
    ///
    /// # Errors
    /// The view could not be asked.
    async fn news(&self) -> Result<(HeldNews, Position), ViewError>;

    /// How many charges wait.
    ///
    /// # Errors
    /// The view could not be asked.
    async fn waiting(&self) -> Result<i64, ViewError>;

    /// At most `limit` charges, held at positions after `after`, that the prices shown may cover:
    /// position and message, oldest first. One that is not ratable does no harm; one that is
    /// ratable is in some later answer, once the view shows what makes it so.
    ///
    /// # Errors
    /// The view could not be asked.
    async fn ratable(
        &self,
        after: Position,
        limit: i64,
    ) -> Result<Vec<(Position, MessageId)>, ViewError>;
}

/// What has happened to held charges and to what they wait for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeldNews {
    /// Moves with every change of a price, a cost or an account; says nothing else.
    pub changed: i64,
    /// The position of the newest held charge; the beginning before the first.
    pub held: Position,
    /// When the last one was charged, as recorded.
    pub resolved: Option<Timestamp>,
}

/// What kept a look from finishing; the next one tries again.
#[derive(Debug, thiserror::Error)]
enum HeldError {
    /// The view could not be asked.
    #[error("looking for held charges")]
    View(#[from] ViewError),
    /// The log could not be read, or did not take what was charged.
    #[error("rating held charges")]
    Store(#[from] Arc<StoreError>),
}

impl From<StoreError> for HeldError {
    fn from(fault: StoreError) -> Self {
        Self::Store(Arc::new(fault))
    }
}

impl HeldNews {
    /// Whether more may be ratable than when `before` was seen.
    fn may_make_ratable(self, before: Option<Self>) -> bool {
        before.is_none_or(|before| (before.changed, before.held) != (self.changed, self.held))
    }
}

impl HeldCharges {
    /// Rates whatever becomes ratable, pass after pass, until `stop` turns true.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let passes = self.passes();
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            never = passes => match never {},
        }
    }

    async fn passes(&self) -> std::convert::Infallible {
        let mut head = self.feed.head();
        let (mut seen, mut due) = (None, Instant::now());
        loop {
            let end = *head.borrow_and_update();
            let shown = match self.look(&mut seen, &mut due).await {
                Ok(shown) => shown,
                Err(fault) => {
                    (seen, due) = (None, Instant::now());
                    self.metrics.pg_error("rate_held");
                    let error = chain(&fault);
                    tracing::error!(event = "billing.db_error", operation = "rate_held", error);
                    end
                }
            };
            sleep(PAUSE).await;
            // The log moves before its view does: what is not shown yet may be what is waited for,
            // and nothing will tell when it is.
            if shown >= end {
                let _ = timeout_at(due, head.changed()).await;
            }
        }
    }

    /// Looks whether anything has happened since `seen`, and rates what it makes ratable; says up
    /// to where the log is shown.
    async fn look(
        &self,
        seen: &mut Option<HeldNews>,
        due: &mut Instant,
    ) -> Result<Position, HeldError> {
        let (news, shown) = self.view.news().await?;
        let anyway = Instant::now() >= *due;
        if *seen == Some(news) && !anyway {
            return Ok(shown);
        }
        let waiting = self.view.waiting().await?;
        self.metrics.held_charges.set(waiting);
        if waiting > 0 && (anyway || news.may_make_ratable(*seen)) {
            self.pass().await?;
        }
        if anyway {
            *due = Instant::now() + ANYWAY;
        }
        *seen = Some(news);
        Ok(shown)
    }

    /// Rates whatever is shown as perhaps ratable.
    async fn pass(&self) -> Result<(), HeldError> {
        let (mut after, mut charged) = (Position::BEGINNING, 0);
        loop {
            let page = self.view.ratable(after, PAGE).await?;
            let Some((last, _)) = page.last() else {
                break;
            };
            after = *last;
            let messages: Vec<_> = page.into_iter().map(|(_, message)| message).collect();
            charged += self.rate(&messages).await?;
        }
        if charged > 0 {
            tracing::info!(event = "billing.held_resolved", charges = charged);
        }
        Ok(())
    }

    /// Sends these through their tenants' actors; says how many are charged now.
    async fn rate(&self, messages: &[MessageId]) -> Result<usize, HeldError> {
        let streams: Vec<_> = messages.iter().copied().map(StreamId::charge).collect();
        let histories = self.store.read_streams(&streams).await?;
        let mut tenants: HashMap<Pseudonym, Vec<HeldCharge>> = HashMap::new();
        for history in histories {
            // Charged meanwhile: the view is behind.
            let Charge::Held(settled) = Charge::folded(&history) else {
                continue;
            };
            let held = tenants.entry(settled.first.tenant).or_default();
            held.push(HeldCharge {
                settled,
                version: version_of(&history),
            });
        }
        let (mut works, mut answers) = (Vec::new(), Vec::new());
        for (tenant, held) in tenants {
            let (reply, answer) = oneshot::channel();
            works.push((tenant, Work::RateHeld(RateHeld { held, reply })));
            answers.push(answer);
        }
        let _ = self.tenants.cast(tenants::Msg::Work(works));
        let mut charged = 0;
        for answer in answers {
            // Whoever went away or takes too long leaves the rest to the next pass.
            if let Ok(Ok(rated)) = timeout(PATIENCE, answer).await {
                charged += rated?;
            }
        }
        Ok(charged)
    }
}

#[cfg(test)]
mod tests;
