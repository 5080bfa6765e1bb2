//! Where a command comes from: what is recorded with everything that follows from it.

use std::borrow::Cow;

use eventstore::EventData;
use schema::{Event, EventId, Sealed, Timestamp};
use uuid::Uuid;

/// The cause, the time, the author and the trace of a command. They come in with it: whoever
/// decides has no clock and no name of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The request or the message that causes it; the same again is a repeat.
    pub request: Uuid,
    /// When that arrived.
    pub time: Timestamp,
    /// Its author, by the name that the log keeps.
    pub principal: Cow<'static, str>,
    /// The `traceparent` it came with.
    pub trace: Option<String>,
}

impl Origin {
    /// The event of this id as it is recorded: nobody's, on no account, with nothing sealed.
    #[must_use]
    pub fn record(&self, id: EventId, event: Event) -> EventData {
        EventData {
            id,
            event,
            tenant: None,
            account: None,
            occurred_at: self.time,
            cause: Some(self.request),
            trace: self.trace.clone(),
            principal: self.principal.clone().into_owned(),
            sealed: Sealed::default(),
        }
    }
}

#[cfg(test)]
impl Origin {
    /// A request of this number, made by Anna at the beginning of time.
    pub(crate) fn of_request(number: u128) -> Self {
        Self {
            request: Uuid::from_u128(number),
            time: Timestamp::from_micros(0).expect("the epoch"),
            principal: "anna".into(),
            trace: None,
        }
    }

    /// The same, at another time.
    pub(crate) fn at(self, time: Timestamp) -> Self {
        Self { time, ..self }
    }
}
