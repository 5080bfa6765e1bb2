//! A round of appends as the arrays that `eventlog.append` takes, and its answer as outcomes.

use std::collections::HashMap;

use schema::{EventId, Position, StreamVersion, Timestamp};
use time::OffsetDateTime;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{Append, Guard, Outcome};

/// A round as the arrays that `eventlog.append` takes.
#[derive(Default)]
pub(super) struct Columns<'a> {
    pub(super) append: AppendColumns,
    pub(super) guard: GuardColumns,
    pub(super) event: EventColumns<'a>,
}

#[derive(Default)]
pub(super) struct AppendColumns {
    pub(super) category: Vec<&'static str>,
    pub(super) stream: Vec<Uuid>,
    pub(super) expected: Vec<i32>,
}

/// Each distinct guard of the round once, and which append has which.
#[derive(Default)]
pub(super) struct GuardColumns {
    pub(super) category: Vec<&'static str>,
    pub(super) stream: Vec<Uuid>,
    pub(super) version: Vec<i32>,
    pub(super) guarded_append: Vec<i32>,
    pub(super) guarded_guard: Vec<i32>,
    numbers: HashMap<Guard, i32>,
}

#[derive(Default)]
pub(super) struct EventColumns<'a> {
    pub(super) append: Vec<i32>,
    pub(super) id: Vec<Uuid>,
    pub(super) name: Vec<&'static str>,
    pub(super) schema_version: Vec<i16>,
    pub(super) tenant: Vec<Option<Uuid>>,
    pub(super) account: Vec<Option<Uuid>>,
    pub(super) occurred_at: Vec<OffsetDateTime>,
    pub(super) cause: Vec<Option<Uuid>>,
    pub(super) trace: Vec<Option<&'a str>>,
    pub(super) principal: Vec<&'a str>,
    pub(super) content_hash: Vec<Vec<u8>>,
    pub(super) payload: Vec<String>,
    pub(super) sealed: Vec<Option<String>>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(round: &'a [Append]) -> Self {
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

/// What `answer` says of each append of `round`.
pub(super) fn outcomes(round: &[Append], guards: &GuardColumns, answer: &Row) -> Vec<Outcome> {
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
