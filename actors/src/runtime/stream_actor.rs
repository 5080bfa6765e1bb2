//! The shell around a decider: one actor per stream that is awake.
//!
//! **Owns** what is known of its stream. **Hears** commands, one at a time, from its directory
//! only. For each it decides, appends, and answers with a [`Verdict`]. If another node was faster
//! (conflict), it folds the stream again and decides again. After a fault it no longer trusts its
//! memory and folds anew before the next command. **Ends** when its directory stops it, which it
//! does only when nothing is under way here. About 8 kB each; the directory bounds how many.

use std::{convert::Infallible, marker::PhantomData, sync::Arc};

use eventstore::{Outcome, RecordedEvent, StoreError};
use ractor::{Actor, ActorProcessingErr, ActorRef, DerivedActorRef};
use schema::{Position, StreamId, StreamVersion};
use tokio::sync::oneshot;

use super::{
    decider::{Decider, folded, version_of},
    log_handle::LogHandle,
};

/// How often one command is decided anew before its caller is told to come again. Each try means
/// that another node recorded something in between.
const TRIES: usize = 8;

/// What became of a command that may be refused with `R`.
#[derive(Debug, Clone)]
pub enum Verdict<R> {
    /// Something new is on disk.
    Recorded {
        /// The position of the last event of it.
        position: Position,
    },
    /// Nothing new: everything it says is known.
    Known {
        /// The position of the stream's last event; the beginning if it has none.
        position: Position,
    },
    /// Not done: it is against a rule.
    Refused(R),
    /// Not done, and unknown whether on disk; come again.
    Failed(Arc<StoreError>),
    /// Not done: another stream that the decision rests on has moved. Come again with what it says
    /// now.
    GuardMoved(StreamId),
    /// Not done: too many others at the same stream; come again.
    Contended,
}

impl Verdict<Infallible> {
    /// The same verdict, of a command that may be refused.
    #[must_use]
    pub fn widen<R>(self) -> Verdict<R> {
        match self {
            Self::Recorded { position } => Verdict::Recorded { position },
            Self::Known { position } => Verdict::Known { position },
            Self::Refused(never) => match never {},
            Self::Failed(fault) => Verdict::Failed(fault),
            Self::GuardMoved(stream) => Verdict::GuardMoved(stream),
            Self::Contended => Verdict::Contended,
        }
    }
}

/// A command and where its verdict goes.
pub struct Request<D: Decider> {
    /// The command.
    pub command: Box<D::Command>,
    /// Closed without a verdict: come again.
    pub reply: oneshot::Sender<Verdict<D::Refusal>>,
}

/// An actor has answered what it was sent, and waits.
#[derive(Debug)]
pub struct Rested {
    /// Its stream.
    pub stream: StreamId,
    /// How many requests it has answered since it woke.
    pub handled: u64,
    /// Whether its stream will hardly hear any more.
    pub finished: bool,
}

/// The arguments of an actor: its stream as it was read, and its surroundings.
pub struct Args {
    /// Its stream.
    pub stream: StreamId,
    /// The stream's events so far.
    pub history: Vec<RecordedEvent>,
    /// The directory, which is told after each request.
    pub directory: DerivedActorRef<Rested>,
    /// The log.
    pub log: LogHandle,
}

/// An actor's memory.
pub struct State<D: Decider> {
    stream: StreamId,
    directory: DerivedActorRef<Rested>,
    log: LogHandle,
    handled: u64,
    memory: Memory<D>,
}

enum Memory<D: Decider> {
    Fresh {
        state: D::State,
        version: StreamVersion,
        position: Position,
    },
    Distrusted,
}

impl<D: Decider> Memory<D> {
    fn of(history: &[RecordedEvent]) -> Self {
        let last = history.last();
        Self::Fresh {
            state: folded::<D>(history),
            version: version_of(history),
            position: last.map_or(Position::BEGINNING, |last| last.position),
        }
    }
}

/// See the module.
pub struct StreamActor<D>(pub(crate) PhantomData<fn() -> D>);

impl<D: Decider> Actor for StreamActor<D> {
    type Msg = Request<D>;
    type State = State<D>;
    type Arguments = Args;

    async fn pre_start(
        &self,
        _: ActorRef<Self::Msg>,
        args: Args,
    ) -> Result<State<D>, ActorProcessingErr> {
        Ok(State {
            stream: args.stream,
            directory: args.directory,
            log: args.log,
            handled: 0,
            memory: Memory::of(&args.history),
        })
    }

    async fn handle(
        &self,
        _: ActorRef<Self::Msg>,
        request: Self::Msg,
        state: &mut State<D>,
    ) -> Result<(), ActorProcessingErr> {
        let verdict = match state.carry_out(&request.command).await {
            Ok(verdict) => verdict,
            Err(fault) => {
                state.memory = Memory::Distrusted;
                Verdict::Failed(fault)
            }
        };
        let _ = request.reply.send(verdict);
        state.handled += 1;
        let finished = match &state.memory {
            Memory::Fresh { state, .. } => D::is_finished(state),
            Memory::Distrusted => true,
        };
        let (stream, handled) = (state.stream, state.handled);
        state.directory.cast(Rested {
            stream,
            handled,
            finished,
        })?;
        Ok(())
    }
}

