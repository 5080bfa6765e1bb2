//! `billing.held_charges`: charges that wait for a price, or once did.

mod queries;

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use schema::{AccountTier, Currency, Event, EventType, StreamVersion, event::ChargeHeld};
use time::OffsetDateTime;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

pub use self::queries::{
    HeldCharge, HeldFilter, HeldNews, HeldSum, count, find, list, news, ratable, sums,
};
use crate::{ApplyError, Batch, Scope, Table};

const HOLD: Statement = Statement::new(include_str!("held_charges/hold.sql"));
const RESOLVE: Statement = Statement::new(include_str!("held_charges/resolve.sql"));

/// Every charge that was ever held.
#[derive(Debug, Clone, Copy)]
pub struct HeldCharges;

#[async_trait]
impl Table for HeldCharges {
    const NAME: &'static str = "held_charges";
    const READS: &'static [EventType] = &[EventType::ChargeHeld, EventType::MessageCharged];

    async fn show(batch: &Batch, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        let (held, resolved) = columns(batch);
        if held.position.is_empty() && resolved.message.is_empty() {
            return Ok(());
        }
        Scope::EveryTenant.enter(transaction).await?;
        if !held.position.is_empty() {
            held.insert(transaction, batch.log.0).await?;
        }
        if !resolved.message.is_empty() {
            let parameters: [&(dyn ToSql + Sync); 3] =
                [&batch.log.0, &resolved.message, &resolved.at];
            RESOLVE.execute(transaction, &parameters).await?;
        }
        Ok(())
    }
}

fn columns(events: &[Arc<RecordedEvent>]) -> (Held<'_>, Resolved) {
    let (mut held, mut resolved) = (Held::default(), Resolved::default());
    for event in events {
        match &event.data.event {
            Event::ChargeHeld(charge) => held.push(event, charge),
            // A charge at the beginning of its stream was never held: nearly all of them.
            Event::MessageCharged(charged) if event.version > StreamVersion(1) => {
                resolved.message.push(charged.settlement.message_id.0);
                resolved.at.push(event.recorded_at.datetime());
            }
            _ => {}
        }
    }
    (held, resolved)
}

#[derive(Default)]
struct Held<'a> {
    position: Vec<i64>,
    message: Vec<Uuid>,
    tenant: Vec<Option<Uuid>>,
    account: Vec<Option<Uuid>>,
    tier: Vec<Option<&'static str>>,
    operator: Vec<Uuid>,
    direction: Vec<&'static str>,
    currency: Vec<Option<&'a str>>,
    status: Vec<&'static str>,
    segments: Vec<i16>,
    charged_at: Vec<OffsetDateTime>,
    rated_at: Vec<OffsetDateTime>,
    reason: Vec<&'static str>,
    recorded_at: Vec<OffsetDateTime>,
}

#[derive(Default)]
struct Resolved {
    message: Vec<Uuid>,
    at: Vec<OffsetDateTime>,
}

impl<'a> Held<'a> {
    fn push(&mut self, event: &RecordedEvent, held: &'a ChargeHeld) {
        let settlement = &held.settlement;
        self.position.push(event.position.0);
        self.message.push(settlement.message_id.0);
        self.tenant.push(event.data.tenant.map(|tenant| tenant.0));
        self.account
            .push(event.data.account.map(|account| account.0));
        self.tier.push(held.account_tier.map(AccountTier::as_str));
        self.operator.push(settlement.operator_id.0);
        self.direction.push(settlement.direction.as_str());
        self.currency
            .push(held.currency.as_ref().map(Currency::as_str));
        self.status.push(settlement.dlr_status.as_str());
        self.segments.push(settlement.segment_count);
        self.charged_at.push(settlement.charged_at.datetime());
        self.rated_at.push(held.rated_at.datetime());
        self.reason.push(held.reason.as_str());
        self.recorded_at.push(event.recorded_at.datetime());
    }

    async fn insert(&self, transaction: &Transaction<'_>, log: i16) -> Result<(), ApplyError> {
        let parameters: [&(dyn ToSql + Sync); 15] = [
            &log,
            &self.position,
            &self.message,
            &self.tenant,
            &self.account,
            &self.tier,
            &self.operator,
            &self.direction,
            &self.currency,
            &self.status,
            &self.segments,
            &self.charged_at,
            &self.rated_at,
            &self.reason,
            &self.recorded_at,
        ];
        Ok(HOLD.execute(transaction, &parameters).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn only_a_charge_with_a_past_is_looked_for_among_the_held_ones() {
        let held = fixture::recorded((&"ChargeHeld", 1));
        let at_once = fixture::recorded((&"MessageCharged", 2));
        let mut after = fixture::recorded((&"MessageCharged", 3));
        after.version = StreamVersion(2);
        let at = after.recorded_at.datetime();
        let events = fixture::batch([held, at_once, after]);
        let (held, resolved) = columns(&events);
        assert_eq!((held.position, held.reason), (vec![1], vec!["NO_PRICE"]));
        assert_eq!(
            (held.tier, held.currency),
            (vec![Some("GROWTH")], vec![Some("EUR")])
        );
        assert_eq!(resolved.message, held.message);
        assert_eq!(resolved.at, [at]);
    }
}
