//! What follows from a death, and what is told of it.

use std::{
    fmt::{self, Write as _},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use eventstore::{EventData, RecordedEvent, memory::MemoryStore};
use schema::{Event, Personal, StreamId};
use tracing::{Metadata, field::Field, span};
use uuid::Uuid;

use super::*;
use crate::{
    fixture::Actors,
    runtime::{
        decider::{Command, Decider, Decision, EventPlace},
        directory,
        pulse::Pulse,
    },
};

#[test]
fn a_stop_is_a_stop() {
    assert_eq!(after(Exit::Stopped, 7, 0), Action::Finish);
}

#[test]
fn failures_restart_later_each_time_and_never_give_up() {
    let pauses: Vec<_> = [0, 1, 2, 20, u32::MAX]
        .into_iter()
        .map(|in_a_row| after(Exit::ActorFailed, in_a_row, 0))
        .collect();
    let millis = |millis| Action::RestartAfter(Duration::from_millis(millis));
    assert_eq!(
        pauses,
        [
            millis(200),
            millis(400),
            millis(800),
            millis(30_000),
            millis(30_000)
        ]
    );
}
#[test]
fn processes_that_failed_together_do_not_come_back_in_step() {
    let pauses = [0, 1, 512, 1_023].map(|chance| after(Exit::IntakeFailed, 6, chance));
    let whole = PAUSE_FIRST * 64;
    for pause in pauses {
        let Action::RestartAfter(pause) = pause else {
            panic!("it restarts")
        };
        assert!((whole / 2..=whole).contains(&pause), "{pause:?}");
    }
    assert_ne!(pauses[1], pauses[2]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_ends_as_soon_as_it_is_worth_trying_again() {
    let (_end, stop) = watch::channel(false);
    let lives = AtomicU32::new(0);
    let pulse = Pulse::default();
    let live = |_| async {
        lives.fetch_add(1, Ordering::Relaxed);
        Exit::IntakeFailed
    };
    let keeping = keep_alive_and_wake("test", stop, live, || pulse.back());
    let waking = async {
        // Far less than the pauses together.
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            pulse.wake();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    tokio::select! {
        () = keeping => panic!("nobody stopped it"),
        () = waking => {}
    }
    assert_eq!(lives.load(Ordering::Relaxed), 11);
}

/// Remembers what is logged on this thread, every field of it.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<String>>);

impl tracing::Subscriber for Paper {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut paper = self.0.lock().expect("not poisoned");
        event.record(&mut |field: &Field, value: &dyn fmt::Debug| {
            let _ = write!(paper, "{}={value:?} ", field.name());
        });
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// Says the number that it is about, and dies of it.
#[derive(Debug)]
struct Blurted(Personal);

struct Blurting;

impl Decider for Blurting {
    type State = ();
    type Command = Blurted;
    type Refusal = std::convert::Infallible;

    fn fold((): &mut (), _: &RecordedEvent) {}

    fn decide((): &(), command: &Blurted) -> Result<Decision, Self::Refusal> {
        panic!("no such number: {}", command.0.expose());
    }

    fn is_finished((): &()) -> bool {
        false
    }
}

impl Command for Blurted {
    fn record(&self, _: EventPlace, _: Event) -> EventData {
        unreachable!("nothing is decided")
    }
}

#[tokio::test]
async fn an_actor_that_dies_does_not_say_in_the_log_what_its_panic_said() {
    const NUMBER: &str = "+99900000123456";
    let paper = Paper::default();
    let _here = tracing::subscriber::set_default(paper.clone());
    let actors = Actors::on(Arc::new(MemoryStore::default())).await;
    let directory = directory::open::<Blurting>(&actors.log, 10, actors.root());
    let directory = directory.await.expect("starts");
    let stream = StreamId::access(Uuid::from_u128(1));
    let command = Blurted(Personal::new(NUMBER.to_owned()));
    assert!(directory::ask(&directory, stream, command).await.is_none());
    // The death is told when the directory hears of it.
    while !paper
        .0
        .lock()
        .expect("not poisoned")
        .contains("actor.failed")
    {
        tokio::task::yield_now().await;
    }
    actors.stop().await;
    let said = paper.0.lock().expect("not poisoned").clone();
    assert!(!said.contains(NUMBER), "{said}");
}
