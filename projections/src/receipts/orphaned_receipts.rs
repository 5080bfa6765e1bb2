//! `dlr.orphaned_receipts` and `dlr.orphan_resolutions`: receipts without a message, and which of
//! them found one. What the carrier sent stays in the log: a second copy of it, kept for years,
//! would serve nobody who cannot read the first.

mod queries;

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use schema::{
    Event, EventType,
    event::{OrphanMatched, ReceiptOrphaned},
};
use time::OffsetDateTime;
use uuid::Uuid;

pub use self::queries::{Orphan, about, next, youngest};
use crate::{ApplyError, Batch, Table};

const ORPHANS: Statement = Statement::new(include_str!("orphaned_receipts/insert.sql"));
const RESOLUTIONS: Statement = Statement::new(include_str!("orphaned_receipts/resolve.sql"));

/// Every orphan and every resolution.
#[derive(Debug, Clone, Copy)]
pub struct OrphanedReceipts;

#[async_trait]
impl Table for OrphanedReceipts {
    const NAME: &'static str = "orphaned_receipts";
    const READS: &'static [EventType] = &[EventType::ReceiptOrphaned, EventType::OrphanMatched];

    async fn show(batch: &Batch, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        let (orphans, resolutions) = columns(batch);
        if !orphans.position.is_empty() {
            orphans.insert(transaction, batch.log.0).await?;
        }
        if !resolutions.position.is_empty() {
            resolutions.insert(transaction, batch.log.0).await?;
        }
        Ok(())
    }
}

fn columns(events: &[Arc<RecordedEvent>]) -> (Orphans<'_>, Resolutions) {
    let (mut orphans, mut resolutions) = (Orphans::default(), Resolutions::default());
    for event in events {
        match &event.data.event {
            Event::ReceiptOrphaned(orphaned) => orphans.push(event, orphaned),
            Event::OrphanMatched(matched) => resolutions.push(event, matched),
            _ => {}
        }
    }
    (orphans, resolutions)
}

#[derive(Default)]
struct Orphans<'a> {
    position: Vec<i64>,
    orphan: Vec<Uuid>,
    operator: Vec<Uuid>,
    operator_message: Vec<&'a str>,
    raw_stat: Vec<&'a str>,
    dlr_status: Vec<&'static str>,
    delivered_at: Vec<OffsetDateTime>,
    received_at: Vec<OffsetDateTime>,
    message_hint: Vec<Option<Uuid>>,
}

impl<'a> Orphans<'a> {
    fn push(&mut self, event: &'a RecordedEvent, orphaned: &'a ReceiptOrphaned) {
        let receipt = &orphaned.receipt;
        self.position.push(event.position.0);
        self.orphan.push(event.data.id.0);
        self.operator.push(receipt.operator_id.0);
        self.operator_message
            .push(receipt.operator_message_id.as_str());
        self.raw_stat.push(&receipt.raw_stat);
        self.dlr_status.push(receipt.dlr_status.as_str());
        self.delivered_at.push(receipt.delivered_at.datetime());
        self.received_at.push(receipt.received_at.datetime());
        self.message_hint
            .push(orphaned.message_hint.map(|message| message.0));
    }

    async fn insert(&self, transaction: &Transaction<'_>, log: i16) -> Result<(), ApplyError> {
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 10] = [
            &log,
            &self.position,
            &self.orphan,
            &self.operator,
            &self.operator_message,
            &self.raw_stat,
            &self.dlr_status,
            &self.delivered_at,
            &self.received_at,
            &self.message_hint,
        ];
        Ok(ORPHANS.execute(transaction, &parameters).await?)
    }
}

#[derive(Default)]
struct Resolutions {
    position: Vec<i64>,
    orphan: Vec<Uuid>,
    resolved_at: Vec<OffsetDateTime>,
    receipt: Vec<Option<Uuid>>,
    message: Vec<Uuid>,
}

impl Resolutions {
    fn push(&mut self, event: &RecordedEvent, matched: &OrphanMatched) {
        self.position.push(event.position.0);
        self.orphan.push(matched.orphan_id.0);
        self.resolved_at.push(event.recorded_at.datetime());
        self.receipt
            .push(matched.receipt_id.map(|receipt| receipt.0));
        self.message.push(matched.message_id.0);
    }

    async fn insert(&self, transaction: &Transaction<'_>, log: i16) -> Result<(), ApplyError> {
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 6] = [
            &log,
            &self.position,
            &self.orphan,
            &self.resolved_at,
            &self.receipt,
            &self.message,
        ];
        Ok(RESOLUTIONS.execute(transaction, &parameters).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn an_orphan_and_its_resolution_meet_by_the_orphans_id() {
        let events = fixture::receipts();
        let (orphans, resolutions) = columns(&events);
        assert_eq!(
            (orphans.position.as_slice(), resolutions.position.as_slice()),
            (&[4][..], &[5][..])
        );
        assert_eq!(orphans.orphan, [events[3].data.id.0]);
        assert_eq!(orphans.message_hint.iter().flatten().count(), 1);
        assert_eq!(resolutions.orphan.len(), 1);
    }
}
