//! What actors have to be shown, out of the tables that show it: the one place where the two meet.
//! It must never decide anything.

use actors::{
    charges::held::{HeldChargesView, HeldNews},
    receipts::{
        correlate::Wanted,
        reconciliation::{Arrival, OpenOrphan, OpenOrphans, OrphanPage},
    },
    runtime::view::ViewError,
};
use async_trait::async_trait;
use projections::{
    Reader, Scope,
    charges::held_charges::{self, HeldFilter},
    receipts::orphaned_receipts::{self, Orphan},
};
use schema::{MessageId, Timestamp};

/// The tables that an actor's view is read from. Cheap to clone.
#[derive(Clone)]
pub struct Tables(pub Reader);

#[async_trait]
impl HeldChargesView for Tables {
    async fn news(&self) -> Result<(HeldNews, i64), ViewError> {
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

    async fn ratable(&self, after: i64, limit: i64) -> Result<Vec<(i64, MessageId)>, ViewError> {
        let ratable = held_charges::ratable(&self.0, after, limit).await;
        ratable.map_err(ViewError::new)
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
