//! `billing.billing_events`: one row per charged message.

mod lookup;
mod queries;

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use rust_decimal::Decimal;
use schema::{Event, EventType, event::MessageCharged};
use time::OffsetDateTime;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

pub use self::{
    lookup::{
        Charge, ChargeFilter, ChargePlace, ChargeStretch, ChargesFound, ChargesOf, find, list,
        shown,
    },
    queries::charged_by_the_platform,
};
use crate::{ApplyError, Batch, Scope, Table};

const INSERT: Statement = Statement::new(include_str!("billing_events/insert.sql"));

/// Every charge.
#[derive(Debug, Clone, Copy)]
pub struct Charges;

#[async_trait]
impl Table for Charges {
    const NAME: &'static str = "billing_events";
    const READS: &'static [EventType] = &[EventType::MessageCharged];

    async fn show(batch: &Batch, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        let rows = Columns::of(batch);
        if rows.position.is_empty() {
            return Ok(());
        }
        Scope::EveryTenant.enter(transaction).await?;
        let parameters: [&(dyn ToSql + Sync); 25] = [
            &batch.log.0,
            &rows.position,
            &rows.charge,
            &rows.message,
            &rows.tenant,
            &rows.account,
            &rows.operator,
            &rows.price,
            &rows.cost,
            &rows.charged_at,
            &rows.rated_at,
            &rows.recorded_at,
            &rows.segments,
            &rows.own_price,
            &rows.billed,
            &rows.cost_missing,
            &rows.clock_skew,
            &rows.late,
            &rows.currency,
            &rows.tier,
            &rows.direction,
            &rows.status,
            &rows.customer_price,
            &rows.operator_cost,
            &rows.margin,
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
    margin: Vec<Decimal>,
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
        let settlement = &charged.settlement;
        self.position.push(event.position.0);
        self.charge.push(event.data.id.0);
        self.message.push(settlement.message_id.0);
        self.tenant.push(event.data.tenant.map(|tenant| tenant.0));
        self.account
            .push(event.data.account.map(|account| account.0));
        self.operator.push(settlement.operator_id.0);
        self.price.push(charged.price.pricing_table_id.0);
        self.cost
            .push(charged.cost.map(|cost| cost.operator_cost_id.0));
        self.charged_at.push(settlement.charged_at.datetime());
        self.rated_at.push(charged.rated_at.datetime());
        self.recorded_at.push(event.recorded_at.datetime());
        self.segments.push(settlement.segment_count);
        self.own_price.push(charged.price.own);
        self.billed.push(charged.billed);
        self.cost_missing.push(charged.cost.is_none());
        self.clock_skew.push(charged.clock_skew);
        self.late.push(charged.late);
        self.currency.push(charged.currency.as_str());
        self.tier.push(charged.account_tier.as_str());
        self.direction.push(settlement.direction.as_str());
        self.status.push(settlement.dlr_status.as_str());
        self.customer_price.push(charged.customer_price.decimal());
        self.operator_cost.push(charged.operator_cost.decimal());
        self.margin.push(charged.margin.decimal());
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
            charged.cost = None;
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
        assert_eq!(rows.margin[0].to_string(), "0.050000");
        assert_eq!(rows.tenant[0], Some(fixture::PSEUDONYM.0));
    }
}
