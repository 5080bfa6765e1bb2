//! [`EventStore`] in Postgres. The promises are kept by the functions in `migrations/`; here
//! batches become arrays and answers become outcomes.

mod columns;

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::Client;
use schema::{Position, StreamId, Timestamp};
use time::OffsetDateTime;
use tokio_postgres::{Row, error::SqlState, types::ToSql};
use uuid::Uuid;

use self::columns::{Columns, outcomes};
use super::{Database, Statement, rows};
use crate::{
    Append, EventData, EventStore, LogId, Outcome, RecordedEvent, StoreError, Stretch, Together,
    rounds::{one_round, rounds, together},
};

const APPEND: Statement = Statement::new(include_str!("store/append.sql"));
const APPEND_TOGETHER: Statement = Statement::new(include_str!("store/append_together.sql"));
const HEAD: Statement = Statement::new(include_str!("store/head.sql"));
const READ_LOG: Statement = Statement::new(include_str!("store/read_after.sql"));
const READ_STREAMS: Statement = Statement::new(include_str!("store/read_streams.sql"));
const RECORDED_AT: Statement = Statement::new(include_str!("store/recorded_at.sql"));

/// A log in Postgres.
#[derive(Clone)]
pub struct PgStore {
    database: Database,
    log: LogId,
}

impl PgStore {
    /// The log `log` behind `database`.
    #[must_use]
    pub const fn new(database: Database, log: LogId) -> Self {
        Self { database, log }
    }

    /// Records a round, as a rule in one transaction. What stands in a stream of another category
    /// never gets to Postgres; what Postgres refuses is found by halving, so that its neighbours go
    /// in.
    async fn append_round(&self, round: &[Append]) -> Result<Vec<Outcome>, StoreError> {
        let mut outcomes = Vec::with_capacity(round.len());
        let at_home = |append: &Append| append.foreign().is_none();
        let parts = round.chunk_by(|left, right| at_home(left) && at_home(right));
        // What is still to be recorded; what comes next is on top.
        let mut parts: Vec<_> = parts.rev().collect();
        while let Some(part) = parts.pop() {
            if let Some(foreign) = part[0].foreign() {
                tell_foreign(&part[0], foreign);
                outcomes.push(Outcome::Refused);
                continue;
            }
            match (self.append_part(APPEND, part).await, part) {
                (Ok(recorded), _) => outcomes.extend(recorded),
                (Err(fault), [append]) if is_refusal(&fault) => {
                    tell_refusal(append, &fault);
                    outcomes.push(Outcome::Refused);
                }
                (Err(fault), _) if is_refusal(&fault) => {
                    let (first, rest) = part.split_at(part.len() / 2);
                    parts.extend([rest, first]);
                }
                (Err(fault), _) => return Err(fault),
            }
        }
        Ok(outcomes)
    }

    /// Records all of `round` or none of it.
    async fn append_whole(&self, round: &[Append]) -> Result<Together, StoreError> {
        if let Some((append, foreign)) = foreign_in(round) {
            tell_foreign(append, foreign);
            return Ok(Together::Refused);
        }
        let events: usize = round.iter().map(|append| append.events.len()).sum();
        let events = i64::try_from(events).unwrap_or(i64::MAX);
        match self.append_part(APPEND_TOGETHER, round).await {
            Ok(outcomes) => {
                let head = match outcomes.first() {
                    Some(Outcome::Recorded { position, .. }) => position.plus(events - 1),
                    _ => Position::BEGINNING,
                };
                Ok(together(outcomes, head))
            }
            Err(fault) if is_refusal(&fault) => {
                tell_refusal(&round[0], &fault);
                Ok(Together::Refused)
            }
            Err(fault) => Err(fault),
        }
    }

    async fn append_part(
        &self,
        statement: Statement,
        round: &[Append],
    ) -> Result<Vec<Outcome>, StoreError> {
        let columns = Columns::of(round);
        let Columns {
            append,
            guard,
            event,
        } = &columns;
        let answer = self
            .database
            .query_one(
                statement,
                &[
                    &self.log.0,
                    &append.category,
                    &append.stream,
                    &append.expected,
                    &guard.category,
                    &guard.stream,
                    &guard.version,
                    &guard.guarded_append,
                    &guard.guarded_guard,
                    &event.append,
                    &event.id,
                    &event.name,
                    &event.schema_version,
                    &event.tenant,
                    &event.account,
                    &event.occurred_at,
                    &event.cause,
                    &event.trace,
                    &event.principal,
                    &event.content_hash,
                    &event.payload,
                    &event.sealed,
                ],
            )
            .await?;
        // The statement has committed: what it answers is on disk. If we stop here, the caller
        // appends again and hears `AlreadyRecorded`.
        Ok(outcomes(round, guard, &answer))
    }
}

#[async_trait]
impl EventStore for PgStore {
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Outcome>, StoreError> {
        let store = self.clone();
        // A task of its own: a caller that goes away does not leave a connection half way.
        let task = tokio::spawn(async move {
            let mut answers = Vec::with_capacity(batch.len());
            for round in rounds(batch) {
                answers.extend(store.append_round(&round).await?);
            }
            Ok(answers)
        });
        task.await.unwrap_or_else(|source| {
            Err(StoreError::Died {
                operation: APPEND.name(),
                source,
            })
        })
    }

