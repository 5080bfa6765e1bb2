//! `billing.cost_changes`: since when what is known of costs and exchange rates, and how far the
//! charges of the time are assessed again.

mod queries;

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use schema::{Event, EventType, Period, Timestamp, event::AssessmentAdvanced};
use time::OffsetDateTime;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

pub use self::queries::{ChangedCost, ChargeRow, CostChange, PendingChanges, charges, pending};
use crate::{ApplyError, Batch, Scope, Table};

const ADD: Statement = Statement::new(include_str!("cost_changes/add.sql"));
const ADVANCE: Statement = Statement::new(include_str!("cost_changes/advance.sql"));

/// Every change of a cost or an exchange rate.
#[derive(Debug, Clone, Copy)]
pub struct CostChanges;

#[async_trait]
impl Table for CostChanges {
    const NAME: &'static str = "cost_changes";
    const READS: &'static [EventType] = &[
        EventType::CostOpened,
        EventType::CostClosed,
        EventType::ExchangeRateOpened,
        EventType::ExchangeRateClosed,
        EventType::AssessmentAdvanced,
    ];

    async fn show(batch: &Batch, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        Scope::EveryTenant.enter(transaction).await?;
        let (changes, advances) = (Changes::of(batch), Advances::of(batch));
        changes.add(transaction, batch.log.0).await?;
        advances.show(transaction, batch.log.0).await
    }
}

#[derive(Default)]
struct Changes<'a> {
    position: Vec<i64>,
    version: Vec<Uuid>,
    operator: Vec<Option<Uuid>>,
    direction: Vec<Option<&'static str>>,
    base: Vec<Option<&'a str>>,
    quote: Vec<Option<&'a str>>,
    /// Of a version that was opened.
    begins: Vec<Option<OffsetDateTime>>,
    ends: Vec<Option<OffsetDateTime>>,
    recorded_at: Vec<OffsetDateTime>,
}

impl<'a> Changes<'a> {
    fn of(events: &'a [Arc<RecordedEvent>]) -> Self {
        let mut columns = Self::default();
        for event in events {
            match &event.data.event {
                Event::CostOpened(opened) => {
                    columns.opened(event, opened.operator_cost_id.0, opened.period);
                    columns.operator.push(Some(opened.operator_id.0));
                    columns.direction.push(Some(opened.direction.as_str()));
                    columns.base.push(None);
                    columns.quote.push(None);
                }
                Event::ExchangeRateOpened(opened) => {
                    columns.opened(event, opened.exchange_rate_id.0, opened.period);
                    columns.operator.push(None);
                    columns.direction.push(None);
                    columns.base.push(Some(opened.base_currency.as_str()));
                    columns.quote.push(Some(opened.quote_currency.as_str()));
                }
                Event::CostClosed(closed) => {
                    let end = closed.effective_to.datetime();
                    columns.closed(event, closed.operator_cost_id.0, end);
                }
                Event::ExchangeRateClosed(closed) => {
                    let end = closed.effective_to.datetime();
                    columns.closed(event, closed.exchange_rate_id.0, end);
                }
                _ => {}
            }
        }
        columns
    }

    fn opened(&mut self, event: &RecordedEvent, version: Uuid, period: Period) {
        self.begins.push(Some(period.effective_from.datetime()));
        self.ends.push(period.effective_to.map(Timestamp::datetime));
        self.recorded(event, version);
    }

    /// What it was for is in the row of its opening.
    fn closed(&mut self, event: &RecordedEvent, version: Uuid, end: OffsetDateTime) {
        self.begins.push(None);
        self.ends.push(Some(end));
        self.recorded(event, version);
        self.operator.push(None);
        self.direction.push(None);
        self.base.push(None);
        self.quote.push(None);
    }

    fn recorded(&mut self, event: &RecordedEvent, version: Uuid) {
        self.position.push(event.position.0);
        self.version.push(version);
        self.recorded_at.push(event.recorded_at.datetime());
    }

