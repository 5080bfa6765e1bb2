//! `billing.billing_events`: one row per charged message, with what it costs by what is known now.

mod lookup;
mod queries;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use rust_decimal::Decimal;
use schema::{
    Amount, Event, EventType, Position,
    event::{CostAssessment, MessageCharged},
};
use time::OffsetDateTime;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

pub use self::{
    lookup::{
        Charge, ChargeCost, ChargeFilter, ChargePlace, ChargeStretch, ChargesFound, ChargesOf,
        find, list, shown,
    },
    queries::{charged_by_the_platform, charged_otherwise},
};
use crate::{ApplyError, Batch, Scope, Table};

const INSERT: Statement = Statement::new(include_str!("billing_events/insert.sql"));
const ASSESS: Statement = Statement::new(include_str!("billing_events/assess.sql"));

/// Every charge.
#[derive(Debug, Clone, Copy)]
pub struct Charges;

#[async_trait]
impl Table for Charges {
    const NAME: &'static str = "billing_events";
    const READS: &'static [EventType] = &[EventType::MessageCharged, EventType::CostsAssessed];

    async fn show(batch: &Batch, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        let (rows, assessments) = (Columns::of(batch), Assessments::newest_of(batch));
        if rows.position.is_empty() && assessments.charge.is_empty() {
            return Ok(());
        }
        Scope::EveryTenant.enter(transaction).await?;
        rows.insert(transaction, batch.log.0).await?;
        // They are of charges recorded before.
        assessments.show(transaction, batch.log.0).await
    }
}

impl Columns<'_> {
    async fn insert(&self, transaction: &Transaction<'_>, log: i16) -> Result<(), ApplyError> {
        if self.position.is_empty() {
            return Ok(());
        }
        let parameters: [&(dyn ToSql + Sync); 28] = [
            &log,
            &self.position,
            &self.charge,
            &self.message,
            &self.tenant,
            &self.account,
            &self.operator,
            &self.price,
            &self.cost,
            &self.charged_at,
            &self.rated_at,
            &self.recorded_at,
            &self.segments,
            &self.own_price,
            &self.billed,
            &self.cost_missing,
            &self.clock_skew,
            &self.late,
            &self.currency,
            &self.tier,
            &self.direction,
            &self.status,
            &self.customer_price,
            &self.operator_cost,
            &self.cost_currency,
            &self.exchange_rate,
            &self.converted_cost,
            &self.margin,
        ];
        Ok(INSERT.execute(transaction, &parameters).await?)
    }
}

#[derive(Default)]
struct Columns<'a> {
    position: Vec<i64>,
    charge: Vec<Uuid>,
    message: Vec<Uuid>,
    tenant: Vec<Option<Uuid>>,
    account: Vec<Option<Uuid>>,
    operator: Vec<Uuid>,
    price: Vec<Uuid>,
    cost: Vec<Option<Uuid>>,
    charged_at: Vec<OffsetDateTime>,
    rated_at: Vec<OffsetDateTime>,
    recorded_at: Vec<OffsetDateTime>,
    segments: Vec<i16>,
    own_price: Vec<bool>,
    billed: Vec<bool>,
    cost_missing: Vec<bool>,
    clock_skew: Vec<bool>,
    late: Vec<bool>,
    currency: Vec<&'a str>,
    tier: Vec<&'static str>,
    direction: Vec<&'static str>,
    status: Vec<&'static str>,
    customer_price: Vec<Decimal>,
    operator_cost: Vec<Decimal>,
    cost_currency: Vec<Option<&'a str>>,
    exchange_rate: Vec<Option<Uuid>>,
    converted_cost: Vec<Option<Decimal>>,
    margin: Vec<Option<Decimal>>,
}

impl<'a> Columns<'a> {
    fn of(events: &'a [Arc<RecordedEvent>]) -> Self {
        let mut columns = Self::default();
        for event in events {
            if let Event::MessageCharged(charged) = &event.data.event {
                columns.push(event, charged);
            }
        }
        columns
    }

    fn push(&mut self, event: &RecordedEvent, charged: &'a MessageCharged) {
        let (settlement, assessment) = (&charged.settlement, &charged.assessment);
        self.position.push(event.position.0);
        self.charge.push(event.data.id.0);
        self.message.push(settlement.message_id.0);
        self.tenant.push(event.data.tenant.map(|tenant| tenant.0));
        self.account
            .push(event.data.account.map(|account| account.0));
        self.operator.push(settlement.operator_id.0);
        self.price.push(charged.price.pricing_table_id.0);
        self.cost
            .push(assessment.cost.map(|cost| cost.operator_cost_id.0));
        self.charged_at.push(settlement.charged_at.datetime());
        self.rated_at.push(charged.rated_at.datetime());
        self.recorded_at.push(event.recorded_at.datetime());
        self.segments.push(settlement.segment_count);
        self.own_price.push(charged.price.own);
        self.billed.push(charged.billed);
        self.cost_missing.push(assessment.cost.is_none());
        self.clock_skew.push(charged.clock_skew);
        self.late.push(charged.late);
        self.currency.push(charged.currency.as_str());
        self.tier.push(charged.account_tier.as_str());
        self.direction.push(settlement.direction.as_str());
        self.status.push(settlement.dlr_status.as_str());
        self.customer_price.push(charged.customer_price.decimal());
        self.operator_cost.push(assessment.operator_cost.decimal());
        let cost = assessment.cost.as_ref();
        self.cost_currency
            .push(cost.map(|cost| cost.currency.as_str()));
        self.exchange_rate
            .push(assessment.exchange.map(|rate| rate.exchange_rate_id.0));
        self.converted_cost
            .push(assessment.converted_cost.map(Amount::decimal));
        self.margin.push(assessment.margin.map(Amount::decimal));
    }
}