    async fn append_together(&self, appends: Vec<Append>) -> Result<Together, StoreError> {
        let round = one_round(appends)?;
        let store = self.clone();
        let task = tokio::spawn(async move { store.append_whole(&round).await });
        task.await.unwrap_or_else(|source| {
            Err(StoreError::Died {
                operation: APPEND_TOGETHER.name(),
                source,
            })
        })
    }

    async fn read_streams(
        &self,
        streams: &[StreamId],
    ) -> Result<Vec<Vec<RecordedEvent>>, StoreError> {
        let categories = streams.iter().map(|stream| stream.category.as_str());
        let categories: Vec<&str> = categories.collect();
        let ids: Vec<Uuid> = streams.iter().map(|stream| stream.id).collect();
        let parameters: [&(dyn ToSql + Sync); 3] = [&self.log.0, &categories, &ids];
        let found = self.database.query(READ_STREAMS, &parameters).await?;
        let mut answers = vec![Vec::new(); streams.len()];
        for row in &found {
            let asked: i64 = row.get(16);
            // Unwrap safety: the statement numbers the streams it was asked for from 1.
            let asked = usize::try_from(asked - 1).expect("a number of a stream asked for");
            let event = rows::recorded_event(row);
            answers[asked].push(event.map_err(|row| StoreError::Unreadable(Arc::new(row)))?);
        }
        Ok(answers)
    }

    async fn read_after(&self, position: Position, limit: i64) -> Result<Stretch, StoreError> {
        // The head is read first: whatever is recorded later comes with the next stretch.
        let head = self.head().await?;
        if head <= position {
            return Ok(Stretch {
                events: Vec::new(),
                through: position,
                recorded_at: None,
            });
        }
        let through = head.min(position.plus(limit));
        let client = self.database.client(READ_LOG.name()).await?;
        let reading = self.read_stretch(&client, position, through);
        let answer = self.database.in_time(reading).await;
        self.database.settle(READ_LOG.name(), client, answer)
    }

    async fn head(&self) -> Result<Position, StoreError> {
        let row = self.database.query_one(HEAD, &[&self.log.0]).await?;
        Ok(Position(row.get(0)))
    }

    async fn recorded_at(
        &self,
        positions: &[Position],
    ) -> Result<Vec<Option<Timestamp>>, StoreError> {
        let positions: Vec<i64> = positions.iter().map(|position| position.0).collect();
        let asked: [&(dyn ToSql + Sync); 2] = [&self.log.0, &positions];
        let rows = self.database.query(RECORDED_AT, &asked).await?;
        Ok(rows.iter().map(recorded_at).collect())
    }
}

fn recorded_at(row: &Row) -> Option<Timestamp> {
    row.get::<_, Option<OffsetDateTime>>(0)
        .map(Timestamp::from_datetime)
}

impl PgStore {
    async fn read_stretch(
        &self,
        client: &Client,
        after: Position,
        through: Position,
    ) -> Result<Stretch, StoreError> {
        // On the same connection as the read: both are of one history of the log.
        let mark = RECORDED_AT
            .query_one(client, &[&self.log.0, &[through.0].as_slice()])
            .await?;
        let span: [&(dyn ToSql + Sync); 3] = [&self.log.0, &after.0, &through.0];
        let events = READ_LOG.read_each(client, &span, rows::recorded_event);
        Ok(Stretch {
            events: events.await?,
            through,
            recorded_at: recorded_at(&mark),
        })
    }
}

/// Whether Postgres will refuse the same again for what it holds: a value (class 22), a constraint
/// (23), a size (54), or a type of event that this role may not append.
fn is_refusal(fault: &StoreError) -> bool {
    let StoreError::Postgres { source, .. } = fault else {
        return false;
    };
    source.code().is_some_and(|state| {
        *state == SqlState::INSUFFICIENT_PRIVILEGE
            || ["22", "23", "54"].contains(&&state.code()[..2])
    })
}

/// The first event of `round` that does not belong where it was to stand, with its append.
fn foreign_in(round: &[Append]) -> Option<(&Append, &EventData)> {
    let foreign = |append: &'_ Append| append.foreign().is_some();
    let append = round.iter().find(|append| foreign(append))?;
    append.foreign().map(|event| (append, event))
}

/// Says which type of event does not belong where it was to stand.
fn tell_foreign(append: &Append, foreign: &EventData) {
    tracing::error!(
        event = "log.append_refused",
        stream = %append.stream,
        events = append.events.len(),
        foreign = foreign.event.type_and_version().0,
    );
}

/// Says why Postgres refused an append, and nothing of what it holds.
fn tell_refusal(append: &Append, fault: &StoreError) {
    let StoreError::Postgres { source, .. } = fault else {
        return;
    };
    let first = append.events.first();
    tracing::error!(
        event = "log.append_refused",
        stream = %append.stream,
        events = append.events.len(),
        first = first.map(|fact| fact.event.type_and_version().0),
        sqlstate = source.code().map(SqlState::code),
    );
}
