//! `billing.operator_statements`: carriers' statements that were compared with what is recorded.

mod queries;

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use schema::{Event, EventType, event::StatementContent};
use serde::Serialize;
use time::{Date, OffsetDateTime};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::{ApplyError, Batch, Scope, Table};

pub use queries::{ComparedStatement, find, list};

const INSERT: Statement = Statement::new(include_str!("operator_statements/insert.sql"));

/// Every statement that was compared.
#[derive(Debug, Clone, Copy)]
pub struct OperatorStatements;

#[async_trait]
impl Table for OperatorStatements {
    const NAME: &'static str = "operator_statements";
    const READS: &'static [EventType] = &[EventType::OperatorStatementCompared];

    async fn show(batch: &Batch, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        let rows = Columns::of(batch);
        if rows.position.is_empty() {
            return Ok(());
        }
        Scope::EveryTenant.enter(transaction).await?;
        let parameters: [&(dyn ToSql + Sync); 15] = [
            &batch.log.0,
            &rows.position,
            &rows.statement,
            &rows.operator,
            &rows.first_day,
            &rows.last_day,
            &rows.currency,
            &rows.content,
            &rows.sha256,
            &rows.lines,
            &rows.sums,
            &rows.differences,
            &rows.principal,
            &rows.occurred_at,
            &rows.recorded_at,
        ];
        Ok(INSERT.execute(transaction, &parameters).await?)
    }
}

#[derive(Default)]
struct Columns<'a> {
    position: Vec<i64>,
    statement: Vec<Uuid>,
    operator: Vec<Uuid>,
    first_day: Vec<Date>,
    last_day: Vec<Date>,
    currency: Vec<&'a str>,
    content: Vec<&'static str>,
    sha256: Vec<&'a str>,
    lines: Vec<i64>,
    sums: Vec<String>,
    differences: Vec<String>,
    principal: Vec<&'a str>,
    occurred_at: Vec<OffsetDateTime>,
    recorded_at: Vec<OffsetDateTime>,
}

impl<'a> Columns<'a> {
    fn of(events: &'a [Arc<RecordedEvent>]) -> Self {
        let mut columns = Self::default();
        for event in events {
            let Event::OperatorStatementCompared(compared) = &event.data.event else {
                continue;
            };
            columns.position.push(event.position.0);
            columns.statement.push(compared.statement_id.0);
            columns.operator.push(compared.operator_id.0);
            columns.first_day.push(compared.from.0);
            columns.last_day.push(compared.to.0);
            columns.currency.push(compared.currency.as_str());
            columns.content.push(word(compared.content));
            columns.sha256.push(&compared.sha256);
            columns.lines.push(compared.lines.into());
            columns.sums.push(json(&compared.sums));
            columns.differences.push(json(&compared.differences));
            columns.principal.push(&event.data.principal);
            columns.occurred_at.push(event.data.occurred_at.datetime());
            columns.recorded_at.push(event.recorded_at.datetime());
        }
        columns
    }
}

fn json(part: &impl Serialize) -> String {
    // Unwrap safety: a part of an event, which is JSON in the log.
    serde_json::to_string(part).expect("a part of an event serialises")
}

/// The content as the table names it.
const fn word(content: StatementContent) -> &'static str {
    match content {
        StatementContent::Messages => "MESSAGES",
        StatementContent::Days => "DAYS",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_statement_is_one_row_with_all_that_comparing_it_showed() {
        let events = [("OperatorStatementCompared", 1), ("PriceOpened", 2)];
        let events = events.map(|(name, position)| fixture::recorded((&name, position)));
        let batch = fixture::batch(events);
        let rows = Columns::of(&batch);
        assert_eq!((rows.position.len(), rows.content[0]), (1, "MESSAGES"));
        assert!(rows.sums[0].contains("\"0.080000\""), "{}", rows.sums[0]);
        assert_eq!(rows.differences[0].matches("\"line\":4").count(), 1);
    }
}
