//! [`EventStore`] in memory, for tests of whatever stands on a log. It keeps the same promises,
//! except that durability (L5) ends with the process.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use schema::{EventId, Position, StreamId, StreamVersion, Timestamp};

use crate::{
    Append, EventData, EventStore, Guard, Outcome, RecordedEvent, StoreError, Stretch, Together,
    clock,
    rounds::{one_round, together},
};

/// A log that lives as long as the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    events: Mutex<Vec<RecordedEvent>>,
}

impl MemoryStore {
    /// Loses everything after `position`, as a failover to a standby that is behind does.
    pub fn lose_after(&self, position: Position) {
        self.events().retain(|event| event.position <= position);
    }

    fn events(&self) -> MutexGuard<'_, Vec<RecordedEvent>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl EventStore for MemoryStore {
    async fn append(&self, batch: Vec<Append>) -> Result<Vec<Outcome>, StoreError> {
        let mut events = self.events();
        let now = events
            .last()
            .map_or_else(clock::now, |last| last.recorded_at.max(clock::now()));
        Ok(batch
            .into_iter()
            .map(|append| record(&mut events, append, now))
            .collect())
    }

    async fn append_together(&self, appends: Vec<Append>) -> Result<Together, StoreError> {
        let appends = one_round(appends)?;
        let mut events = self.events();
        let before = events.len();
        let now = events
            .last()
            .map_or_else(clock::now, |last| last.recorded_at.max(clock::now()));
        let outcomes: Vec<_> = appends
            .into_iter()
            .map(|append| record(&mut events, append, now))
            .collect();
        let together = together(outcomes, head_of(&events));
        if !matches!(together, Together::Recorded { .. }) {
            events.truncate(before);
        }
        Ok(together)
    }

    async fn read_streams(
        &self,
        streams: &[StreamId],
    ) -> Result<Vec<Vec<RecordedEvent>>, StoreError> {
        let events = self.events();
        let of = |stream: &StreamId| {
            events
                .iter()
                .filter(|event| event.stream == *stream)
                .cloned()
                .collect()
        };
        Ok(streams.iter().map(of).collect())
    }

    async fn read_after(&self, position: Position, limit: i64) -> Result<Stretch, StoreError> {
        let events = self.events();
        let through = position.plus(limit).min(head_of(&events)).max(position);
        let within =
            |event: &&RecordedEvent| event.position > position && event.position <= through;
        Ok(Stretch {
            events: events.iter().filter(within).cloned().map(Ok).collect(),
            through,
            recorded_at: recorded_at(&events, through),
        })
    }

    async fn head(&self) -> Result<Position, StoreError> {
        Ok(head_of(&self.events()))
    }

    async fn recorded_at(
        &self,
        positions: &[Position],
    ) -> Result<Vec<Option<Timestamp>>, StoreError> {
        let events = self.events();
        let of = |position: &Position| recorded_at(&events, *position);
        Ok(positions.iter().map(of).collect())
    }
}

fn recorded_at(events: &[RecordedEvent], position: Position) -> Option<Timestamp> {
    let index = usize::try_from(position.ahead_of(Position(1))).ok()?;
    events.get(index).map(|event| event.recorded_at)
}

fn head_of(events: &[RecordedEvent]) -> Position {
    events
        .last()
        .map_or(Position::BEGINNING, |last| last.position)
}

fn version_of(events: &[RecordedEvent], stream: StreamId) -> StreamVersion {
    events
        .iter()
        .rev()
        .find(|event| event.stream == stream)
        .map_or(StreamVersion::NONE, |event| event.version)
}

fn record(events: &mut Vec<RecordedEvent>, append: Append, now: Timestamp) -> Outcome {
    let ids: HashSet<_> = append.events.iter().map(|event| event.id).collect();
    let (empty, twice) = (append.events.is_empty(), ids.len() < append.events.len());
    if empty || twice || append.foreign().is_some() {
        return Outcome::Refused;
    }
    let actual = version_of(events, append.stream);
    if let Some(refusal) = judge(events, &append, actual) {
        return refusal;
    }
    let position = head_of(events).next();
    let mut version = append.expected;
    for (number, data) in (0..).zip(append.events) {
        version = version.next();
        let stream = append.stream;
        events.push(RecordedEvent {
            position: position.plus(number),
            stream,
            version,
            recorded_at: now,
            data,
        });
    }
    Outcome::Recorded {
        position,
        version,
        recorded_at: now,
    }
}

fn judge(events: &[RecordedEvent], append: &Append, actual: StreamVersion) -> Option<Outcome> {
    let known: Vec<_> = append
        .events
        .iter()
        .filter_map(|new| {
            Some((
                new.id,
                find(events, append.stream, new.id)? == hash(append.stream, new),
            ))
        })
        .collect();
    if let Some((id, _)) = known.iter().find(|(_, same)| !same) {
        return Some(Outcome::Diverged { id: *id });
    }
    if known.len() == append.events.len() {
        return Some(Outcome::AlreadyRecorded);
    }
    if actual != append.expected || !known.is_empty() {
        return Some(Outcome::Conflict { actual });
    }
    append.guards.iter().find_map(|Guard { stream, version }| {
        let actual = version_of(events, *stream);
        (actual != *version).then_some(Outcome::GuardMoved {
            stream: *stream,
            actual,
        })
    })
}

fn find(events: &[RecordedEvent], stream: StreamId, id: EventId) -> Option<[u8; 32]> {
    let same = |event: &&RecordedEvent| event.stream == stream && event.data.id == id;
    events
        .iter()
        .find(same)
        .map(|event| hash(stream, &event.data))
}

fn hash(stream: StreamId, event: &EventData) -> [u8; 32] {
    event.content_hash(
        stream,
        &event.event.payload(),
        event.sealed.stored().as_deref(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;

    #[tokio::test]
    async fn it_keeps_the_promises() {
        for (name, case) in contract::cases() {
            println!("{name}");
            case(std::sync::Arc::new(MemoryStore::default())).await;
        }
    }
}
