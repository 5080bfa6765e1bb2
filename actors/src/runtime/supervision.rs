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

use ractor::ActorId;
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

/// Tells that an actor has died. Not of what: the cause of a panic is its message, which may hold
/// anything; the panic hook has told its place. An actor that does not panic dies of nothing but
/// the end of its directory.
pub(crate) fn tell_death(actor: ActorId) {
    tracing::error!(event = "actor.failed", %actor);
}

/// Something that differs between processes: the standard library's hasher is keyed by chance.
fn chance() -> u32 {
    let hash = RandomState::new().hash_one(0);
    u32::try_from(hash >> 32).unwrap_or_default()
}

#[cfg(test)]
mod tests;
