//! `orch.sms_messages`: the status of the orchestrator's messages. The table belongs to another
//! team; this projection writes four of its columns and must never touch another.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use schema::{Event, EventType, Status, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{ApplyError, Batch, Table};

const UPDATE: Statement = Statement::new(include_str!("sms_messages/update.sql"));

/// The status of every message.
#[derive(Debug, Clone, Copy)]
pub struct SmsMessages;

#[async_trait]
impl Table for SmsMessages {
    const NAME: &'static str = "sms_messages";
    const READS: &'static [EventType] = &[EventType::ReceiptRecorded, EventType::MessageSettled];

    async fn show(batch: &Batch, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        let changes = collapse(batch);
        if changes.is_empty() {
            return Ok(());
        }
        let messages: Vec<Uuid> = changes.keys().copied().collect();
        let statuses: Vec<&str> = changes
            .values()
            .map(|(status, _)| status.as_str())
            .collect();
        let times: Vec<OffsetDateTime> = changes.values().map(|(_, at)| at.datetime()).collect();
        Ok(UPDATE
            .execute(transaction, &[&messages, &statuses, &times])
            .await?)
    }
}

/// The last change of each message, in the order of message ids.
type Collapsed = BTreeMap<Uuid, (Status, Timestamp)>;

/// What a batch does to each message: a settlement settles it, whatever else the batch says; an
/// intermediate receipt counts only if it was the message's first. Late receipts change nothing.
fn collapse(events: &[Arc<RecordedEvent>]) -> Collapsed {
    let mut changes = Collapsed::new();
    for event in events {
        match &event.data.event {
            Event::MessageSettled(settled) => {
                let change = (settled.receipt.dlr_status, event.recorded_at);
                changes.insert(event.stream.id, change);
            }
            Event::ReceiptRecorded(recorded) if recorded.changed_status => {
                let change = (Status::Unknown, event.recorded_at);
                changes.entry(event.stream.id).or_insert(change);
            }
            _ => {}
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use schema::StreamId;

    use super::*;
    use crate::fixture;

    fn on(message: u128, name: &'static str, position: i64) -> Arc<RecordedEvent> {
        let event = fixture::recorded((&name, position));
        let stream = StreamId {
            id: Uuid::from_u128(message),
            ..event.stream
        };
        Arc::new(RecordedEvent { stream, ..event })
    }

    fn collapsed(events: &[Arc<RecordedEvent>]) -> Vec<(u128, Status, Timestamp)> {
        let changes = collapse(events).into_iter();
        changes
            .map(|(message, (status, at))| (message.as_u128(), status, at))
            .collect()
    }

    #[test]
    fn a_settlement_wins_over_the_receipts_around_it() {
        let events = [
            on(1, "ReceiptRecorded", 1),
            on(1, "MessageSettled", 2),
            on(1, "LateReceiptRecorded", 3),
        ];
        let settled = events[1].recorded_at;
        assert_eq!(collapsed(&events), [(1, Status::Delivered, settled)]);
    }

    #[test]
    fn a_first_intermediate_receipt_is_unknown_and_the_next_one_nothing() {
        let first = on(1, "ReceiptRecorded", 1);
        let mut second = on(1, "ReceiptRecorded", 2);
        if let Event::ReceiptRecorded(recorded) = &mut Arc::make_mut(&mut second).data.event {
            recorded.changed_status = false;
        }
        let at = first.recorded_at;
        assert_eq!(
            collapsed(&[first, second.clone()]),
            [(1, Status::Unknown, at)]
        );
        assert_eq!(collapsed(&[second]), []);
    }

    #[test]
    fn late_receipts_and_orphans_change_nothing() {
        let events = [
            on(1, "LateReceiptRecorded", 1),
            on(2, "ReceiptOrphaned", 2),
            on(3, "OrphanMatched", 3),
        ];
        assert_eq!(collapsed(&events), []);
    }

    #[test]
    fn messages_come_in_the_order_of_their_ids() {
        let events = [on(9, "MessageSettled", 1), on(2, "MessageSettled", 2)];
        let messages: Vec<_> = collapsed(&events)
            .into_iter()
            .map(|change| change.0)
            .collect();
        assert_eq!(messages, [2, 9]);
    }
}
