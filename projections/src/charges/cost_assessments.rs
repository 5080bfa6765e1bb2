//! `billing.cost_assessments`: one row per time that a charge was assessed again.

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use rust_decimal::Decimal;
use schema::{
    Amount, Event, EventType, Position,
    event::{AssessedCharge, CostsAssessed},
};
use time::OffsetDateTime;
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use crate::{
    ApplyError, Batch, ReadError, Reader, Scope, Table,
    read::{Cells, Parameters},
};

const INSERT: Statement = Statement::new(include_str!("cost_assessments/insert.sql"));

/// Every assessment but those that were recorded with their charges.
#[derive(Debug, Clone, Copy)]
pub struct CostAssessments;

#[async_trait]
impl Table for CostAssessments {
    const NAME: &'static str = "cost_assessments";
    const READS: &'static [EventType] = &[EventType::CostsAssessed];

    async fn show(batch: &Batch, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        let rows = Columns::of(batch);
        if rows.position.is_empty() {
            return Ok(());
        }
        Scope::EveryTenant.enter(transaction).await?;
        let parameters: [&(dyn ToSql + Sync); 17] = [
            &batch.log.0,
            &rows.position,
            &rows.charge,
            &rows.message,
            &rows.tenant,
            &rows.account,
            &rows.cause,
            &rows.cost,
            &rows.due,
            &rows.operator_cost,
            &rows.cost_currency,
            &rows.exchange_rate_id,
            &rows.exchange_rate,
            &rows.converted_cost,
            &rows.margin,
            &rows.currency,
            &rows.recorded_at,
        ];
        Ok(INSERT.execute(transaction, &parameters).await?)
    }
}

/// Where in the log a charge was assessed again, oldest first. The platform's own people ask.
///
/// # Errors
/// See [`ReadError`].
pub async fn of_a_charge(reader: &Reader, charge: Position) -> Result<Vec<Position>, ReadError> {
    const OF_A_CHARGE: Statement = Statement::new(include_str!("cost_assessments/of_a_charge.sql"));
    let asked: Parameters = vec![Box::new(reader.log().0), Box::new(charge.0)];
    let rows = reader.rows(OF_A_CHARGE, Scope::EveryTenant, asked).await?;
    let place =
        |row: &Row| Cells::new("billing.cost_assessments", row, charge).position("position");
    rows.iter().map(place).collect()
}

#[derive(Default)]
struct Columns<'a> {
    position: Vec<i64>,
    charge: Vec<i64>,
    message: Vec<Uuid>,
    tenant: Vec<Option<Uuid>>,
    account: Vec<Uuid>,
    cause: Vec<i64>,
    cost: Vec<Option<Uuid>>,
    due: Vec<bool>,
    operator_cost: Vec<Decimal>,
    cost_currency: Vec<Option<&'a str>>,
    exchange_rate_id: Vec<Option<Uuid>>,
    exchange_rate: Vec<Option<Decimal>>,
    converted_cost: Vec<Option<Decimal>>,
    margin: Vec<Option<Decimal>>,
    currency: Vec<&'a str>,
    recorded_at: Vec<OffsetDateTime>,
}

impl<'a> Columns<'a> {
    fn of(events: &'a [Arc<RecordedEvent>]) -> Self {
        let mut columns = Self::default();
        for event in events {
            if let Event::CostsAssessed(assessed) = &event.data.event {
                for charge in &assessed.charges {
                    columns.push(event, assessed, charge);
                }
            }
        }
        columns
    }

    fn push(
        &mut self,
        event: &RecordedEvent,
        assessed: &'a CostsAssessed,
        charge: &'a AssessedCharge,
    ) {
        let assessment = &charge.assessment;
        let (cost, exchange) = (assessment.cost.as_ref(), assessment.exchange);
        self.position.push(event.position.0);
        self.charge.push(charge.position.0);
        self.message.push(charge.message_id.0);
        self.tenant.push(event.data.tenant.map(|tenant| tenant.0));
        self.account.push(charge.account_id.0);
        self.cause.push(assessed.cause.0);
        self.cost.push(cost.map(|cost| cost.operator_cost_id.0));
        self.due.push(assessment.due);
        self.operator_cost.push(assessment.operator_cost.decimal());
        self.cost_currency
            .push(cost.map(|cost| cost.currency.as_str()));
        self.exchange_rate_id
            .push(exchange.map(|rate| rate.exchange_rate_id.0));
        self.exchange_rate
            .push(exchange.map(|rate| rate.rate.decimal()));
        self.converted_cost
            .push(assessment.converted_cost.map(Amount::decimal));
        self.margin.push(assessment.margin.map(Amount::decimal));
        self.currency.push(assessed.currency.as_str());
        self.recorded_at.push(event.recorded_at.datetime());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn each_charge_of_an_assessment_is_a_row() {
        let mut event = fixture::recorded((&"CostsAssessed", 9));
        if let Event::CostsAssessed(assessed) = &mut event.data.event {
            let again = assessed.charges[0];
            assessed.charges.push(again);
        }
        let events = fixture::batch([fixture::recorded((&"MessageCharged", 7)), event]);
        let rows = Columns::of(&events);
        assert_eq!((rows.position, rows.charge), (vec![9, 9], vec![7, 7]));
        assert_eq!((rows.cause[0], rows.due[0]), (41, true));
        assert_eq!(
            (rows.cost_currency[0], rows.currency[0]),
            (Some("USD"), "EUR")
        );
        let rate = rows.exchange_rate[0].map(|rate| rate.to_string());
        assert_eq!(rate.as_deref(), Some("0.92"));
    }
}
