//! The appender: one per process, it turns many small appends into few transactions.
//!
//! **Owns** the way into the log. **Hears** appends, each with somebody waiting for its outcome.
//! Everything that arrives while a transaction runs goes into the next one, at most
//! [`MAX_EVENTS`] events; nobody waits for a timer. **Ends** when stopped: what is in flight is
//! finished and answered by its task, and what is still queued is answered by its ports closing,
//! which callers treat as a fault (nothing was acknowledged, so it comes again).

use std::{collections::VecDeque, sync::Arc};

use eventstore::{Append, EventStore, Feed, Outcome, StoreError};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

/// The most events of one transaction: enough to make the round trip cheap, few enough to commit
/// within milliseconds.
pub const MAX_EVENTS: usize = 1_000;

/// An outcome, or the fault that hit the whole transaction.
pub type Answer = Result<Outcome, Arc<StoreError>>;

/// What the appender hears.
#[derive(Debug)]
pub enum Msg {
    /// Append this and answer when it is on disk.
    Append(Append, RpcReplyPort<Answer>),
    /// To itself: everything that was queued has been gathered; start a transaction.
    Commit,
    /// To itself: the transaction has ended and its callers have their answers.
    Ended,
}

/// What the appender works with.
pub struct Args {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Who is told how far the log has come.
    pub feed: Arc<Feed>,
    /// Called with the number of events of each transaction.
    pub on_commit: Arc<dyn Fn(usize) + Send + Sync>,
}

/// What is queued and whether a transaction runs.
pub struct State {
    args: Args,
    queue: VecDeque<(Append, RpcReplyPort<Answer>)>,
    busy: bool,
}

/// See the module.
pub struct Appender;

impl Actor for Appender {
    type Msg = Msg;
    type State = State;
    type Arguments = Args;

    async fn pre_start(
        &self,
        _: ActorRef<Msg>,
        args: Args,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(State {
            args,
            queue: VecDeque::new(),
            busy: false,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        message: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Msg::Append(append, reply) => {
                state.queue.push_back((append, reply));
                if !state.busy {
                    // Not at once: what is already in the mailbox shall come along.
                    state.busy = true;
                    myself.cast(Msg::Commit)?;
                }
            }
            Msg::Ended if state.queue.is_empty() => state.busy = false,
            Msg::Commit | Msg::Ended => state.commit(&myself),
        }
        Ok(())
    }
}

impl State {
    /// Starts a transaction with what is queued, in a task that nobody cancels.
    fn commit(&mut self, myself: &ActorRef<Msg>) {
        let mut events = 0;
        let mut batch = Vec::new();
        let mut callers = Vec::new();
        while let Some((append, _)) = self.queue.front() {
            events += append.events.len();
            if events > MAX_EVENTS && !batch.is_empty() {
                break;
            }
            // Unwrap safety: the front was just looked at.
            let (append, reply) = self.queue.pop_front().expect("a front");
            batch.push(append);
            callers.push(reply);
        }
        let (store, feed) = (Arc::clone(&self.args.store), Arc::clone(&self.args.feed));
        let (on_commit, myself) = (Arc::clone(&self.args.on_commit), myself.clone());
        tokio::spawn(async move {
            let result = store.append(batch).await;
            // It is on disk now, or a fault leaves that unknown. If we stop here, the callers'
            // messages are not acknowledged and come again; L4 makes the repeat harmless.
            match result {
                Ok(outcomes) => {
                    on_commit(recorded(&outcomes, &feed));
                    for (outcome, caller) in outcomes.into_iter().zip(callers) {
                        let _ = caller.send(Ok(outcome));
                    }
                }
                Err(fault) => {
                    let fault = Arc::new(fault);
                    for caller in callers {
                        let _ = caller.send(Err(Arc::clone(&fault)));
                    }
                }
            }
            let _ = myself.cast(Msg::Ended);
        });
    }
}

/// Tells the feed where the log is now, and how many appends went in.
fn recorded(outcomes: &[Outcome], feed: &Feed) -> usize {
    let positions = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Recorded { position, .. } => Some(*position),
        _ => None,
    });
    feed.advanced_to(positions.clone().max().unwrap_or_default());
    positions.count()
}