    async fn add(&self, transaction: &Transaction<'_>, log: i16) -> Result<(), ApplyError> {
        if self.position.is_empty() {
            return Ok(());
        }
        let parameters: [&(dyn ToSql + Sync); 10] = [
            &log,
            &self.position,
            &self.version,
            &self.operator,
            &self.direction,
            &self.base,
            &self.quote,
            &self.begins,
            &self.ends,
            &self.recorded_at,
        ];
        Ok(ADD.execute(transaction, &parameters).await?)
    }
}

#[derive(Default)]
struct Advances {
    cause: Vec<i64>,
    position: Vec<i64>,
    version: Vec<i32>,
    examined: Vec<i64>,
    changed: Vec<i64>,
    operator: Vec<Option<Uuid>>,
    rated_at: Vec<Option<OffsetDateTime>>,
    through: Vec<Option<i64>>,
    recorded_at: Vec<OffsetDateTime>,
}

impl Advances {
    /// The last one of each change.
    fn of(events: &[Arc<RecordedEvent>]) -> Self {
        let mut newest = std::collections::BTreeMap::new();
        for event in events {
            if let Event::AssessmentAdvanced(advanced) = &event.data.event {
                newest.insert(advanced.cause, (&**event, advanced));
            }
        }
        let mut columns = Self::default();
        for (event, advanced) in newest.into_values() {
            columns.push(event, advanced);
        }
        columns
    }

    fn push(&mut self, event: &RecordedEvent, advanced: &AssessmentAdvanced) {
        let through = advanced.through;
        self.cause.push(advanced.cause.0);
        self.position.push(event.position.0);
        self.version.push(event.version.0);
        self.examined.push(advanced.examined);
        self.changed.push(advanced.changed);
        self.operator.push(through.map(|last| last.operator_id.0));
        self.rated_at
            .push(through.map(|last| last.rated_at.datetime()));
        self.through.push(through.map(|last| last.position.0));
        self.recorded_at.push(event.recorded_at.datetime());
    }

    async fn show(&self, transaction: &Transaction<'_>, log: i16) -> Result<(), ApplyError> {
        if self.cause.is_empty() {
            return Ok(());
        }
        let parameters: [&(dyn ToSql + Sync); 10] = [
            &log,
            &self.cause,
            &self.position,
            &self.version,
            &self.examined,
            &self.changed,
            &self.operator,
            &self.rated_at,
            &self.through,
            &self.recorded_at,
        ];
        Ok(ADVANCE.execute(transaction, &parameters).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_change_is_of_a_cost_or_of_an_exchange_rate() {
        let events = [
            ("CostOpened", 1),
            ("ExchangeRateOpened", 2),
            ("CostClosed", 3),
            ("PriceOpened", 4),
            ("ExchangeRateClosed", 5),
        ];
        let events = fixture::batch(events.map(|(name, at)| fixture::recorded((&name, at))));
        let rows = Changes::of(&events);
        assert_eq!(rows.position, [1, 2, 3, 5]);
        assert_eq!(rows.direction, [Some("MT"), None, None, None]);
        assert_eq!(rows.quote, [None, Some("EUR"), None, None]);
        let opened: Vec<_> = rows.begins.iter().map(Option::is_some).collect();
        assert_eq!(opened, [true, true, false, false]);
        assert!(rows.ends.iter().all(Option::is_some));
    }

    #[test]
    fn of_several_advances_of_a_change_the_last_one_is_shown() {
        let first = fixture::recorded((&"AssessmentAdvanced", 8));
        let mut last = fixture::recorded((&"AssessmentAdvanced", 9));
        if let Event::AssessmentAdvanced(advanced) = &mut last.data.event {
            advanced.through = None;
        }
        let rows = Advances::of(&fixture::batch([first, last]));
        assert_eq!((rows.cause, rows.position), (vec![41], vec![9]));
        assert_eq!(rows.through, [None]);
    }
}
