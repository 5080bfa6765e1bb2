//! What actors have to be shown, out of the tables that show it: the one place where the two meet.
//! It must never decide anything.

use std::{sync::Arc, time::Duration};

use actors::{
    accounts::commands::{AccountCharges, Repricing},
    adjustments::commands::PaidCurrencies,
    charges::{
        held::{HeldChargesView, HeldNews},
        reassessment::{
            Changed, ChargedMessage, CostChange, Pending, Progress, ReassessmentView, ShownCost,
        },
    },
    prices::commands::PlatformCharges,
    receipts::{
        correlate::Wanted,
        reconciliation::{Arrival, OpenOrphan, OpenOrphans, OrphanPage},
    },
    runtime::view::ViewError,
};
use async_trait::async_trait;
use eventstore::EventStore;
use projections::{
    ReadError, Reader, Scope, Table as _,
    adjustments::adjustments,
    charges::{
        billing_events::{Charges, charged_by_the_platform, charged_otherwise},
        cost_changes,
        held_charges::{self, HeldFilter},
    },
    receipts::orphaned_receipts::{self, Orphan},
};
use schema::{
    AccountId, Currency, MessageId, Period, Position, PriceKey, TenantId, Timestamp,
    event::AssessmentCursor,
};
use tokio::time::Instant;

/// The tables that an actor's view is read from. Cheap to clone.
#[derive(Clone)]
pub struct Tables(pub Reader);

#[async_trait]
impl HeldChargesView for Tables {
    async fn news(&self) -> Result<(HeldNews, Position), ViewError> {
        let told = held_charges::news(&self.0).await.map_err(ViewError::new)?;
        let news = HeldNews {
            changed: told.changed,
            held: told.held,
            resolved: told.resolved,
        };
        Ok((news, told.shown))
    }

    async fn waiting(&self) -> Result<i64, ViewError> {
        let all = HeldFilter::default();
        let waiting = held_charges::count(&self.0, Scope::EveryTenant, all).await;
        waiting.map_err(ViewError::new)
    }

    async fn ratable(
        &self,
        after: Position,
        limit: i64,
    ) -> Result<Vec<(Position, MessageId)>, ViewError> {
        let ratable = held_charges::ratable(&self.0, after, limit).await;
        ratable.map_err(ViewError::new)
    }
}

#[async_trait]
impl PaidCurrencies for Tables {
    async fn paid_in(
        &self,
        tenant: TenantId,
        account: AccountId,
        currency: Currency,
    ) -> Result<bool, ViewError> {
        let paid = adjustments::paid_in(&self.0, tenant, account, currency).await;
        paid.map_err(ViewError::new)
    }
}

#[async_trait]
impl OpenOrphans for Tables {
    async fn youngest(&self, since: Timestamp, limit: i64) -> Result<OrphanPage, ViewError> {
        let orphans = orphaned_receipts::youngest(&self.0, since, limit).await;
        orphans.map(page).map_err(ViewError::new)
    }

    async fn next(&self, after: Arrival, limit: i64) -> Result<OrphanPage, ViewError> {
        let orphans = orphaned_receipts::next(&self.0, after, limit).await;
        orphans.map(page).map_err(ViewError::new)
    }
}

