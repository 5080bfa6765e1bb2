//! The appender: one per process, it turns many small appends into few transactions.
//!
//! **Owns** the way into the log. **Hears** groups of appends, each with somebody waiting for all
//! of its outcomes. Everything that arrives while a transaction runs goes into the next one, at
//! most [`MAX_EVENTS`] events; nobody waits for a timer. A group beyond that is spread over
//! several transactions and answered once. What is to go in together or not at all
//! ([`append_together`]) is a transaction beside those, because it may be large: the others wait for
//! it in the log only, and not while it is prepared and sent. **Ends** when stopped: what is in flight
//! is finished and answered by its task, and what is still queued is answered by its ports closing,
//! which callers treat as a fault (nothing was acknowledged, so it comes again).

use std::{collections::VecDeque, sync::Arc};

use eventstore::{Append, EventStore, Feed, Outcome, StoreError, Together};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use schema::Position;

/// The most events of one transaction: enough to make the round trip cheap, few enough to commit
/// within milliseconds.
pub const MAX_EVENTS: usize = 1_000;

/// The outcomes of a group in its order, or the fault that hit it; what is on disk is then
/// unknown, and appending again is safe (L4).
pub type Answer = Result<Vec<Outcome>, Arc<StoreError>>;

/// What became of appends that were to go in together, or the fault that hit them: as for [`Answer`].
pub type TogetherAnswer = Result<Together, Arc<StoreError>>;

/// The messages of the appender.
#[derive(Debug)]
pub enum Msg {
    /// Append these, one after the other, and answer when they are on disk.
    Append(Vec<Append>, RpcReplyPort<Answer>),
    /// Append all of these or none, and answer when they are on disk.
    Together(Vec<Append>, RpcReplyPort<TogetherAnswer>),
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
    /// Called with the number of events each transaction recorded.
    pub on_commit: Arc<dyn Fn(usize) + Send + Sync>,
}

/// What is queued and whether a transaction runs.
pub struct State {
    args: Arc<Args>,
    queue: VecDeque<(Vec<Append>, RpcReplyPort<Answer>)>,
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
            args: Arc::new(args),
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
            Msg::Append(group, reply) => {
                state.queue.push_back((group, reply));
                if !state.busy {
                    // Not at once: what is already in the mailbox shall come along.
                    state.busy = true;
                    myself.cast(Msg::Commit)?;
                }
            }
            Msg::Together(all, reply) => {
                let args = Arc::clone(&state.args);
                tokio::spawn(async move {
                    // As below: all of it is on disk then, or none, or that is unknown.
                    let _ = reply.send(args.record_together(all).await.map_err(Arc::new));
                });
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
        let mut size = 0;
        let mut appends = Vec::new();
        let mut callers = Vec::new();
        while let Some((group, _)) = self.queue.front() {
            size += events(group);
            if size > MAX_EVENTS && !callers.is_empty() {
                break;
            }
            // Unwrap safety: the front was just looked at.
            let (group, reply) = self.queue.pop_front().expect("a front");
            callers.push((group.len(), reply));
            appends.extend(group);
        }
        let (args, myself) = (Arc::clone(&self.args), myself.clone());
        tokio::spawn(async move {
            // It is on disk then, or a fault leaves that unknown. If we stop here, the callers'
            // messages are not acknowledged and come again; L4 makes the repeat harmless.
            match args.record(appends).await {
                Ok(outcomes) => {
                    let mut outcomes = outcomes.into_iter();
                    for (count, caller) in callers {
                        let _ = caller.send(Ok(outcomes.by_ref().take(count).collect()));
                    }
                }
                Err(fault) => {
                    let fault = Arc::new(fault);
                    for (_, caller) in callers {
                        let _ = caller.send(Err(Arc::clone(&fault)));
                    }
                }
            }
            let _ = myself.cast(Msg::Ended);
        });
    }
}

impl Args {
    /// Records `appends`, as a rule in one transaction.
    async fn record(&self, mut appends: Vec<Append>) -> Result<Vec<Outcome>, StoreError> {
        let mut outcomes = Vec::with_capacity(appends.len());
        while !appends.is_empty() {
            let rest = appends.split_off(fitting(&appends));
            let sizes: Vec<_> = appends.iter().map(|append| append.events.len()).collect();
            let recorded = self.store.append(appends).await?;
            self.tell(&recorded, &sizes);
            outcomes.extend(recorded);
            appends = rest;
        }
        Ok(outcomes)
    }