/// What charges cost by assessments behind them.
#[derive(Default)]
struct Assessments<'a> {
    charge: Vec<i64>,
    position: Vec<i64>,
    cost: Vec<Option<Uuid>>,
    operator_cost: Vec<Decimal>,
    cost_currency: Vec<Option<&'a str>>,
    exchange_rate: Vec<Option<Uuid>>,
    converted_cost: Vec<Option<Decimal>>,
    margin: Vec<Option<Decimal>>,
}

impl<'a> Assessments<'a> {
    /// The last one of each charge, in the order of these.
    fn newest_of(events: &'a [Arc<RecordedEvent>]) -> Self {
        let mut newest = BTreeMap::new();
        for event in events {
            if let Event::CostsAssessed(assessed) = &event.data.event {
                for charge in &assessed.charges {
                    newest.insert(charge.position, (event.position, &charge.assessment));
                }
            }
        }
        let mut columns = Self::default();
        for (charge, (position, assessment)) in newest {
            columns.push(charge, position, assessment);
        }
        columns
    }

    fn push(&mut self, charge: Position, position: Position, assessment: &'a CostAssessment) {
        let cost = assessment.cost.as_ref();
        self.charge.push(charge.0);
        self.position.push(position.0);
        self.cost.push(cost.map(|cost| cost.operator_cost_id.0));
        self.operator_cost.push(assessment.operator_cost.decimal());
        self.cost_currency
            .push(cost.map(|cost| cost.currency.as_str()));
        self.exchange_rate
            .push(assessment.exchange.map(|rate| rate.exchange_rate_id.0));
        self.converted_cost
            .push(assessment.converted_cost.map(Amount::decimal));
        self.margin.push(assessment.margin.map(Amount::decimal));
    }

    async fn show(&self, transaction: &Transaction<'_>, log: i16) -> Result<(), ApplyError> {
        if self.charge.is_empty() {
            return Ok(());
        }
        let parameters: [&(dyn ToSql + Sync); 9] = [
            &log,
            &self.charge,
            &self.position,
            &self.cost,
            &self.operator_cost,
            &self.cost_currency,
            &self.exchange_rate,
            &self.converted_cost,
            &self.margin,
        ];
        Ok(ASSESS.execute(transaction, &parameters).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_charge_is_a_row_with_its_flags_and_nothing_else_is() {
        let whole = fixture::recorded((&"MessageCharged", 1));
        let mut review = fixture::recorded((&"MessageCharged", 2));
        if let Event::MessageCharged(charged) = &mut review.data.event {
            charged.assessment.cost = None;
            charged.assessment.margin = None;
            charged.clock_skew = true;
            charged.billed = false;
        }
        let held = fixture::recorded((&"ChargeHeld", 3));
        let conflict = fixture::recorded((&"ChargeConflictRecorded", 4));
        let events = fixture::batch([whole, review, held, conflict]);
        let rows = Columns::of(&events);
        assert_eq!(rows.position, [1, 2]);
        assert_eq!(rows.cost_missing, [false, true]);
        assert_eq!(rows.clock_skew, [false, true]);
        assert_eq!(rows.billed, [true, false]);
        assert_eq!((rows.own_price[0], rows.late[0]), (true, false));
        assert_eq!(rows.cost.iter().flatten().count(), 1);
        let margins: Vec<_> = rows
            .margin
            .iter()
            .map(|margin| margin.map(|margin| margin.to_string()))
            .collect();
        assert_eq!(margins, [Some("0.053200".to_owned()), None]);
        assert_eq!(rows.cost_currency, [Some("USD"), None]);
        assert_eq!(rows.tenant[0], Some(fixture::PSEUDONYM.0));
    }

    #[test]
    fn of_several_assessments_of_a_charge_the_last_one_is_shown() {
        let first = fixture::recorded((&"CostsAssessed", 8));
        let mut last = fixture::recorded((&"CostsAssessed", 9));
        if let Event::CostsAssessed(assessed) = &mut last.data.event {
            assessed.charges[0].assessment.margin = None;
        }
        let charged = fixture::recorded((&"MessageCharged", 10));
        let events = fixture::batch([first, last, charged]);
        let shown = Assessments::newest_of(&events);
        assert_eq!((shown.charge, shown.position), (vec![7], vec![9]));
        assert_eq!(shown.margin, [None]);
    }
}
