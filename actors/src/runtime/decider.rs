//! Deciders: what follows from what is known. No clock, no randomness, no I/O in here.

use eventstore::{LogId, NewEvent, RecordedEvent, seal::Place};
use schema::{Event, StreamId};

/// Decides for one kind of stream.
pub trait Decider: Send + Sync + 'static {
    /// What is known of a stream from its events.
    type State: Default + Send + Sync + 'static;
    /// What may be asked of it.
    type Command: Command;
    /// Why a command may be refused.
    type Refusal: std::fmt::Debug + Send + Sync + 'static;

    /// What is known after `event`.
    fn fold(state: &mut Self::State, event: &RecordedEvent);

    /// What follows from `command`. No event: nothing new.
    ///
    /// # Errors
    /// A refusal: the command is against a rule, and nothing follows from it.
    fn decide(state: &Self::State, command: &Self::Command) -> Result<Vec<Event>, Self::Refusal>;

    /// Whether the stream will hardly hear any more, so that its actor may sleep at once.
    fn is_finished(state: &Self::State) -> bool;
}

/// What is asked of a decider, with everything that recording the answer takes.
pub trait Command: Send + Sync + std::fmt::Debug + 'static {
    /// The event as it is recorded at `place`: its id, envelope and sealed personal data.
    fn record(&self, place: EventPlace, event: Event) -> NewEvent;
}

/// Where an event is about to be recorded; sealed data is bound to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPlace {
    /// The log.
    pub log: LogId,
    /// The stream.
    pub stream: StreamId,
    /// The version the event will have in it.
    pub version: i32,
}

impl EventPlace {
    /// Where the sealed `field` of this event lives.
    #[must_use]
    pub const fn of_field(self, field: &str) -> Place<'_> {
        Place {
            log: self.log,
            stream: self.stream,
            version: self.version,
            field,
        }
    }
}

/// What is known of a stream from its history.
#[must_use]
pub fn folded<D: Decider>(history: &[RecordedEvent]) -> D::State {
    let mut state = D::State::default();
    for event in history {
        D::fold(&mut state, event);
    }
    state
}

#[cfg(test)]
pub(crate) mod testing;