    /// Records all of `appends` in one transaction, or none.
    async fn record_together(&self, appends: Vec<Append>) -> Result<Together, StoreError> {
        let count = events(&appends);
        let together = self.store.append_together(appends).await?;
        if let Together::Recorded { last, .. } = together {
            self.feed.advanced_to(last);
            (self.on_commit)(count);
        }
        Ok(together)
    }

    /// Tells the feed where the log is now, and how many events went in.
    fn tell(&self, outcomes: &[Outcome], sizes: &[usize]) {
        let (mut head, mut events) = (Position::BEGINNING, 0);
        for (outcome, &size) in outcomes.iter().zip(sizes) {
            if let Outcome::Recorded { position, .. } = outcome {
                let count = i64::try_from(size).unwrap_or(i64::MAX);
                head = head.max(position.plus(count - 1));
                events += size;
            }
        }
        self.feed.advanced_to(head);
        (self.on_commit)(events);
    }
}

/// Has `group` appended and waits until it is.
///
/// # Errors
/// What hit the transaction, or the appender has stopped; see [`Answer`].
pub async fn append(appender: &ActorRef<Msg>, group: Vec<Append>) -> Answer {
    ractor::call!(appender, Msg::Append, group)
        .unwrap_or_else(|_| Err(Arc::new(StoreError::Misuse("the appender has stopped"))))
}

/// Has all of `appends` recorded, or none, and waits until they are.
///
/// # Errors
/// As for [`append`].
pub async fn append_together(appender: &ActorRef<Msg>, appends: Vec<Append>) -> TogetherAnswer {
    ractor::call!(appender, Msg::Together, appends)
        .unwrap_or_else(|_| Err(Arc::new(StoreError::Misuse("the appender has stopped"))))
}

/// Of how many appends the first transaction is made: at least one.
fn fitting(appends: &[Append]) -> usize {
    let mut size = 0;
    let fits = |append: &&Append| {
        size += append.events.len();
        size <= MAX_EVENTS
    };
    appends.iter().take_while(fits).count().max(1)
}

fn events(group: &[Append]) -> usize {
    group.iter().map(|append| append.events.len()).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use eventstore::{contract::samples, memory::MemoryStore};

    use super::*;

    #[tokio::test]
    async fn a_group_beyond_one_transaction_is_answered_once_and_in_order() {
        let store = Arc::new(MemoryStore::default());
        let feed = Feed::new(Arc::clone(&store) as Arc<dyn EventStore>);
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&sizes);
        let args = Args {
            store,
            feed: Arc::clone(&feed),
            on_commit: Arc::new(move |events| told.lock().expect("lock").push(events)),
        };
        let (appender, ended) = Actor::spawn(None, Appender, args).await.expect("starts");
        let ask = |size: usize| {
            let appender = appender.clone();
            async move {
                let group = (0..size).map(|_| samples::append(samples::fresh(), 0, 1));
                ractor::call!(appender, Msg::Append, group.collect()).expect("answered")
            }
        };
        let answers = tokio::join!(ask(1_500), ask(2), ask(1));
        let mut next = Position(1);
        for (answer, size) in [(answers.0, 1_500), (answers.1, 2), (answers.2, 1)] {
            let outcomes = answer.expect("appended");
            assert_eq!(outcomes.len(), size);
            for outcome in outcomes {
                assert!(matches!(outcome, Outcome::Recorded { position, .. } if position == next));
                next = next.next();
            }
        }
        let all = (0..1_200).map(|_| samples::append(samples::fresh(), 0, 1));
        let all = append_together(&appender, all.collect());
        let (together, after) = tokio::join!(all, ask(1));
        // Whichever of the two is first, what goes in together stands together.
        let Together::Recorded { first, last, .. } = together.expect("appended") else {
            panic!("it goes in");
        };
        assert_eq!(last, first.plus(1_199));
        assert_eq!(after.expect("appended").len(), 1);
        let sizes = sizes.lock().expect("lock").clone();
        assert_eq!(sizes[..3], [1_000, 500, 3]);
        assert_eq!(sizes.iter().sum::<usize>(), 2_704);
        assert_eq!(*feed.head().borrow(), Position(2_704));
        appender.stop(None);
        ended.await.expect("ends");
    }
}
