//! What happens when a part of the service dies: one pure match, no surprises.
//!
//! All memory of actors can be rebuilt from the log, so there is one answer to almost everything:
//! take the part down and build it anew after a pause. The part is the pull from NATS where that
//! fails, which leaves the actors alone, and else the whole tree. Streams and tenants are the
//! exception; their directory forgets a dead actor and the others go on.

use std::{
    collections::hash_map::RandomState,
    future::{Future, pending},
    hash::BuildHasher as _,
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

/// A pause that doubles with each failure in a row never exceeds this.
pub const PAUSE_MAX: Duration = Duration::from_secs(30);
const PAUSE_FIRST: Duration = Duration::from_millis(200);
/// A part that lived this long had a quiet time.
const QUIET: Duration = Duration::from_mins(1);

/// How a part came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Somebody asked for it.
    Stopped,
    /// NATS: the pull ended, the consumer is gone, or the connection is.
    IntakeFailed,
    /// An actor panicked or returned an error: its memory cannot be trusted.
    ActorFailed,
    /// The log is not the one that the actors remember.
    LogReplaced,
}

/// What a supervisor does about an exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Leave it.
    Finish,
    /// Build it anew after this pause.
    RestartAfter(Duration),
}

/// What follows from `exit` after `in_a_row` failures without a quiet minute in between. `chance`
/// takes up to half of a pause away, so that processes that failed together do not come back in
/// step.
#[must_use]
pub fn after(exit: Exit, in_a_row: u32, chance: u32) -> Action {
    match exit {
        Exit::Stopped => Action::Finish,
        Exit::IntakeFailed | Exit::ActorFailed | Exit::LogReplaced => {
            let pause = PAUSE_FIRST.saturating_mul(2_u32.saturating_pow(in_a_row.min(16)));
            let whole = pause.min(PAUSE_MAX);
            Action::RestartAfter(whole / 2 + whole / 2 * (1_024 - chance % 1_024) / 1_024)
        }
    }
}

/// Lets `part` live until `stop` turns true; whenever it ends before, it is built anew.
pub(crate) async fn keep_alive<F: Future<Output = Exit>>(
    part: &'static str,
    stop: watch::Receiver<bool>,
    live: impl Fn(watch::Receiver<bool>) -> F,
) {
    keep_alive_and_wake(part, stop, live, pending).await;
}

/// The same; a pause ends early when `wake` returns.
pub(crate) async fn keep_alive_and_wake<F: Future<Output = Exit>, W: Future<Output = ()>>(
    part: &'static str,
    mut stop: watch::Receiver<bool>,
    live: impl Fn(watch::Receiver<bool>) -> F,
    wake: impl Fn() -> W,
) {
    let mut in_a_row = 0;
    loop {
        let born = Instant::now();
        let exit = live(stop.clone()).await;
        if born.elapsed() > QUIET {
            in_a_row = 0;
        }
        let exit = if *stop.borrow() { Exit::Stopped } else { exit };
        match after(exit, in_a_row, chance()) {
            Action::Finish => return,
            Action::RestartAfter(pause) => {
                tracing::warn!(event = "service.restarting", part, cause = ?exit, after = ?pause);
                tokio::select! {
                    _ = stop.wait_for(|stop| *stop) => {}
                    () = wake() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
        in_a_row += 1;
    }
}

/// Something that differs between processes: the standard library's hasher is keyed by chance.
fn chance() -> u32 {
    let hash = RandomState::new().hash_one(0);
    u32::try_from(hash >> 32).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::runtime::pulse::Pulse;

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
}
