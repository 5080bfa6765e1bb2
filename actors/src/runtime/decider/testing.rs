//! Rules read as given / when / then: a stream with a history, a command, what it says to that.

use eventstore::{LogId, RecordedEvent};
use schema::{Event, Position, StreamId, StreamVersion};

use super::{Command as _, Decider, Decision, EventPlace};

/// A stream as it is after some commands.
pub(crate) struct Given<D: Decider> {
    pub(crate) state: D::State,
    stream: StreamId,
    version: StreamVersion,
}

/// The stream after `before`, none of which may be refused. Its events stand at the positions
/// 1, 2, 3, …
pub(crate) fn given<D: Decider>(stream: StreamId, before: &[D::Command]) -> Given<D> {
    let mut given = Given {
        state: D::State::default(),
        stream,
        version: StreamVersion::NONE,
    };
    for command in before {
        given.and(command);
    }
    given
}

impl<D: Decider> Given<D> {
    /// What follows from `command`, which is not refused.
    pub(crate) fn when(&self, command: &D::Command) -> Vec<Event> {
        self.decision(command).events
    }

    /// What follows from `command`, which is not refused, and what it rests on.
    pub(crate) fn decision(&self, command: &D::Command) -> Decision {
        D::decide(&self.state, command).expect("not refused")
    }

    /// Why `command` is refused.
    pub(crate) fn refuses(&self, command: &D::Command) -> D::Refusal {
        D::decide(&self.state, command).expect_err("refused")
    }

    /// Carries `command` out; says what followed from it.
    pub(crate) fn and(&mut self, command: &D::Command) -> Vec<Event> {
        let events = self.when(command);
        for event in &events {
            self.version = self.version.next();
            let place = EventPlace {
                log: LogId::DEFAULT,
                stream: self.stream,
                version: self.version,
            };
            let data = command.record(place, event.clone());
            let recorded = RecordedEvent {
                position: Position(self.version.0.into()),
                stream: self.stream,
                version: self.version,
                recorded_at: data.occurred_at,
                data,
            };
            D::fold(&mut self.state, &recorded);
        }
        events
    }
}
