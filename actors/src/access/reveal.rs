//! What is sealed, opened for a person: recorded first, with who asks, why and what for, and then
//! opened. What cannot be opened any more is said, and recorded all the same.

use std::{collections::HashMap, sync::Arc};

use eventstore::{
    EventStore, LogId, Outcome, RecordedEvent, StoreError,
    keyring::{Keyring, KeyringError, Locked},
    seal::{self, DataKey, OpenError, Place},
};
use schema::{
    EventId, Personal, Position, SealedValue, StreamId, StreamVersion,
    event::{PersonalDataRevealed, RevealedFields},
};

use super::decide::{Access, AccessDecider, RecordAccess};
use crate::runtime::{decider::Decider as _, origin::Origin};

/// What somebody wants to see.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The stream whose data it is.
    pub stream: StreamId,
    /// One event of it; without one all of them.
    pub event: Option<EventId>,
    /// The fields; none named is all of them.
    pub fields: Vec<String>,
}

/// A sealed value, as far as it could be opened.
#[derive(Debug)]
pub struct Revealed {
    /// Where its event stands in the log.
    pub position: Position,
    /// The field.
    pub field: String,
    /// What it says, or why nobody can say.
    pub value: Result<Personal, Unreadable>,
}

/// Why a sealed value says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Its tenant was erased, or the orphans of its day are too old.
    #[error("its key was destroyed, so nobody can read it any more")]
    Destroyed,
    /// Its key does not open under the master keys at hand.
    #[error(transparent)]
    Locked(#[from] Locked),
    /// It was changed or moved.
    #[error(transparent)]
    Sealed(#[from] OpenError),
}

/// Why nothing was opened.
#[derive(Debug, thiserror::Error)]
pub enum RevealError {
    /// The log knows nothing of it.
    #[error("the log knows no such message or orphan")]
    Unknown,
    /// There is nothing like that to open.
    #[error("nothing of that kind is sealed there")]
    NothingSealed,
    /// That somebody asks could not be recorded, so they see nothing.
    #[error("recording who asks: the log answered {0:?}")]
    NotRecorded(Outcome),
    /// The log could not be read or written.
    #[error("reading the log, or recording who asks")]
    Store(#[from] StoreError),
    /// The keys could not be read.
    #[error("reading the keys")]
    Keyring(#[from] KeyringError),
}

/// What opens sealed values for people.
pub struct Revealing {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Which log.
    pub log: LogId,
    /// The keys.
    pub keyring: Arc<dyn Keyring>,
}

impl Revealing {
    /// Records that `origin` wants to see this for `reason`, then opens it.
    ///
    /// # Errors
    /// Nothing was opened; see [`RevealError`].
    pub async fn reveal(
        &self,
        wanted: &Wanted,
        reason: String,
        origin: Origin,
    ) -> Result<Vec<Revealed>, RevealError> {
        let histories = self.store.read_streams(&[wanted.stream]).await?;
        let mut events: Vec<_> = histories.into_iter().flatten().collect();
        events.retain(|event| wanted.event.is_none_or(|id| event.data.id == id));
        let first = events.first().ok_or(RevealError::Unknown)?;
        let (tenant, account_id) = (first.data.tenant, first.data.account);
        let revealed = fields(&events, &wanted.fields);
        if revealed.is_empty() {
            return Err(RevealError::NothingSealed);
        }
        let revealed = PersonalDataRevealed {
            reason,
            category: wanted.stream.category.as_str().to_owned(),
            stream_id: wanted.stream.id,
            revealed,
            account_id,
            request_id: origin.request,
        };
        self.record(RecordAccess {
            access: Access::Revealed(revealed),
            tenant,
            origin,
        })
        .await?;
        // That somebody asks is in the log now, whatever becomes of the rest.
        self.open(&events, &wanted.fields).await
    }

    async fn record(&self, access: RecordAccess) -> Result<(), RevealError> {
        let stream = access.stream();
        let Ok(decision) = AccessDecider::decide(&<_>::default(), &access);
        let append = decision.append(self.log, stream, StreamVersion::NONE, &access);
        match self.store.append(vec![append]).await?.pop() {
            Some(Outcome::Recorded { .. } | Outcome::AlreadyRecorded) => Ok(()),
            other => Err(RevealError::NotRecorded(other.unwrap_or(Outcome::Refused))),
        }
    }

    async fn open(
        &self,
        events: &[RecordedEvent],
        fields: &[String],
    ) -> Result<Vec<Revealed>, RevealError> {
        let values = || events.iter().flat_map(|event| sealed(event, fields));
        let mut ids: Vec<i64> = values()
            .filter_map(|(_, value)| seal::key_of(value).ok())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let keys = self.keyring.by_id(&ids).await?;
        let open = |event: &RecordedEvent, field: &str, value| Revealed {
            position: event.position,
            field: field.to_owned(),
            value: open(self.log, &keys, event, field, value),
        };
        let opened = events.iter().flat_map(|event| {
            sealed(event, fields).map(move |(field, value)| (event, field, value))
        });
        Ok(opened
            .map(|(event, field, value)| open(event, field, value))
            .collect())
    }
}

/// The sealed values of an event that have one of these names; all of them where none is named.
fn sealed<'a>(
    event: &'a RecordedEvent,
    fields: &'a [String],
) -> impl Iterator<Item = (&'a String, &'a SealedValue)> {
    let all = event.data.sealed.0.iter();
    all.filter(move |(field, _)| fields.is_empty() || fields.contains(field))
}

/// What is to be opened, by event.
fn fields(events: &[RecordedEvent], wanted: &[String]) -> Vec<RevealedFields> {
    let of_events = events.iter().map(|event| RevealedFields {
        position: event.position.0,
        fields: sealed(event, wanted)
            .map(|(field, _)| field.clone())
            .collect(),
    });
    of_events.filter(|event| !event.fields.is_empty()).collect()
}

fn open(
    log: LogId,
    keys: &HashMap<i64, Result<DataKey, Locked>>,
    event: &RecordedEvent,
    field: &str,
    value: &SealedValue,
) -> Result<Personal, Unreadable> {
    let key = keys.get(&seal::key_of(value)?);
    let key = key.ok_or(Unreadable::Destroyed)?.as_ref();
    let place = Place {
        log,
        stream: event.stream,
        version: event.version,
        field,
    };
    Ok(key.map_err(|locked| *locked)?.open(&place, value)?)
}
