//! `billing.operator_costs`: every version of what every carrier takes.

mod queries;

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use rust_decimal::Decimal;
use schema::{Event, EventType, event::CostOpened};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

pub use self::queries::{CostFilter, CostVersion, by_request, list, one};
use super::versions::{Lives, Versions};
use crate::{ApplyError, Batch, Effect, Projection};

const OPEN: Statement = Statement::new(include_str!("operator_costs/open.sql"));
const CLOSE: Statement = Statement::new(include_str!("operator_costs/close.sql"));

/// Every cost.
#[derive(Debug, Clone, Copy)]
pub struct OperatorCosts;

impl OperatorCosts {
    /// Of its checkpoint; in logs and metrics. It must never change.
    pub const NAME: &str = "operator_costs";
}

#[async_trait]
impl Projection for OperatorCosts {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn reads(&self) -> &'static [EventType] {
        &[EventType::CostOpened, EventType::CostClosed]
    }

    async fn prepare(&self, batch: &Batch) -> Result<Box<dyn Effect>, ApplyError> {
        Ok(Box::new(Rows(batch.clone())))
    }
}

struct Rows(Batch);

#[async_trait]
impl Effect for Rows {
    async fn apply(&mut self, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        let versions = versions(&self.0);
        versions.close_all(transaction, self.0.log.0, CLOSE).await?;
        open_all(transaction, self.0.log.0, &versions).await
    }
}

fn versions(events: &[Arc<RecordedEvent>]) -> Versions<'_, CostOpened> {
    let mut versions = Versions::default();
    for event in events {
        match &event.fact.event {
            Event::CostOpened(opened) => {
                versions.open(event, opened.operator_cost_id.0, opened, opened.period);
            }
            Event::CostClosed(closed) => {
                versions.close(event, closed.operator_cost_id.0, closed.effective_to);
            }
            _ => {}
        }
    }
    versions
}

async fn open_all(
    transaction: &Transaction<'_>,
    log: i16,
    versions: &Versions<'_, CostOpened>,
) -> Result<(), ApplyError> {
    if versions.opened.is_empty() {
        return Ok(());
    }
    let lives = Lives::of(&versions.opened);
    let terms = Terms::of(versions);
    let parameters: [&(dyn ToSql + Sync); 14] = [
        &log,
        &lives.position,
        &terms.version,
        &terms.operator,
        &terms.direction,
        &terms.cost,
        &terms.currency,
        &lives.from,
        &lives.to,
        &lives.opened_by,
        &lives.opened_at,
        &lives.closed_by,
        &lives.changed,
        &terms.request,
    ];
    Ok(OPEN.execute(transaction, &parameters).await?)
}

/// What is taken, and for what.
#[derive(Default)]
struct Terms<'a> {
    version: Vec<Uuid>,
    operator: Vec<Uuid>,
    direction: Vec<&'static str>,
    cost: Vec<Decimal>,
    currency: Vec<&'a str>,
    request: Vec<Uuid>,
}

impl<'a> Terms<'a> {
    fn of(versions: &Versions<'a, CostOpened>) -> Self {
        let mut terms = Self::default();
        for version in &versions.opened {
            let opened = version.what;
            terms.version.push(opened.operator_cost_id.0);
            terms.operator.push(opened.operator_id.0);
            terms.direction.push(opened.direction.as_str());
            let cost = opened.terms.cost_per_segment.amount();
            terms.cost.push(cost.decimal());
            terms.currency.push(opened.terms.currency.as_str());
            terms.request.push(opened.request);
        }
        terms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_cost_is_a_row_with_its_terms_and_a_price_is_none() {
        let events = fixture::batch([
            fixture::recorded((&"PriceOpened", 1)),
            fixture::recorded((&"CostOpened", 2)),
        ]);
        let versions = versions(&events);
        let terms = Terms::of(&versions);
        assert_eq!(terms.cost[0].to_string(), "0.020000");
        assert_eq!((terms.currency[0], terms.direction[0]), ("EUR", "MT"));
        assert_eq!(Lives::of(&versions.opened).position, [2]);
    }
}
