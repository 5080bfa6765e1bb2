//! Announces again what was settled and is neither charged nor held: its announcement was
//! acknowledged by `JetStream` and lost all the same.
//!
//! The log knows both sides, so nobody has to trust a stream. Only what billing has already come
//! past is looked at, for what is still in its stream is not lost. A repeat has the id of the first
//! announcement, so it can do no harm. It must never write anything but messages. See
//! `docs/adr/0022-what-a-stream-lost-is-announced-again.md`.

use std::{collections::HashMap, sync::Arc, time::Duration};

use eventstore::{
    EventStore, LogId, RecordedEvent, StoreError, clock,
    postgres::{Database, Statement},
};
use schema::{
    Event, MessageId, Position, Pseudonym, StreamId, TenantId, published::BILLING_EVENTS,
};
use time::OffsetDateTime;
use tokio_postgres::{Row, types::ToSql};

use super::publishers::billing_events::announce;
use crate::{
    ApplyError,
    runtime::publishing::{Announcement, Outbox, PublishError},
};

/// How many positions are looked at together.
const PAGE: i64 = 10_000;

/// What announcing again works with.
pub struct AnnounceAgain {
    /// The log; its reader sees what was settled and what was charged.
    pub store: Arc<dyn EventStore>,
    /// The connections to that log.
    pub database: Database,
    /// The number of the log.
    pub log: LogId,
    /// The connection of a NATS user who may publish on `billing.events`.
    pub client: async_nats::Client,
}

/// Which settlements are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// None recorded longer ago.
    pub since: Duration,
    /// Billing must have come past them by as much.
    pub margin: Duration,
}

/// The outcome of looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Billing stands still: nobody can tell what is lost from what waits.
    BillingStandsStill,
    /// So many were announced again.
    Announced(usize),
}

/// What kept it from being done. Doing it again is safe.
#[derive(Debug, thiserror::Error)]
pub enum AgainError {
    /// The log could not be read.
    #[error("looking for settlements that are neither charged nor held")]
    Store(#[from] StoreError),
    /// A settlement cannot be announced.
    #[error("announcing a settlement again")]
    Unusable(#[from] ApplyError),
    /// Not every announcement is known to be in the stream.
    #[error("announcing settlements again")]
    Publish(#[from] PublishError),
}

impl AnnounceAgain {
    /// Announces once whatever is missing in `span`.
    ///
    /// # Errors
    /// See [`AgainError`].
    pub async fn run(&self, span: Span) -> Result<Again, AgainError> {
        let mut end = self.store.head().await?;
        let Some(billed_through) = self.billed_through(end).await? else {
            return Ok(Again::BillingStandsStill);
        };
        let until = billed_through - span.margin;
        let since = clock::now().datetime() - span.since;
        let outbox = Outbox::new(self.client.clone(), BILLING_EVENTS);
        let mut announced = 0;
        // Backwards, page by page: times never go back within a log.
        while end > Position::BEGINNING {
            let after = end.plus(-PAGE).max(Position::BEGINNING);
            announced += self.page(&outbox, after, end, until).await?;
            if after == Position::BEGINNING || self.recorded(after).await? < Some(since) {
                break;
            }
            end = after;
        }
        Ok(Again::Announced(announced))
    }

    async fn page(
        &self,
        outbox: &Outbox,
        after: Position,
        through: Position,
        until: OffsetDateTime,
    ) -> Result<usize, AgainError> {
        const UNBILLED: Statement = Statement::new(include_str!("republish/unbilled.sql"));
        let asked: [&(dyn ToSql + Sync); 4] = [&self.log.0, &after.0, &through.0, &until];
        let rows = self.database.query(UNBILLED, &asked).await?;
        let stream = |row: &Row| StreamId::message(MessageId(row.get("stream_id")));
        let streams: Vec<StreamId> = rows.iter().map(stream).collect();
        let tenant = |row: &Row| {
            let pseudonym: Option<_> = row.get("pseudonym");
            let tenant: Option<_> = row.get("tenant_id");
            Some((Pseudonym(pseudonym?), TenantId(tenant?)))
        };
        let tenants: HashMap<_, _> = rows.iter().filter_map(tenant).collect();
        let histories = self.store.read_streams(&streams).await?;
        let settled = histories.iter().flatten().filter(|event| is_settled(event));
        let mut announcements = Vec::with_capacity(streams.len());
        for event in settled {
            announcements.extend(announce(event, &tenants)?.map(Announcement::again));
        }
        let count = announcements.len();
        outbox.publish_all(announcements).await?;
        // They are in their stream. If we stop here, the next run finds fewer missing.
        Ok(count)
    }

    async fn billed_through(&self, end: Position) -> Result<Option<OffsetDateTime>, StoreError> {
        const BILLED_THROUGH: Statement =
            Statement::new(include_str!("republish/billed_through.sql"));
        let rows = self
            .database
            .query(BILLED_THROUGH, &[&self.log.0, &end.0])
            .await?;
        Ok(rows.first().and_then(|row| row.get("billed_through")))
    }

    async fn recorded(&self, position: Position) -> Result<Option<OffsetDateTime>, StoreError> {
        const RECORDED: Statement = Statement::new(include_str!("republish/recorded.sql"));
        let rows = self
            .database
            .query(RECORDED, &[&self.log.0, &position.0])
            .await?;
        Ok(rows.first().map(|row| row.get("recorded_at")))
    }
}

fn is_settled(event: &RecordedEvent) -> bool {
    matches!(event.data.event, Event::MessageSettled(_))
}