#[async_trait]
impl ReassessmentView for Tables {
    async fn pending(&self, limit: usize) -> Result<Pending, ViewError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let told = cost_changes::pending(&self.0, limit).await;
        let told = told.map_err(ViewError::new)?;
        let change = |row: cost_changes::CostChange| CostChange {
            position: row.position,
            of: match row.of {
                cost_changes::ChangedCost::Cost(key) => Changed::Cost(key),
                cost_changes::ChangedCost::Rate(key) => Changed::Rate(key),
            },
            period: row.period,
            concerns: row.concerns,
            progress: Progress {
                through: row.through,
                examined: row.examined,
                changed: row.changed,
            },
        };
        Ok(Pending {
            version: told.version,
            changes: told.changes.into_iter().map(change).collect(),
            waiting: told.waiting,
            shown: told.shown,
        })
    }

    async fn page(
        &self,
        change: &CostChange,
        after: Option<AssessmentCursor>,
        limit: usize,
    ) -> Result<Vec<ChargedMessage>, ViewError> {
        let asked = cost_changes::CostChange {
            position: change.position,
            of: match change.of {
                Changed::Cost(key) => cost_changes::ChangedCost::Cost(key),
                Changed::Rate(key) => cost_changes::ChangedCost::Rate(key),
            },
            period: change.period,
            concerns: change.concerns,
            examined: change.progress.examined,
            changed: change.progress.changed,
            through: change.progress.through,
        };
        let rows = cost_changes::charges(&self.0, &asked, after, limit).await;
        let charged = |row: cost_changes::ChargeRow| ChargedMessage {
            message: row.message,
            tenant: row.tenant,
            account: row.account,
            cursor: row.cursor,
            direction: row.direction,
            status: row.status,
            segments: row.segments,
            customer_price: row.customer_price,
            currency: row.currency,
            shown: ShownCost {
                cost: row.cost,
                exchange: row.exchange,
                operator_cost: row.operator_cost,
                converted_cost: row.converted_cost,
                margin: row.margin,
            },
        };
        let rows = rows.map_err(ViewError::new)?;
        Ok(rows.into_iter().map(charged).collect())
    }
}

/// What was charged, as its table shows it once it has come to the end of the log.
#[derive(Clone)]
pub struct CaughtUpCharges {
    /// The table.
    pub reader: Reader,
    /// The log, for its end.
    pub store: Arc<dyn EventStore>,
}

/// The table of charges does not come to the end of the log in time.
#[derive(Debug, thiserror::Error)]
#[error("charges up to position {end} are not shown yet")]
struct Behind {
    end: Position,
}

/// How long it may take to come to the end of the log.
const PATIENCE: Duration = Duration::from_secs(5);

impl CaughtUpCharges {
    /// Waits until the table shows what the log has now.
    async fn catch_up(&self) -> Result<(), ViewError> {
        let failed = |error| ViewError::new(ReadError::Store(error));
        let end = self.store.head().await.map_err(failed)?;
        // A table of an empty log has nothing to show, and no checkpoint yet.
        if end == Position::BEGINNING {
            return Ok(());
        }
        let deadline = Instant::now() + PATIENCE;
        let shown = self.reader.wait_until(&[Charges::NAME], end, deadline);
        if !shown.await.map_err(failed)? {
            return Err(ViewError::new(Behind { end }));
        }
        Ok(())
    }
}

#[async_trait]
impl PlatformCharges for CaughtUpCharges {
    async fn any_charged(
        &self,
        own: Vec<(PriceKey<TenantId>, Period)>,
    ) -> Result<Vec<bool>, ViewError> {
        self.catch_up().await?;
        let charged = charged_by_the_platform(&self.reader, &own).await;
        charged.map_err(ViewError::new)
    }
}

#[async_trait]
impl AccountCharges for CaughtUpCharges {
    async fn charged_otherwise(&self, repricing: Repricing) -> Result<bool, ViewError> {
        self.catch_up().await?;
        let Repricing {
            tenant,
            account,
            period,
        } = repricing;
        let charged = charged_otherwise(&self.reader, tenant, &account, period).await;
        charged.map_err(ViewError::new)
    }
}

fn page(orphans: Vec<Orphan>) -> OrphanPage {
    let mut page = OrphanPage::default();
    for orphan in orphans {
        let arrival = (orphan.received_at, orphan.position);
        page.last = page.last.max(Some(arrival));
        if orphan.open {
            let wanted = Wanted {
                operator: orphan.operator_id,
                operator_message: orphan.operator_message_id,
                hint: orphan.message_hint,
                arrived: orphan.received_at,
            };
            let id = orphan.id;
            page.open.insert(arrival, OpenOrphan { id, wanted });
        }
    }
    page
}