impl<D: Decider> State<D> {
    async fn carry_out(
        &mut self,
        command: &D::Command,
    ) -> Result<Verdict<D::Refusal>, Arc<StoreError>> {
        for _ in 0..TRIES {
            let Memory::Fresh {
                state,
                version,
                position,
            } = &mut self.memory
            else {
                self.refold().await?;
                continue;
            };
            let decision = match D::decide(state, command) {
                Err(refusal) => return Ok(Verdict::Refused(refusal)),
                Ok(decision) if decision.events.is_empty() => {
                    let position = *position;
                    return Ok(Verdict::Known { position });
                }
                Ok(decision) => decision,
            };
            let append = decision.append(self.log.log, self.stream, *version, command);
            let recorded = append.events.clone();
            let mut outcomes = self.log.append(vec![append]).await?;
            // Unwrap safety: every append has an outcome.
            match outcomes.pop().expect("an outcome") {
                Outcome::Recorded {
                    position: first,
                    recorded_at,
                    ..
                } => {
                    for (number, data) in (0..).zip(recorded) {
                        (*position, *version) = (first.plus(number), version.next());
                        let recorded = RecordedEvent {
                            position: *position,
                            stream: self.stream,
                            version: *version,
                            recorded_at,
                            data,
                        };
                        D::fold(state, &recorded);
                    }
                    let position = *position;
                    return Ok(Verdict::Recorded { position });
                }
                // An earlier try of ours was recorded although we never heard of it.
                Outcome::AlreadyRecorded => {
                    let position = self.refold().await?;
                    return Ok(Verdict::Recorded { position });
                }
                Outcome::Conflict { .. } | Outcome::Diverged { .. } => {
                    self.memory = Memory::Distrusted;
                }
                Outcome::GuardMoved { stream, .. } => return Ok(Verdict::GuardMoved(stream)),
                Outcome::Refused => {
                    let never = StoreError::Misuse("the log will never take it");
                    return Err(Arc::new(never));
                }
            }
        }
        Ok(Verdict::Contended)
    }

    /// Reads the stream again; says the position of its last event.
    async fn refold(&mut self) -> Result<Position, Arc<StoreError>> {
        let streams = self
            .log
            .store
            .read_streams(&[self.stream])
            .await
            .map_err(Arc::new)?;
        let history = streams.first().map_or(&[][..], Vec::as_slice);
        self.memory = Memory::of(history);
        Ok(history
            .last()
            .map_or(Position::BEGINNING, |last| last.position))
    }
}

#[cfg(test)]
mod tests {
    use eventstore::{EventData, Guard, memory::MemoryStore};
    use schema::{Event, EventId, Pseudonym, event::CrossAccountRead};
    use uuid::Uuid;

    use super::*;
    use crate::{
        fixture::Actors,
        runtime::{
            decider::{Command, Decision, EventPlace},
            directory,
            origin::Origin,
        },
    };

    /// Records a look while another stream is at a version.
    #[derive(Debug)]
    struct Look {
        origin: Origin,
        guard: Guard,
    }

    struct LookDecider;

    impl Decider for LookDecider {
        type State = ();
        type Command = Look;
        type Refusal = Infallible;

        fn fold((): &mut (), _: &RecordedEvent) {}

        fn decide((): &(), look: &Look) -> Result<Decision, Infallible> {
            let read = CrossAccountRead {
                endpoint: "GET /v1/billing/usage".to_owned(),
                account_id: None,
                caller_tenant: Pseudonym(Uuid::nil()),
                request_id: look.origin.request,
            };
            Ok(Decision::record([Event::CrossAccountRead(read)]).guarded(vec![look.guard]))
        }

        fn is_finished((): &()) -> bool {
            false
        }
    }

    impl Command for Look {
        fn record(&self, place: EventPlace, event: Event) -> EventData {
            let id = EventId::of_request("look", place.stream.id, self.origin.request);
            self.origin.record(id, event)
        }
    }

    #[tokio::test]
    async fn what_rests_on_a_stream_that_has_moved_is_not_recorded() {
        let actors = Actors::on(Arc::new(MemoryStore::default())).await;
        let directory = directory::open::<LookDecider>(&actors.log, 10, actors.root());
        let directory = directory.await.expect("starts");
        let [first, second] = [1, 2].map(|number| StreamId::access(Uuid::from_u128(number)));
        let look = |request, stream, version| Look {
            origin: Origin::of_request(request),
            guard: Guard {
                stream,
                version: StreamVersion(version),
            },
        };
        for (stream, command, recorded) in [
            (first, look(1, second, 0), true),
            (second, look(2, first, 0), false),
            (second, look(2, first, 1), true),
            (first, look(3, second, 0), false),
        ] {
            let verdict = directory::ask(&directory, stream, command).await;
            match verdict.expect("answered") {
                Verdict::Recorded { .. } => assert!(recorded, "{stream:?}"),
                Verdict::GuardMoved(moved) => assert!(!recorded && moved != stream),
                other => panic!("{other:?}"),
            }
        }
        let head = actors.log.store.head().await;
        assert_eq!(head.expect("head"), Position(2));
        actors.stop().await;
    }
}
