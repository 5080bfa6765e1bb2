//! `billing.access_log`: who looked at whose data, and who was refused to.
//!
//! Each access has a stream of its own in the log, so that recording one costs the same however
//! many there are. What somebody wants to see together, a day or a tenant or a caller, is here.

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use schema::{
    AccountId, Event, EventType, Pseudonym, Timestamp,
    event::{AccessRefused, CrossAccountRead},
};
use time::OffsetDateTime;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::{ApplyError, Batch, Scope, Table};

const INSERT: Statement = Statement::new(include_str!("access_log/insert.sql"));

/// Every access that is a fact.
#[derive(Debug, Clone, Copy)]
pub struct AccessLog;

#[async_trait]
impl Table for AccessLog {
    const NAME: &'static str = "access_log";
    const READS: &'static [EventType] = &[EventType::CrossAccountRead, EventType::AccessRefused];

    async fn show(batch: &Batch, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        let rows = Columns::of(batch);
        if rows.position.is_empty() {
            return Ok(());
        }
        Scope::EveryTenant.enter(transaction).await?;
        let parameters: [&(dyn ToSql + Sync); 14] = [
            &batch.log.0,
            &rows.position,
            &rows.tenant,
            &rows.account,
            &rows.more,
            &rows.caller_tenant,
            &rows.principal,
            &rows.endpoint,
            &rows.code,
            &rows.calls,
            &rows.request,
            &rows.occurred_at,
            &rows.until,
            &rows.recorded_at,
        ];
        Ok(INSERT.execute(transaction, &parameters).await?)
    }
}

#[derive(Default)]
struct Columns<'a> {
    position: Vec<i64>,
    tenant: Vec<Option<Uuid>>,
    account: Vec<Option<Uuid>>,
    /// The further accounts of each, as a text that Postgres reads as an array: arrays within an
    /// array would have to be of one length.
    more: Vec<String>,
    caller_tenant: Vec<Uuid>,
    principal: Vec<&'a str>,
    endpoint: Vec<&'a str>,
    code: Vec<Option<&'a str>>,
    calls: Vec<i64>,
    request: Vec<Uuid>,
    occurred_at: Vec<OffsetDateTime>,
    until: Vec<OffsetDateTime>,
    recorded_at: Vec<OffsetDateTime>,
}

/// What differs between an access that was allowed and one that was not.
struct Access<'a> {
    endpoint: &'a str,
    account: Option<AccountId>,
    more: &'a [AccountId],
    caller_tenant: Pseudonym,
    request: Uuid,
    code: Option<&'a str>,
    calls: u32,
    until: Timestamp,
}

impl<'a> Access<'a> {
    fn of(event: &'a RecordedEvent) -> Option<Self> {
        match &event.data.event {
            Event::CrossAccountRead(read) => Some(Self::read(read, event.data.occurred_at)),
            Event::AccessRefused(refused) => Some(Self::refused(refused)),
            _ => None,
        }
    }

    fn read(read: &'a CrossAccountRead, at: Timestamp) -> Self {
        Self {
            endpoint: &read.endpoint,
            account: read.account_id,
            more: &[],
            caller_tenant: read.caller_tenant,
            request: read.request_id,
            code: None,
            calls: 1,
            until: at,
        }
    }

    fn refused(refused: &'a AccessRefused) -> Self {
        Self {
            endpoint: &refused.endpoint,
            account: refused.account_id,
            more: &refused.more_account_ids,
            caller_tenant: refused.caller_tenant,
            request: refused.request_id,
            code: Some(&refused.code),
            calls: refused.calls,
            until: refused.until,
        }
    }
}

impl<'a> Columns<'a> {
    fn of(events: &'a [Arc<RecordedEvent>]) -> Self {
        let mut columns = Self::default();
        for event in events {
            if let Some(access) = Access::of(event) {
                columns.push(event, &access);
            }
        }
        columns
    }

    fn push(&mut self, event: &'a RecordedEvent, access: &Access<'a>) {
        let more: Vec<_> = access.more.iter().map(ToString::to_string).collect();
        self.position.push(event.position.0);
        self.tenant.push(event.data.tenant.map(|tenant| tenant.0));
        self.account.push(access.account.map(|account| account.0));
        self.more.push(format!("{{{}}}", more.join(",")));
        self.caller_tenant.push(access.caller_tenant.0);
        self.principal.push(&event.data.principal);
        self.endpoint.push(access.endpoint);
        self.code.push(access.code);
        self.calls.push(i64::from(access.calls));
        self.request.push(access.request);
        self.occurred_at.push(event.data.occurred_at.datetime());
        self.until.push(access.until.datetime());
        self.recorded_at.push(event.recorded_at.datetime());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_refusal_is_shown_with_its_code_and_count_and_a_read_without() {
        let events = [
            ("CrossAccountRead", 1),
            ("AccessRefused", 2),
            ("PriceOpened", 3),
        ];
        let events = events.map(|(name, position)| fixture::recorded((&name, position)));
        let events = fixture::batch(events);
        let rows = Columns::of(&events);
        assert_eq!(rows.position, [1, 2], "one row per access");
        assert_eq!(rows.code, [None, Some("account_forbidden")]);
        assert_eq!(rows.calls, [1, 3]);
        assert_eq!(rows.more[0], "{}");
        assert_eq!(rows.more[1].matches(',').count(), 1, "{}", rows.more[1]);
        assert!(rows.until[1] > rows.occurred_at[0]);
    }
}
