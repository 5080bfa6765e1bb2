//! `billing.adjustments`: every adjustment, proposed or decided.

mod queries;

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use schema::{Event, EventType, Sealed, event::AdjustmentFacts};
use time::OffsetDateTime;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

pub use self::queries::{
    Adjustment, ApprovedFilter, Decided, Filter, SealedReason, Status, approved, list, one, paid_in,
};
use crate::{ApplyError, Batch, Scope, Table};

const PROPOSE: Statement = Statement::new(include_str!("adjustments/propose.sql"));
const DECIDE: Statement = Statement::new(include_str!("adjustments/decide.sql"));

/// Every adjustment.
#[derive(Debug, Clone, Copy)]
pub struct Adjustments;

#[async_trait]
impl Table for Adjustments {
    const NAME: &'static str = "adjustments";
    const READS: &'static [EventType] = &[
        EventType::AdjustmentProposed,
        EventType::AdjustmentApproved,
        EventType::AdjustmentRejected,
    ];

    /// Proposals first: what is decided was proposed before, maybe in the same batch.
    async fn show(batch: &Batch, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        let (proposed, decided) = columns(batch);
        if proposed.position.is_empty() && decided.position.is_empty() {
            return Ok(());
        }
        Scope::EveryTenant.enter(transaction).await?;
        if !proposed.position.is_empty() {
            proposed.insert(transaction, batch.log.0).await?;
        }
        if !decided.position.is_empty() {
            decided.update(transaction, batch.log.0).await?;
        }
        Ok(())
    }
}

fn columns(events: &[Arc<RecordedEvent>]) -> (Proposed<'_>, Decisions<'_>) {
    let (mut proposed, mut decided) = (Proposed::default(), Decisions::default());
    for event in events {
        match &event.data.event {
            Event::AdjustmentProposed(one) => proposed.push(event, &one.adjustment),
            Event::AdjustmentApproved(one) => {
                decided.push(event, &one.adjustment, Status::Approved);
            }
            Event::AdjustmentRejected(one) => {
                decided.push(event, &one.adjustment, Status::Rejected);
            }
            _ => {}
        }
    }
    (proposed, decided)
}

fn reason(event: &RecordedEvent) -> Option<&str> {
    let sealed = event.data.sealed.0.get(Sealed::REASON);
    sealed.map(|value| value.0.as_str())
}

#[derive(Default)]
struct Proposed<'a> {
    position: Vec<i64>,
    adjustment: Vec<Uuid>,
    tenant: Vec<Option<Uuid>>,
    account: Vec<Uuid>,
    amount: Vec<rust_decimal::Decimal>,
    currency: Vec<&'a str>,
    message: Vec<Option<Uuid>>,
    reason: Vec<Option<&'a str>>,
    version: Vec<i32>,
    by: Vec<&'a str>,
    at: Vec<OffsetDateTime>,
}

impl<'a> Proposed<'a> {
    fn push(&mut self, event: &'a RecordedEvent, facts: &'a AdjustmentFacts) {
        self.position.push(event.position.0);
        self.adjustment.push(facts.adjustment_id.0);
        self.tenant.push(event.data.tenant.map(|tenant| tenant.0));
        self.account.push(facts.account_id.0);
        self.amount.push(facts.amount.amount().decimal());
        self.currency.push(facts.currency.as_str());
        self.message.push(facts.message_id.map(|message| message.0));
        self.reason.push(reason(event));
        self.version.push(event.version.0);
        self.by.push(&event.data.principal);
        self.at.push(event.recorded_at.datetime());
    }

    async fn insert(&self, transaction: &Transaction<'_>, log: i16) -> Result<(), ApplyError> {
        let parameters: [&(dyn ToSql + Sync); 12] = [
            &log,
            &self.position,
            &self.adjustment,
            &self.tenant,
            &self.account,
            &self.amount,
            &self.currency,
            &self.message,
            &self.reason,
            &self.version,
            &self.by,
            &self.at,
        ];
        Ok(PROPOSE.execute(transaction, &parameters).await?)
    }
}

#[derive(Default)]
struct Decisions<'a> {
    position: Vec<i64>,
    adjustment: Vec<Uuid>,
    status: Vec<&'static str>,
    reason: Vec<Option<&'a str>>,
    version: Vec<i32>,
    by: Vec<&'a str>,
    at: Vec<OffsetDateTime>,
}

impl<'a> Decisions<'a> {
    fn push(&mut self, event: &'a RecordedEvent, facts: &AdjustmentFacts, status: Status) {
        self.position.push(event.position.0);
        self.adjustment.push(facts.adjustment_id.0);
        self.status.push(status.as_str());
        self.reason.push(reason(event));
        self.version.push(event.version.0);
        self.by.push(&event.data.principal);
        self.at.push(event.recorded_at.datetime());
    }

    async fn update(&self, transaction: &Transaction<'_>, log: i16) -> Result<(), ApplyError> {
        let parameters: [&(dyn ToSql + Sync); 8] = [
            &log,
            &self.position,
            &self.adjustment,
            &self.status,
            &self.reason,
            &self.version,
            &self.by,
            &self.at,
        ];
        Ok(DECIDE.execute(transaction, &parameters).await?)
    }
}

#[cfg(test)]
mod tests {
    use schema::SealedValue;

    use super::*;
    use crate::fixture;

    #[test]
    fn a_proposal_is_a_row_and_a_decision_changes_it() {
        let mut proposed = fixture::recorded((&"AdjustmentProposed", 1));
        let reason = SealedValue("1.sealed".to_owned());
        let sealed = [(Sealed::REASON.to_owned(), reason)];
        proposed.data.sealed = Sealed(sealed.into());
        let approved = fixture::recorded((&"AdjustmentApproved", 2));
        let rejected = fixture::recorded((&"AdjustmentRejected", 3));
        let events = fixture::batch([proposed, approved, rejected]);
        let (proposed, decided) = columns(&events);
        assert_eq!((proposed.position, decided.position), (vec![1], vec![2, 3]));
        assert_eq!(proposed.reason, [Some("1.sealed")]);
        assert_eq!(proposed.amount[0].to_string(), "-12.500000");
        assert_eq!(decided.adjustment, [proposed.adjustment[0]; 2]);
        assert_eq!(decided.status, ["APPROVED", "REJECTED"]);
    }
}
