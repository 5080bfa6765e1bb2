//! Deciders: what follows from what is known. No clock, no randomness, no I/O in here.

use eventstore::{Append, EventData, Guard, LogId, RecordedEvent, seal::Place};
use schema::{Event, StreamId, StreamVersion};

/// Decides for one kind of stream.
pub trait Decider: Send + Sync + 'static {
    /// What is known of a stream from its events.
    type State: Default + Send + Sync + 'static;
    /// The commands that it decides.
    type Command: Command;
    /// Why a command may be refused.
    type Refusal: std::fmt::Debug + Send + Sync + 'static;

    /// What is known after `event`.
    fn fold(state: &mut Self::State, event: &RecordedEvent);

    /// What follows from `command`.
    ///
    /// # Errors
    /// A refusal: the command is against a rule, and nothing follows from it.
    fn decide(state: &Self::State, command: &Self::Command) -> Result<Decision, Self::Refusal>;

    /// Whether the stream will hardly hear any more, so that its actor may sleep at once.
    fn is_finished(state: &Self::State) -> bool;
}

/// What follows from a command, and what that rests on beside the stream itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// What is to be recorded, in this order; nothing if nothing is new.
    pub events: Vec<Event>,
    /// The versions of other streams that it rests on (L6): if one of them has moved, nothing is
    /// recorded, and it has to be decided anew with what moved.
    pub guards: Vec<Guard>,
}

impl Decision {
    /// Nothing is to be recorded: everything is known.
    pub const NOTHING: Self = Self {
        events: Vec::new(),
        guards: Vec::new(),
    };

    /// This follows, and rests on nothing but the stream itself.
    #[must_use]
    pub fn record(events: impl Into<Vec<Event>>) -> Self {
        Self {
            events: events.into(),
            guards: Vec::new(),
        }
    }

    /// The same, resting also on these versions of other streams.
    #[must_use]
    pub fn guarded(self, guards: Vec<Guard>) -> Self {
        Self { guards, ..self }
    }

    /// What has it recorded after version `expected` of `stream`; it followed from `command`.
    #[must_use]
    pub fn append<C: Command>(
        self,
        log: LogId,
        stream: StreamId,
        expected: StreamVersion,
        command: &C,
    ) -> Append {
        let mut version = expected;
        let record = |event| {
            version = version.next();
            let place = EventPlace {
                log,
                stream,
                version,
            };
            command.record(place, event)
        };
        Append {
            stream,
            expected,
            events: self.events.into_iter().map(record).collect(),
            guards: self.guards,
        }
    }
}

/// What is asked of a decider, with everything that recording the answer takes.
pub trait Command: Send + Sync + std::fmt::Debug + 'static {
    /// The event as it is recorded at `place`: its id, envelope and sealed personal data.
    fn record(&self, place: EventPlace, event: Event) -> EventData;
}

/// Where an event is about to be recorded; sealed data is bound to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPlace {
    /// The log.
    pub log: LogId,
    /// The stream.
    pub stream: StreamId,
    /// The version the event will have in it.
    pub version: StreamVersion,
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

/// The version of a stream with this history.
#[must_use]
pub fn version_of(history: &[RecordedEvent]) -> StreamVersion {
    history
        .last()
        .map_or(StreamVersion::NONE, |last| last.version)
}

#[cfg(test)]
pub(crate) mod testing;
