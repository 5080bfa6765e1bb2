//! `dlr.delivery_receipts`: one row per receipt recorded in a message's stream.

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use schema::{Event, EventType, ReceiptFacts, Sealed};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{ApplyError, Batch, Table};

const INSERT: Statement = Statement::new(include_str!("delivery_receipts/insert.sql"));

/// Every accepted receipt: final, intermediate and late.
#[derive(Debug, Clone, Copy)]
pub struct DeliveryReceipts;

#[async_trait]
impl Table for DeliveryReceipts {
    const NAME: &'static str = "delivery_receipts";
    const READS: &'static [EventType] = &[
        EventType::ReceiptRecorded,
        EventType::MessageSettled,
        EventType::LateReceiptRecorded,
    ];

    async fn show(batch: &Batch, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        let rows = Columns::of(batch);
        if rows.position.is_empty() {
            return Ok(());
        }
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 15] = [
            &batch.log.0,
            &rows.position,
            &rows.receipt,
            &rows.message,
            &rows.tenant,
            &rows.account,
            &rows.operator,
            &rows.operator_message,
            &rows.raw_stat,
            &rows.dlr_status,
            &rows.error_code,
            &rows.delivered_at,
            &rows.source_addr,
            &rows.dest_addr,
            &rows.recorded_at,
        ];
        Ok(INSERT.execute(transaction, &parameters).await?)
    }
}

#[derive(Default)]
struct Columns<'a> {
    position: Vec<i64>,
    receipt: Vec<Uuid>,
    message: Vec<Uuid>,
    tenant: Vec<Option<Uuid>>,
    account: Vec<Option<Uuid>>,
    operator: Vec<Uuid>,
    operator_message: Vec<&'a str>,
    raw_stat: Vec<&'a str>,
    dlr_status: Vec<&'static str>,
    error_code: Vec<Option<&'a str>>,
    delivered_at: Vec<OffsetDateTime>,
    source_addr: Vec<Option<&'a str>>,
    dest_addr: Vec<Option<&'a str>>,
    recorded_at: Vec<OffsetDateTime>,
}

impl<'a> Columns<'a> {
    fn of(events: &'a [Arc<RecordedEvent>]) -> Self {
        let mut columns = Self::default();
        for event in events {
            match &event.data.event {
                Event::ReceiptRecorded(recorded) => columns.push(event, &recorded.receipt),
                Event::MessageSettled(settled) => columns.push(event, &settled.receipt),
                Event::LateReceiptRecorded(late) => columns.push(event, &late.receipt),
                _ => {}
            }
        }
        columns
    }

    fn push(&mut self, event: &'a RecordedEvent, receipt: &'a ReceiptFacts) {
        let sealed = |field| event.data.sealed.0.get(field).map(|value| value.0.as_str());
        self.position.push(event.position.0);
        self.receipt.push(event.data.id.0);
        self.message.push(event.stream.id);
        self.tenant.push(event.data.tenant.map(|tenant| tenant.0));
        self.account
            .push(event.data.account.map(|account| account.0));
        self.operator.push(receipt.operator_id.0);
        self.operator_message
            .push(receipt.operator_message_id.as_str());
        self.raw_stat.push(&receipt.raw_stat);
        self.dlr_status.push(receipt.dlr_status.as_str());
        self.error_code.push(receipt.error_code.as_deref());
        self.delivered_at.push(receipt.delivered_at.datetime());
        self.source_addr.push(sealed(Sealed::SOURCE_ADDR));
        self.dest_addr.push(sealed(Sealed::DEST_ADDR));
        self.recorded_at.push(event.recorded_at.datetime());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn every_receipt_of_a_message_is_a_row_and_an_orphan_is_none() {
        let events = fixture::receipts();
        let rows = Columns::of(&events);
        assert_eq!(rows.dlr_status, ["UNKNOWN", "DELIVERED", "EXPIRED"]);
        assert_eq!(rows.position, [1, 2, 3]);
        assert_eq!(
            rows.message,
            [
                events[0].stream.id,
                events[1].stream.id,
                events[2].stream.id
            ]
        );
        assert_eq!(rows.tenant.iter().flatten().count(), 3);
    }
}
