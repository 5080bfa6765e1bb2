//! Held charges rate themselves once a price covers their time.
//!
//! Whenever the tables of prices, costs, accounts or held charges have moved, and now and then
//! anyway, one pass asks them which held charges may be ratable. That is a hint: the tables may be
//! behind. Each charge's stream is read and goes through its tenant's actor, which rates it with
//! what the log says today. Two nodes may do this at once: a message is charged once.

use std::{collections::HashMap, sync::Arc, time::Duration};

use eventstore::{
    EventStore, Feed, LogId, StoreError,
    log::chain,
    postgres::{Database, Statement},
};
use ractor::ActorRef;
use schema::{MessageId, Pseudonym, StreamId};
use time::OffsetDateTime;
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_postgres::Row;

use super::{
    charging::HeldCharge,
    decide::charge::Charge,
    metrics::BillingMetrics,
    tenant_actor::{RateHeld, Work},
    tenants,
};

/// The pause between two looks at the tables.
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

/// What has happened to the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct News {
    /// Moves with every change of a price, a cost or an account.
    changed: i64,
    /// The newest held charge.
    held: i64,
    /// When the last one was charged.
    resolved: Option<OffsetDateTime>,
}

impl News {
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
                    let error = chain(&*fault);
                    tracing::error!(event = "billing.db_error", operation = "rate_held", error);
                    end
                }
            };
            sleep(PAUSE).await;
            // The log moves before its tables do: what they do not show yet may be what is waited
            // for, and nothing will tell when they do.
            if shown >= end {
                let _ = timeout_at(due, head.changed()).await;
            }
        }
    }

    /// Looks whether anything has happened since `seen`, and rates what it makes ratable; says up
    /// to where the tables show the log.
    async fn look(
        &self,
        seen: &mut Option<News>,
        due: &mut Instant,
    ) -> Result<i64, Arc<StoreError>> {
        let (news, shown) = self.news().await?;
        let anyway = Instant::now() >= *due;
        if *seen == Some(news) && !anyway {
            return Ok(shown);
        }
        let waiting = self.waiting().await?;
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

    /// Rates whatever the tables say may be ratable.
    async fn pass(&self) -> Result<(), Arc<StoreError>> {
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
        Ok(())
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
                settled,
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

    /// What has happened to the tables, and up to where all of them show the log.
    async fn news(&self) -> Result<(News, i64), StoreError> {
        const NEWS: Statement = Statement::new(include_str!("held/news.sql"));
        let row = self.ask_of_all(NEWS).await?;
        let news = News {
            changed: row.get("changed"),
            held: row.get("held"),
            resolved: row.get("resolved"),
        };
        Ok((news, row.get("shown")))
    }

    /// How many charges wait.
    async fn waiting(&self) -> Result<i64, StoreError> {
        const WAITING: Statement = Statement::new(include_str!("held/waiting.sql"));
        let row = self.ask_of_all(WAITING).await?;
        Ok(row.get("waiting"))
    }

    /// One row about the log, over the tables of all tenants.
    async fn ask_of_all(&self, statement: Statement) -> Result<Row, StoreError> {
        let log = self.log.0;
        self.database
            .transaction(statement.name(), move |transaction| {
                Box::pin(async move {
                    EVERY_TENANT.execute(transaction, &[]).await?;
                    statement.query_one(transaction, &[&log]).await
                })
            })
            .await
    }

    /// Held charges after a position that may be ratable, with their positions.
    async fn ratable(&self, after: i64) -> Result<Vec<(i64, MessageId)>, StoreError> {
        const RATABLE: Statement = Statement::new(include_str!("held/ratable.sql"));
        let log = self.log.0;
        self.database
            .transaction(RATABLE.name(), move |transaction| {
                Box::pin(async move {
                    EVERY_TENANT.execute(transaction, &[]).await?;
                    let rows = RATABLE.query(transaction, &[&log, &after, &PAGE]).await?;
                    let of = |row: &Row| (row.get("position"), MessageId(row.get("message_id")));
                    Ok(rows.iter().map(of).collect())
                })
            })
            .await
    }
}

/// The rest of the transaction sees the rows of every tenant.
const EVERY_TENANT: Statement = Statement::new(include_str!("held/every_tenant.sql"));
