//! `billing.accounts`: every registered account, and beside it `billing.account_versions`: what
//! each of them is over time. Both are shown by one projection, so that they never disagree.

mod queries;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use schema::EventType;
use time::OffsetDateTime;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

pub use self::queries::{owner, tenant_of};
use super::account_versions::{self, told};
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
        let parameters: [&(dyn ToSql + Sync); 7] = [
            &batch.log.0,
            &rows.position,
            &rows.tenant,
            &rows.account,
            &rows.first_at,
            &rows.changed_at,
            &rows.changed_position,
        ];
        PUT.execute(transaction, &parameters).await?;
        account_versions::show(batch, transaction).await
    }
}

/// What a batch says of an account: the first word and the last one.
struct Life<'a> {
    first: &'a RecordedEvent,
    last: &'a RecordedEvent,
}

/// By account.
type Lives<'a> = BTreeMap<Uuid, Life<'a>>;

fn lives(events: &[Arc<RecordedEvent>]) -> Lives<'_> {
    let mut lives = Lives::new();
    for event in events {
        let Some((facts, _)) = told(event) else {
            continue;
        };
        let life = lives.entry(facts.account_id.0).or_insert(Life {
            first: event,
            last: event,
        });
        life.last = event;
    }
    lives
}

#[derive(Default)]
struct Columns {
    position: Vec<i64>,
    tenant: Vec<Option<Uuid>>,
    account: Vec<Uuid>,
    first_at: Vec<OffsetDateTime>,
    changed_at: Vec<OffsetDateTime>,
    changed_position: Vec<i64>,
}

impl Columns {
    fn of(lives: &Lives<'_>) -> Self {
        let mut columns = Self::default();
        for (account, Life { first, last }) in lives {
            let tenant = first.data.tenant.map(|tenant| tenant.0);
            columns.position.push(first.position.0);
            columns.tenant.push(tenant);
            columns.account.push(*account);
            columns.first_at.push(first.recorded_at.datetime());
            columns.changed_at.push(last.recorded_at.datetime());
            columns.changed_position.push(last.position.0);
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use schema::StreamVersion;

    use super::*;
    use crate::fixture;

    #[test]
    fn an_account_is_known_since_it_was_first_heard_of_and_changed_when_it_was_last() {
        let registered = fixture::recorded((&"AccountRegistered", 1));
        let mut changed = fixture::recorded((&"AccountChanged", 2));
        changed.version = StreamVersion(2);
        let events = fixture::batch([registered, changed]);
        let rows = Columns::of(&lives(&events));
        assert_eq!((rows.position, rows.changed_position), (vec![1], vec![2]));
        assert_eq!(rows.account.len(), 1);
    }
}
