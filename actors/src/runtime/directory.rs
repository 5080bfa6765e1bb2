//! The directory: who is awake, and the only one who speaks to stream actors.
//!
//! **Owns** one entry per stream that is awake or being woken. **Hears** batches of requests from
//! intake and reconciliation; wakes the missing actors with one read of all their streams; hands
//! out the requests in the order they came. An actor reports after each request; because nobody
//! else sends to it, the directory knows when nothing is under way there and only then lets it
//! sleep: at once if its stream is finished, else when too many are awake, the longest idle first.
//! **Ends** with its supervisor; requests not yet answered are answered by their ports closing.
//!
//! Capacity: `live_max` idle actors at about 8 kB each. How many can be busy is bounded by the
//! permits of intake, not here.

use std::{marker::PhantomData, sync::Arc};

use eventstore::{RecordedEvent, StoreError};
use ractor::{Actor, ActorProcessingErr, ActorRef, DerivedActorRef, SpawnErr, SupervisionEvent};
use schema::StreamId;
use tokio::sync::oneshot;

use super::{
    awake::Awake,
    decider::Decider,
    log_handle::LogHandle,
    stream_actor::{self, Request, Rested, StreamActor, Verdict},
    supervision::tell_death,
};

/// A directory to speak to.
pub type DirectoryRef<D> = ActorRef<Msg<D>>;

/// The messages of a directory.
pub enum Msg<D: Decider> {
    /// Requests in the order in which each stream shall see its own.
    Batch(Vec<(StreamId, Request<D>)>),
    /// To itself: the histories of streams that are being woken.
    Loaded(
        Vec<StreamId>,
        Result<Vec<Vec<RecordedEvent>>, Arc<StoreError>>,
    ),
    /// From an actor.
    Rested(Rested),
}

impl<D: Decider> From<Rested> for Msg<D> {
    fn from(rested: Rested) -> Self {
        Self::Rested(rested)
    }
}

impl<D: Decider> TryFrom<Msg<D>> for Rested {
    type Error = Msg<D>;

    fn try_from(message: Msg<D>) -> Result<Self, Msg<D>> {
        match message {
            Msg::Rested(rested) => Ok(rested),
            other => Err(other),
        }
    }
}

impl<D: Decider> std::fmt::Debug for Msg<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Batch(_) => "Batch",
            Self::Loaded(..) => "Loaded",
            Self::Rested(_) => "Rested",
        })
    }
}

/// What the directory works with.
pub struct Args {
    /// The log of its streams.
    pub log: LogHandle,
    /// How many idle actors may stay awake.
    pub live_max: usize,
}

/// What is known of one stream.
enum Entry<D: Decider> {
    /// Its history is being read; these wait for it.
    Waking(Vec<Request<D>>),
    /// Its actor takes requests.
    Awake(ActorRef<Request<D>>),
}

/// A directory's memory: the streams awake, and the log they are read from.
pub struct State<D: Decider> {
    log: LogHandle,
    /// Where actors say that they wait.
    rested: DerivedActorRef<Rested>,
    awake: Awake<StreamId, Entry<D>>,
}

/// See the module.
pub struct Directory<D>(PhantomData<fn() -> D>);

/// Starts a directory under `root`.
///
/// # Errors
/// The actor of the directory could not be started.
pub async fn open<D: Decider>(
    log: &LogHandle,
    live_max: usize,
    root: &ActorRef<()>,
) -> Result<DirectoryRef<D>, SpawnErr> {
    let args = Args {
        log: log.clone(),
        live_max,
    };
    let directory = Directory::<D>::default();
    let (directory, _) = Actor::spawn_linked(None, directory, args, root.get_cell()).await?;
    Ok(directory)
}

/// One request to a directory; nothing if it or the actor went away: come again.
pub async fn ask<D: Decider>(
    directory: &DirectoryRef<D>,
    stream: StreamId,
    command: D::Command,
) -> Option<Verdict<D::Refusal>> {
    ask_all(directory, [(stream, command)]).await.pop()?
}

/// Puts all commands to a directory at once; the verdicts in the same order, none where the
/// directory or an actor went away.
pub(crate) async fn ask_all<D: Decider>(
    directory: &DirectoryRef<D>,
    commands: impl IntoIterator<Item = (StreamId, D::Command)>,
) -> Vec<Option<Verdict<D::Refusal>>> {
    let (mut requests, mut replies) = (Vec::new(), Vec::new());
    for (stream, command) in commands {
        let (reply, verdict) = oneshot::channel();
        let command = Box::new(command);
        requests.push((stream, Request { command, reply }));
        replies.push(verdict);
    }
    // A directory that is gone drops the requests, and their verdicts never come.
    let _ = directory.cast(Msg::Batch(requests));
    let mut verdicts = Vec::with_capacity(replies.len());
    for verdict in replies {
        verdicts.push(verdict.await.ok());
    }
    verdicts
}

