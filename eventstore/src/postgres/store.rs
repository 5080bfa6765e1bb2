//! [`EventStore`] in Postgres. The promises are kept by the functions in `migrations/`; here
//! batches become arrays and answers become outcomes.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use deadpool_postgres::Client;
use schema::{EventId, Position, StreamId, StreamVersion, Timestamp};
use time::OffsetDateTime;
use tokio_postgres::{Row, error::SqlState, types::ToSql};
use uuid::Uuid;

use super::{Database, Statement, rows};
use crate::{
    Append, EventData, EventStore, Guard, LogId, Outcome, RecordedEvent, StoreError, Stretch,
    rounds::rounds,
};

const APPEND: Statement = Statement::new(include_str!("store/append.sql"));
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
            match (self.append_part(part).await, part) {
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

    async fn append_part(&self, round: &[Append]) -> Result<Vec<Outcome>, StoreError> {
        let columns = Columns::of(round);
        let Columns {
            append,
            guard,
            event,
        } = &columns;
        let answer = self
            .database
            .query_one(
                APPEND,
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

/// A round as the arrays that `eventlog.append` takes.
#[derive(Default)]
struct Columns<'a> {
    append: AppendColumns,
    guard: GuardColumns,
    event: EventColumns<'a>,
}

#[derive(Default)]
struct AppendColumns {
    category: Vec<&'static str>,
    stream: Vec<Uuid>,
    expected: Vec<i32>,
}

/// Each distinct guard of the round once, and which append has which.
#[derive(Default)]
struct GuardColumns {
    category: Vec<&'static str>,
    stream: Vec<Uuid>,
    version: Vec<i32>,
    guarded_append: Vec<i32>,
    guarded_guard: Vec<i32>,
    numbers: HashMap<Guard, i32>,
}

#[derive(Default)]
struct EventColumns<'a> {
    append: Vec<i32>,
    id: Vec<Uuid>,
    name: Vec<&'static str>,
    schema_version: Vec<i16>,
    tenant: Vec<Option<Uuid>>,
    account: Vec<Option<Uuid>>,
    occurred_at: Vec<OffsetDateTime>,
    cause: Vec<Option<Uuid>>,
    trace: Vec<Option<&'a str>>,
    principal: Vec<&'a str>,
    content_hash: Vec<Vec<u8>>,
    payload: Vec<String>,
    sealed: Vec<Option<String>>,
}

impl<'a> Columns<'a> {
    fn of(round: &'a [Append]) -> Self {
        let mut columns = Self::default();
        for (number, append) in (1..).zip(round) {
            let row = &mut columns.append;
            row.category.push(append.stream.category.as_str());
            row.stream.push(append.stream.id);
            row.expected.push(append.expected.0);
            for guard in &append.guards {
                columns.guard.push(number, *guard);
            }
            columns.event.push(number, append);
        }
        columns
    }
}

impl GuardColumns {
    fn push(&mut self, append: i32, guard: Guard) {
        let next = self.version.len() + 1;
        let number = *self.numbers.entry(guard).or_insert_with(|| {
            self.category.push(guard.stream.category.as_str());
            self.stream.push(guard.stream.id);
            self.version.push(guard.version.0);
            i32::try_from(next).unwrap_or(i32::MAX)
        });
        self.guarded_append.push(append);
        self.guarded_guard.push(number);
    }
}

impl<'a> EventColumns<'a> {
    fn push(&mut self, number: i32, append: &'a Append) {
        for event in &append.events {
            let (name, schema_version) = event.event.type_and_version();
            let payload = event.event.payload();
            let sealed = event.sealed.stored();
            let hash = event.content_hash(append.stream, &payload, sealed.as_deref());
            self.append.push(number);
            self.id.push(event.id.0);
            self.name.push(name);
            self.schema_version.push(schema_version);
            self.tenant.push(event.tenant.map(|tenant| tenant.0));
            self.account.push(event.account.map(|account| account.0));
            self.occurred_at.push(event.occurred_at.datetime());
            self.cause.push(event.cause);
            self.trace.push(event.trace.as_deref());
            self.principal.push(&event.principal);
            self.content_hash.push(hash.to_vec());
            self.payload.push(payload);
            self.sealed.push(sealed);
        }
    }
}

fn outcomes(round: &[Append], guards: &GuardColumns, answer: &Row) -> Vec<Outcome> {
    let head_before = Position(answer.get(0));
    let recorded_at = Timestamp::from_datetime(answer.get(1));
    let actual: Vec<i32> = answer.get(2);
    let verdicts: Option<Vec<i16>> = answer.get(3);
    let details: Option<Vec<Option<&str>>> = answer.get(4);
    let mut next = head_before.next();
    let outcome = |(index, append): (usize, &Append)| {
        let verdict = verdicts.as_ref().map_or(0, |verdicts| verdicts[index]);
        let detail = details
            .as_ref()
            .and_then(|details| details[index])
            .unwrap_or_default();
        match verdict {
            0 => {
                let position = next;
                let count = append.events.len();
                next = next.plus(i64::try_from(count).unwrap_or(i64::MAX));
                let count = i32::try_from(count).unwrap_or(i32::MAX);
                let version = append.expected.plus(count);
                Outcome::Recorded {
                    position,
                    version,
                    recorded_at,
                }
            }
            1 => Outcome::AlreadyRecorded,
            2 => Outcome::Diverged {
                id: EventId(detail.parse().unwrap_or_default()),
            },
            4 => guard_moved(guards, detail),
            _ => Outcome::Conflict {
                actual: StreamVersion(actual[index]),
            },
        }
    };
    round.iter().enumerate().map(outcome).collect()
}

/// `detail` is the number of the guard in the round, from 1, and the version it is at.
fn guard_moved(guards: &GuardColumns, detail: &str) -> Outcome {
    let (number, actual) = detail.split_once(' ').unwrap_or_default();
    let number: i32 = number.parse().unwrap_or(1);
    let mut known = guards.numbers.iter();
    // Unwrap safety: the function answers with the numbers it was given.
    let (guard, _) = known
        .find(|(_, known)| **known == number)
        .expect("a guard of this round");
    Outcome::GuardMoved {
        stream: guard.stream,
        actual: StreamVersion(actual.parse().unwrap_or_default()),
    }
}
