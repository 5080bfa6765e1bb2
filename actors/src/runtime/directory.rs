//! The directory: who is awake, and the only one who speaks to stream actors.
//!
//! **Owns** one entry per stream that is awake or being woken. **Hears** batches of requests from
//! intake and healing; wakes the missing actors with one read of all their streams; hands out the
//! requests in the order they came. An actor reports after each request; because nobody else
//! sends to it, the directory knows when nothing is under way there and only then lets it sleep:
//! at once if its stream is finished, else when too many are awake, the longest idle first.
//! **Ends** with its supervisor; requests not yet answered are answered by their ports closing.
//!
//! Capacity: `live_max` idle actors at about 8 kB each. How many can be busy is bounded by the
//! permits of intake, not here.

use std::{
    collections::{HashMap, VecDeque, hash_map},
    marker::PhantomData,
    sync::Arc,
};

use eventstore::{RecordedEvent, StoreError};
use ractor::{Actor, ActorProcessingErr, ActorRef, DerivedActorRef, SpawnErr, SupervisionEvent};
use schema::StreamId;
use tokio::sync::oneshot;

use super::{
    decider::Decider,
    stream_actor::{self, Request, Rested, Shared, StreamActor, Verdict},
};

/// A directory to speak to.
pub type DirectoryRef<D> = ActorRef<Msg<D>>;

/// What the directory hears.
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
    /// What it passes on to every actor.
    pub shared: Arc<Shared>,
    /// How many idle actors may stay awake.
    pub live_max: usize,
}

enum Entry<D: Decider> {
    /// Its history is being read; these wait for it.
    Waking(Vec<Request<D>>),
    /// It has been sent `sent` requests.
    Awake {
        actor: ActorRef<Request<D>>,
        sent: u64,
    },
}

/// Who is awake.
pub struct State<D: Decider> {
    args: Args,
    /// Where actors say that they wait.
    rested: DerivedActorRef<Rested>,
    entries: HashMap<StreamId, Entry<D>>,
    /// Streams at rest with the count they had then, longest idle first; outdated ones are
    /// skipped when met.
    idle: VecDeque<(StreamId, u64)>,
}

/// See the module.
pub struct Directory<D>(PhantomData<fn() -> D>);

/// Starts a directory under `root`.
///
/// # Errors
/// It could not be started.
pub async fn open<D: Decider>(
    shared: &Arc<Shared>,
    live_max: usize,
    root: &ActorRef<()>,
) -> Result<DirectoryRef<D>, SpawnErr> {
    let args = Args {
        shared: Arc::clone(shared),
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
            args,
            rested: myself.get_derived(),
            entries: HashMap::new(),
            idle: VecDeque::new(),
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
        if let SupervisionEvent::ActorFailed(cell, cause) = event {
            tracing::error!(event = "actor.failed", actor = %cell.get_id(), cause = %cause);
            state.entries.retain(|_, entry| match entry {
                Entry::Awake { actor, .. } => actor.get_id() != cell.get_id(),
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
            match self.entries.entry(stream) {
                hash_map::Entry::Vacant(entry) => {
                    entry.insert(Entry::Waking(vec![request]));
                    asleep.push(stream);
                }
                hash_map::Entry::Occupied(mut entry) => match entry.get_mut() {
                    Entry::Waking(waiting) => waiting.push(request),
                    Entry::Awake { actor, sent } => {
                        *sent += 1;
                        // A dead actor drops the request, whose sender comes again.
                        let _ = actor.cast(request);
                    }
                },
            }
        }
        if !asleep.is_empty() {
            self.load(myself.clone(), asleep);
        }
    }

    fn load(&self, myself: ActorRef<Msg<D>>, streams: Vec<StreamId>) {
        let store = Arc::clone(&self.args.shared.store);
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
            let Some(Entry::Waking(waiting)) = self.entries.remove(&stream) else {
                continue;
            };
            let args = stream_actor::Args {
                stream,
                history,
                directory: self.rested.clone(),
                shared: Arc::clone(&self.args.shared),
            };
            let shell = StreamActor::<D>(PhantomData);
            let (actor, _) =
                StreamActor::spawn_linked(None, shell, args, myself.get_cell()).await?;
            let sent = waiting.len() as u64;
            for request in waiting {
                let _ = actor.cast(request);
            }
            self.entries.insert(stream, Entry::Awake { actor, sent });
        }
        Ok(())
    }

    fn give_up(&mut self, streams: &[StreamId], fault: &Arc<StoreError>) {
        for stream in streams {
            if let Some(Entry::Waking(waiting)) = self.entries.remove(stream) {
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
        if finished {
            self.let_sleep(stream, handled);
            return;
        }
        self.idle.push_back((stream, handled));
        while self.idle.len() > self.args.live_max {
            if let Some((stream, handled)) = self.idle.pop_front() {
                self.let_sleep(stream, handled);
            }
        }
    }

    /// Stops the actor of `stream` if it has been sent nothing since it had handled `handled`.
    fn let_sleep(&mut self, stream: StreamId, handled: u64) {
        if let hash_map::Entry::Occupied(entry) = self.entries.entry(stream)
            && let Entry::Awake { actor, sent } = entry.get()
            && *sent == handled
        {
            actor.stop(None);
            entry.remove();
        }
    }
}