impl<D> Default for Directory<D> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<D: Decider> Actor for Directory<D> {
    type Msg = Msg<D>;
    type State = State<D>;
    type Arguments = Args;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg<D>>,
        args: Args,
    ) -> Result<State<D>, ActorProcessingErr> {
        Ok(State {
            log: args.log,
            rested: myself.get_derived(),
            awake: Awake::new(args.live_max),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg<D>>,
        message: Msg<D>,
        state: &mut State<D>,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Msg::Batch(requests) => state.hand_out(&myself, requests),
            Msg::Loaded(streams, Ok(histories)) => state.wake(&myself, streams, histories).await?,
            Msg::Loaded(streams, Err(fault)) => state.give_up(&streams, &fault),
            Msg::Rested(rested) => state.rested(&rested),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Msg<D>>,
        event: SupervisionEvent,
        state: &mut State<D>,
    ) -> Result<(), ActorProcessingErr> {
        // An actor that died is forgotten; its requests come again and it is folded anew. One
        // broken stream must not take the others with it.
        if let SupervisionEvent::ActorFailed(cell, _) = event {
            tell_death(cell.get_id());
            state.awake.retain(|entry| match entry {
                Entry::Awake(actor) => actor.get_id() != cell.get_id(),
                Entry::Waking(_) => true,
            });
        }
        Ok(())
    }
}

impl<D: Decider> State<D> {
    fn hand_out(&mut self, myself: &ActorRef<Msg<D>>, requests: Vec<(StreamId, Request<D>)>) {
        let mut asleep = Vec::new();
        for (stream, request) in requests {
            match self.awake.give(&stream) {
                None => {
                    self.awake.wake(stream, Entry::Waking(vec![request]), 1);
                    asleep.push(stream);
                }
                Some(Entry::Waking(waiting)) => waiting.push(request),
                Some(Entry::Awake(actor)) => {
                    // A dead actor drops the request, whose sender comes again.
                    let _ = actor.cast(request);
                }
            }
        }
        if !asleep.is_empty() {
            self.load(myself.clone(), asleep);
        }
    }

    fn load(&self, myself: ActorRef<Msg<D>>, streams: Vec<StreamId>) {
        let store = Arc::clone(&self.log.store);
        tokio::spawn(async move {
            let histories = store.read_streams(&streams).await.map_err(Arc::new);
            let _ = myself.cast(Msg::Loaded(streams, histories));
        });
    }

    async fn wake(
        &mut self,
        myself: &ActorRef<Msg<D>>,
        streams: Vec<StreamId>,
        histories: Vec<Vec<RecordedEvent>>,
    ) -> Result<(), ActorProcessingErr> {
        for (stream, history) in streams.into_iter().zip(histories) {
            let Some(Entry::Waking(waiting)) = self.awake.forget(&stream) else {
                continue;
            };
            let args = stream_actor::Args {
                stream,
                history,
                directory: self.rested.clone(),
                log: self.log.clone(),
            };
            let shell = StreamActor::<D>(PhantomData);
            let (actor, _) =
                StreamActor::spawn_linked(None, shell, args, myself.get_cell()).await?;
            let given = waiting.len() as u64;
            for request in waiting {
                let _ = actor.cast(request);
            }
            self.awake.wake(stream, Entry::Awake(actor), given);
        }
        Ok(())
    }

    fn give_up(&mut self, streams: &[StreamId], fault: &Arc<StoreError>) {
        for stream in streams {
            if let Some(Entry::Waking(waiting)) = self.awake.forget(stream) {
                for request in waiting {
                    let _ = request.reply.send(Verdict::Failed(Arc::clone(fault)));
                }
            }
        }
    }

    fn rested(&mut self, rested: &Rested) {
        let &Rested {
            stream,
            handled,
            finished,
        } = rested;
        let gone = if finished {
            Vec::from_iter(self.awake.let_go(&stream, handled))
        } else {
            self.awake.rest(stream, handled)
        };
        for entry in gone {
            if let Entry::Awake(actor) = entry {
                actor.stop(None);
            }
        }
    }
}
