//! The shell around a decider: one actor per stream that is awake.
//!
//! **Owns** what is known of its stream. **Hears** commands, one at a time, from its directory
//! only. For each it decides, appends, and answers with a [`Verdict`]. If another node was faster
//! (conflict), it folds the stream again and decides again. After a fault it no longer trusts its
//! memory and folds anew before the next command. **Ends** when its directory stops it, which it
//! does only when nothing is under way here. About 8 kB each; the directory bounds how many.

use std::{marker::PhantomData, sync::Arc};

use eventstore::{Append, EventStore, LogId, Outcome, RecordedEvent, StoreError};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use schema::{Event, StreamId};
use tokio::sync::oneshot;

use crate::{
    appender,
    decide::{Command, Decider, EventPlace},
    directory,
};

/// How often one command is decided anew before its caller is told to come again. Each try means
/// that another node recorded something in between.
const TRIES: usize = 8;

/// What became of a command.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// Something new is on disk.
    Recorded,
    /// Nothing new: everything it says is known.
    Known,
    /// Not done, and unknown whether on disk; come again.
    Failed(Arc<StoreError>),
    /// Not done: too many others at the same stream; come again.
    Contended,
}

/// A command and where its verdict goes.
#[derive(Debug)]
pub struct Request<C> {
    /// The command.
    pub command: Box<C>,
    /// Closed without a verdict: come again.
    pub reply: oneshot::Sender<Verdict>,
}

/// What every stream actor of a directory shares.
pub struct Shared {
    /// The log, for reading.
    pub store: Arc<dyn EventStore>,
    /// Which log.
    pub log: LogId,
    /// The way into the log.
    pub appender: ActorRef<appender::Msg>,
}

/// What an actor starts with.
pub struct Args<D: Decider> {
    /// Its stream.
    pub stream: StreamId,
    /// The stream's events so far.
    pub history: Vec<RecordedEvent>,
    /// Who woke it.
    pub directory: ActorRef<directory::Msg<D>>,
    /// What it shares with its siblings.
    pub shared: Arc<Shared>,
}

/// An actor's memory.
pub struct State<D: Decider> {
    stream: StreamId,
    directory: ActorRef<directory::Msg<D>>,
    shared: Arc<Shared>,
    handled: u64,
    memory: Memory<D>,
}

enum Memory<D: Decider> {
    Fresh { state: D::State, version: i32 },
    Distrusted,
}

impl<D: Decider> Memory<D> {
    fn of(history: &[RecordedEvent]) -> Self {
        let mut state = D::State::default();
        for event in history {
            D::fold(&mut state, &event.fact.event);
        }
        Self::Fresh {
            state,
            version: history.last().map_or(0, |last| last.version),
        }
    }
}

/// See the module.
pub struct StreamActor<D>(pub(crate) PhantomData<fn() -> D>);

impl<D: Decider> Actor for StreamActor<D> {
    type Msg = Request<D::Command>;
    type State = State<D>;
    type Arguments = Args<D>;

    async fn pre_start(
        &self,
        _: ActorRef<Self::Msg>,
        args: Args<D>,
    ) -> Result<State<D>, ActorProcessingErr> {
        Ok(State {
            stream: args.stream,
            directory: args.directory,
            shared: args.shared,
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
        state.directory.cast(directory::Msg::Rested {
            stream,
            handled,
            finished,
        })?;
        Ok(())
    }
}

impl<D: Decider> State<D> {
    async fn carry_out(&mut self, command: &D::Command) -> Result<Verdict, Arc<StoreError>> {
        for _ in 0..TRIES {
            let Memory::Fresh { state, version } = &mut self.memory else {
                self.refold().await?;
                continue;
            };
            let events = D::decide(state, command);
            if events.is_empty() {
                return Ok(Verdict::Known);
            }
            let expected = *version;
            match append(&self.shared, self.stream, expected, &events, command).await? {
                Outcome::Recorded {
                    version: recorded, ..
                } => {
                    for event in &events {
                        D::fold(state, event);
                    }
                    *version = recorded;
                    return Ok(Verdict::Recorded);
                }
                // An earlier try of ours was recorded although we never heard of it.
                Outcome::AlreadyRecorded => {
                    self.memory = Memory::Distrusted;
                    return Ok(Verdict::Recorded);
                }
                Outcome::Conflict { .. }
                | Outcome::Diverged { .. }
                | Outcome::GuardMoved { .. } => self.memory = Memory::Distrusted,
            }
        }
        Ok(Verdict::Contended)
    }

    async fn refold(&mut self) -> Result<(), Arc<StoreError>> {
        let streams = self
            .shared
            .store
            .read_streams(&[self.stream])
            .await
            .map_err(Arc::new)?;
        self.memory = Memory::of(streams.first().map_or(&[], Vec::as_slice));
        Ok(())
    }
}

async fn append<C: Command>(
    shared: &Shared,
    stream: StreamId,
    expected: i32,
    events: &[Event],
    command: &C,
) -> Result<Outcome, Arc<StoreError>> {
    let record = |(version, event): (i32, &Event)| {
        let place = EventPlace {
            log: shared.log,
            stream,
            version,
        };
        command.record(place, event.clone())
    };
    let events = (expected + 1..).zip(events).map(record).collect();
    let append = Append {
        stream,
        expected,
        events,
        guards: Vec::new(),
    };
    match ractor::call!(shared.appender, appender::Msg::Append, append) {
        Ok(answer) => answer,
        Err(_) => Err(Arc::new(StoreError::Misuse("the appender has stopped"))),
    }
}
