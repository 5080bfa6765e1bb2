//! `billing.charge_conflicts`: settlements that contradict the first of their message, each beside
//! the one that counts.

mod queries;

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use schema::{
    AccountId, AccountTier, Currency, Event, EventType, Pseudonym, Settlement,
    event::ChargeConflictRecorded,
};
use time::OffsetDateTime;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

pub use self::queries::{ChargeConflict, ConflictFilter, Said, list};
use crate::{ApplyError, Batch, Scope, Table};

const INSERT: Statement = Statement::new(include_str!("charge_conflicts/insert.sql"));

/// Every contradiction there was.
#[derive(Debug, Clone, Copy)]
pub struct ChargeConflicts;

#[async_trait]
impl Table for ChargeConflicts {
    const NAME: &'static str = "charge_conflicts";
    const READS: &'static [EventType] = &[EventType::ChargeConflictRecorded];

    async fn show(batch: &Batch, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        let columns = Columns::of(batch);
        if columns.position.is_empty() {
            return Ok(());
        }
        Scope::EveryTenant.enter(transaction).await?;
        let log = batch.log.0;
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![
            &log,
            &columns.position,
            &columns.event,
            &columns.message,
            &columns.differs,
            &columns.recorded_at,
        ];
        parameters.extend(columns.said.parameters());
        parameters.extend(columns.first.parameters());
        Ok(INSERT.execute(transaction, &parameters).await?)
    }
}

#[derive(Default)]
struct Columns<'a> {
    position: Vec<i64>,
    event: Vec<Uuid>,
    message: Vec<Uuid>,
    differs: Vec<String>,
    recorded_at: Vec<OffsetDateTime>,
    said: Side<'a>,
    first: Side<'a>,
}

/// What one of the two settlements says.
#[derive(Default)]
struct Side<'a> {
    source: Vec<Uuid>,
    tenant: Vec<Option<Uuid>>,
    account: Vec<Option<Uuid>>,
    operator: Vec<Uuid>,
    direction: Vec<&'static str>,
    segments: Vec<i16>,
    status: Vec<&'static str>,
    occurred_at: Vec<OffsetDateTime>,
    charged_at: Vec<OffsetDateTime>,
    tier: Vec<Option<&'static str>>,
    currency: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    fn of(events: &'a [Arc<RecordedEvent>]) -> Self {
        let mut columns = Self::default();
        for event in events {
            if let Event::ChargeConflictRecorded(conflict) = &event.data.event {
                columns.push(event, conflict);
            }
        }
        columns
    }

    fn push(&mut self, event: &RecordedEvent, conflict: &'a ChargeConflictRecorded) {
        self.position.push(event.position.0);
        self.event.push(event.data.id.0);
        self.message.push(conflict.settlement.message_id.0);
        // Names of ours: letters only.
        self.differs
            .push(format!("{{{}}}", conflict.differs.join(",")));
        self.recorded_at.push(event.recorded_at.datetime());
        let of = (event.data.tenant, event.data.account);
        self.said.push(of, &conflict.settlement);
        let first = &conflict.first;
        let of = (Some(first.tenant), Some(first.account_id));
        self.first.push(of, &first.settlement);
    }
}

impl<'a> Side<'a> {
    fn push(
        &mut self,
        (tenant, account): (Option<Pseudonym>, Option<AccountId>),
        settlement: &'a Settlement,
    ) {
        self.source.push(settlement.source_event_id);
        self.tenant.push(tenant.map(|tenant| tenant.0));
        self.account.push(account.map(|account| account.0));
        self.operator.push(settlement.operator_id.0);
        self.direction.push(settlement.direction.as_str());
        self.segments.push(settlement.segment_count);
        self.status.push(settlement.dlr_status.as_str());
        self.occurred_at.push(settlement.occurred_at.datetime());
        self.charged_at.push(settlement.charged_at.datetime());
        self.tier
            .push(settlement.stated_tier.map(AccountTier::as_str));
        self.currency
            .push(settlement.stated_currency.as_ref().map(Currency::as_str));
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 11] {
        [
            &self.source,
            &self.tenant,
            &self.account,
            &self.operator,
            &self.direction,
            &self.segments,
            &self.status,
            &self.occurred_at,
            &self.charged_at,
            &self.tier,
            &self.currency,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_contradiction_is_shown_beside_what_counts() {
        let events = [("ChargeConflictRecorded", 1), ("MessageCharged", 2)];
        let events = events.map(|(name, position)| fixture::recorded((&name, position)));
        let events = fixture::batch(events);
        let rows = Columns::of(&events);
        assert_eq!(rows.position, [1], "one row per contradiction");
        assert_eq!(rows.differs, ["{segmentCount}"]);
        assert_eq!(
            (&*rows.said.segments, &*rows.first.segments),
            (&[2][..], &[3][..])
        );
        assert_eq!(rows.said.tenant, [Some(fixture::PSEUDONYM.0)]);
        assert!(rows.first.tenant[0].is_some() && rows.first.account[0].is_some());
    }
}
