//! `billing.erasures`: the tenants that are to be erased, and since when they are.
//!
//! Whoever erases them finds here whom to erase; the log could only be read from its beginning.

mod queries;

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use schema::{Event, EventType};
use time::OffsetDateTime;
use uuid::Uuid;

pub use self::queries::{Pending, pending};
use crate::{ApplyError, Batch, Table};

const REQUEST: Statement = Statement::new(include_str!("erasures/request.sql"));
const COMPLETE: Statement = Statement::new(include_str!("erasures/complete.sql"));

/// Every tenant that was asked to be erased.
#[derive(Debug, Clone, Copy)]
pub struct Erasures;

#[async_trait]
impl Table for Erasures {
    const NAME: &'static str = "erasures";
    const READS: &'static [EventType] = &[EventType::ErasureRequested, EventType::TenantErased];

    async fn show(batch: &Batch, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        let rows = Columns::of(batch);
        REQUEST
            .execute(
                transaction,
                &[
                    &batch.log.0,
                    &rows.position,
                    &rows.requested,
                    &rows.announcement,
                    &rows.announced_at,
                    &rows.requested_at,
                ],
            )
            .await?;
        let completed: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
            [&batch.log.0, &rows.erased, &rows.erased_at];
        Ok(COMPLETE.execute(transaction, &completed).await?)
    }
}

#[derive(Default)]
struct Columns {
    position: Vec<i64>,
    requested: Vec<Uuid>,
    announcement: Vec<Uuid>,
    announced_at: Vec<OffsetDateTime>,
    requested_at: Vec<OffsetDateTime>,
    erased: Vec<Uuid>,
    erased_at: Vec<OffsetDateTime>,
}

impl Columns {
    fn of(events: &[Arc<RecordedEvent>]) -> Self {
        let mut columns = Self::default();
        for event in events {
            match &event.data.event {
                Event::ErasureRequested(request) => {
                    columns.position.push(event.position.0);
                    columns.requested.push(event.stream.id);
                    columns.announcement.push(request.source_event_id);
                    columns.announced_at.push(request.erased_at.datetime());
                    columns.requested_at.push(event.recorded_at.datetime());
                }
                Event::TenantErased(erased) => {
                    columns.erased.push(event.stream.id);
                    columns.erased_at.push(erased.erased_at.datetime());
                }
                _ => {}
            }
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn what_is_asked_for_and_what_is_done_are_shown_by_the_pseudonym() {
        let events = [
            ("ErasureRequested", 1),
            ("TenantErased", 2),
            ("PriceOpened", 3),
        ];
        let events = events.map(|(name, position)| fixture::recorded((&name, position)));
        let streams = [events[0].stream.id, events[1].stream.id];
        let rows = Columns::of(&fixture::batch(events));
        assert_eq!(rows.position, [1]);
        assert_eq!(
            (rows.requested[0], rows.erased[0]),
            (streams[0], streams[1])
        );
    }
}
