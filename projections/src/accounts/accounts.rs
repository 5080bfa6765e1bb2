//! `billing.accounts`: every registered account as it is now.

mod queries;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use schema::{Event, EventType, Sealed, event::AccountFacts};
use time::OffsetDateTime;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

pub use self::queries::{Account, find, tenant_of};
use crate::{ApplyError, Batch, Scope, Table};

const PUT: Statement = Statement::new(include_str!("accounts/put.sql"));

/// Every registered account.
#[derive(Debug, Clone, Copy)]
pub struct Accounts;

#[async_trait]
impl Table for Accounts {
    const NAME: &'static str = "accounts";
    const READS: &'static [EventType] = &[EventType::AccountRegistered, EventType::AccountChanged];

    async fn show(batch: &Batch, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        let lives = lives(batch);
        if lives.is_empty() {
            return Ok(());
        }
        Scope::EveryTenant.enter(transaction).await?;
        let rows = Columns::of(&lives);
        let parameters: [&(dyn ToSql + Sync); 12] = [
            &batch.log.0,
            &rows.position,
            &rows.tenant,
            &rows.account,
            &rows.tier,
            &rows.currency,
            &rows.billing_name,
            &rows.billing_address,
            &rows.sealed_version,
            &rows.first_at,
            &rows.changed_at,
            &rows.changed_position,
        ];
        Ok(PUT.execute(transaction, &parameters).await?)
    }
}

/// What a batch says of an account: the first word and the last one.
struct Life<'a> {
    first: &'a RecordedEvent,
    last: &'a RecordedEvent,
    facts: &'a AccountFacts,
}

/// By account.
type Lives<'a> = BTreeMap<Uuid, Life<'a>>;

fn lives(events: &[Arc<RecordedEvent>]) -> Lives<'_> {
    let mut lives = Lives::new();
    for event in events {
        let facts = match &event.data.event {
            Event::AccountRegistered(registered) => &registered.account,
            Event::AccountChanged(changed) => &changed.account,
            _ => continue,
        };
        let life = lives.entry(facts.account_id.0).or_insert(Life {
            first: event,
            last: event,
            facts,
        });
        (life.last, life.facts) = (event, facts);
    }
    lives
}

#[derive(Default)]
struct Columns<'a> {
    position: Vec<i64>,
    tenant: Vec<Option<Uuid>>,
    account: Vec<Uuid>,
    tier: Vec<&'static str>,
    currency: Vec<&'a str>,
    billing_name: Vec<Option<&'a str>>,
    billing_address: Vec<Option<&'a str>>,
    sealed_version: Vec<i32>,
    first_at: Vec<OffsetDateTime>,
    changed_at: Vec<OffsetDateTime>,
    changed_position: Vec<i64>,
}

impl<'a> Columns<'a> {
    fn of(lives: &Lives<'a>) -> Self {
        let mut columns = Self::default();
        for (account, Life { first, last, facts }) in lives {
            let tenant = first.data.tenant.map(|tenant| tenant.0);
            let sealed = |field| last.data.sealed.0.get(field).map(|value| value.0.as_str());
            columns.position.push(first.position.0);
            columns.tenant.push(tenant);
            columns.account.push(*account);
            columns.tier.push(facts.account_tier.as_str());
            columns.currency.push(facts.currency.as_str());
            columns.billing_name.push(sealed(Sealed::BILLING_NAME));
            columns
                .billing_address
                .push(sealed(Sealed::BILLING_ADDRESS));
            columns.sealed_version.push(last.version.0);
            columns.first_at.push(first.recorded_at.datetime());
            columns.changed_at.push(last.recorded_at.datetime());
            columns.changed_position.push(last.position.0);
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use schema::{SealedValue, StreamVersion};

    use super::*;
    use crate::fixture;

    #[test]
    fn an_account_is_what_was_said_of_it_last_since_it_was_first_heard_of() {
        let registered = fixture::recorded((&"AccountRegistered", 1));
        let mut changed = fixture::recorded((&"AccountChanged", 2));
        changed.version = StreamVersion(2);
        let name = SealedValue("1.sealed".to_owned());
        let sealed = [(Sealed::BILLING_NAME.to_owned(), name)];
        changed.data.sealed = Sealed(sealed.into());
        let events = fixture::batch([registered, changed]);
        let lives = lives(&events);
        let rows = Columns::of(&lives);
        assert_eq!((rows.position[0], rows.changed_position[0]), (1, 2));
        assert_eq!((rows.tier[0], rows.currency[0]), ("ENTERPRISE", "USD"));
        assert_eq!(rows.billing_name, [Some("1.sealed")]);
        assert_eq!(rows.billing_address, [None]);
        assert_eq!((rows.sealed_version[0], rows.account.len()), (2, 1));
    }
}
