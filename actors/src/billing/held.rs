//! Held charges rate themselves once a price covers their time.
//!
//! Whenever the tables of prices, costs, accounts or held charges have moved, and now and then
//! anyway, one pass asks them which held charges may be ratable. That is a hint: the tables may be
//! behind. Each charge's stream is read and goes through its tenant's actor, which rates it with
//! what the log says today. Two nodes may do this at once: a message is charged once.

use std::{collections::HashMap, sync::Arc, time::Duration};

use eventstore::{
    EventStore, Feed, LogId, StoreError,
    log::{chain, postgres_error},
    postgres::Database,
};
use ractor::ActorRef;
use schema::{MessageId, Pseudonym, StreamId};
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{
    charging::HeldCharge,
    metrics::BillingMetrics,
    tenant_actor::{RateHeld, Work},
    tenants,
};
use crate::decide::charge::Charge;

/// The pause between two looks at the tables.
const PAUSE: Duration = Duration::from_millis(500);
/// A pass is due after this even if nothing moved.
const ANYWAY: Duration = Duration::from_mins(1);
/// How many held charges are looked at together.
const PAGE: i64 = 500;
/// How long the actors may take for a page.
const PATIENCE: Duration = Duration::from_secs(30);

/// What rating held charges works with. Cheap to clone.
#[derive(Clone)]
pub struct HeldCharges {
    /// Where the tables are.
    pub database: Database,
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Which log.
    pub log: LogId,
    /// Says when the log has moved.
    pub feed: Arc<Feed>,
    /// Where held charges are rated.
    pub tenants: ActorRef<tenants::Msg>,
    /// What is counted.
    pub metrics: Arc<BillingMetrics>,
}

/// How far the tables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct News {
    changed: i64,
    held: i64,
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
            match self.pass_after(seen, Instant::now() >= due).await {
                Ok(Some(news)) => (seen, due) = (Some(news), Instant::now() + ANYWAY),
                Ok(None) => {}
                // Looked at again after the pause.
                Err(fault) => {
                    seen = None;
                    self.metrics.pg_error("rate_held");
                    let error = chain(&*fault);
                    tracing::error!(event = "billing.db_error", operation = "rate_held", error);
                }
            }
            sleep(PAUSE).await;
            let _ = timeout_at(due, head.changed()).await;
        }
    }

    /// Looks whether there is news since `seen`, and rates what it makes ratable; says what it
    /// has seen if it did.
    async fn pass_after(
        &self,
        seen: Option<News>,
        anyway: bool,
    ) -> Result<Option<News>, Arc<StoreError>> {
        let (news, waiting) = self.news().await?;
        self.metrics.held_charges.set(waiting);
        if waiting == 0 || (seen == Some(news) && !anyway) {
            return Ok((waiting == 0).then_some(news));
        }
        let (mut after, mut charged) = (0, 0);
        loop {
            let page = self.ratable(after).await?;
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
        Ok(Some(news))
    }

    /// Sends these through their tenants' actors; says how many are charged now.
    async fn rate(&self, messages: &[MessageId]) -> Result<usize, Arc<StoreError>> {
        let streams: Vec<_> = messages.iter().copied().map(StreamId::charge).collect();
        let histories = self.store.read_streams(&streams).await?;
        let mut tenants: HashMap<Pseudonym, Vec<HeldCharge>> = HashMap::new();
        for history in histories {
            // Charged meanwhile: the table is behind.
            let Charge::Held(settled) = Charge::folded(&history) else {
                continue;
            };
            let held = tenants.entry(settled.first.tenant).or_default();
            held.push(HeldCharge {
                announced: settled.first,
                version: history.last().map_or(0, |last| last.version),
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

    /// How far the tables are, and how many charges wait.
    async fn news(&self) -> Result<(News, i64), StoreError> {
        const SQL: &str = include_str!("held/news.sql");
        const OPERATION: &str = "looking for news of held charges";
        let log = self.log.0;
        let failed = postgres_error(OPERATION);
        self.database
            .transaction(OPERATION, move |transaction| {
                Box::pin(async move {
                    transaction
                        .execute(EVERY_TENANT, &[])
                        .await
                        .map_err(failed)?;
                    let statement = transaction.prepare_cached(SQL).await.map_err(failed)?;
                    let row = transaction
                        .query_one(&statement, &[&log])
                        .await
                        .map_err(failed)?;
                    let (changed, held) = (row.get("changed"), row.get("held"));
                    Ok((News { changed, held }, row.get("waiting")))
                })
            })
            .await
    }

    /// Held charges after a position that may be ratable, with their positions.
    async fn ratable(&self, after: i64) -> Result<Vec<(i64, MessageId)>, StoreError> {
        const SQL: &str = include_str!("held/ratable.sql");
        const OPERATION: &str = "looking for ratable charges";
        let log = self.log.0;
        let failed = postgres_error(OPERATION);
        self.database
            .transaction(OPERATION, move |transaction| {
                Box::pin(async move {
                    transaction
                        .execute(EVERY_TENANT, &[])
                        .await
                        .map_err(failed)?;
                    let statement = transaction.prepare_cached(SQL).await.map_err(failed)?;
                    let rows = transaction.query(&statement, &[&log, &after, &PAGE]).await;
                    let of = |row: &tokio_postgres::Row| {
                        (row.get("position"), MessageId(row.get("message_id")))
                    };
                    Ok(rows.map_err(failed)?.iter().map(of).collect())
                })
            })
            .await
    }
}

/// The rest of the transaction sees the rows of every tenant.
const EVERY_TENANT: &str = include_str!("held/every_tenant.sql");
