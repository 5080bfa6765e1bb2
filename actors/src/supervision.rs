//! What happens when a part of the service dies: one pure match, no surprises.
//!
//! All memory of actors can be rebuilt from the log, so there is one answer to almost everything:
//! take the part down and build it anew after a pause. The part is the pull from NATS where that
//! fails, which leaves the actors alone, and else the whole tree. Streams and tenants are the
//! exception; their directory forgets a dead actor and the others go on.

use std::{future::Future, time::Duration};

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
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Leave it.
    Finish,
    /// Build it anew after this pause.
    RestartAfter(Duration),
}

/// What follows from `exit` after `in_a_row` failures without a quiet minute in between.
#[must_use]
pub fn after(exit: Exit, in_a_row: u32) -> Action {
    match exit {
        Exit::Stopped => Action::Finish,
        Exit::IntakeFailed | Exit::ActorFailed => {
            let pause = PAUSE_FIRST.saturating_mul(2_u32.saturating_pow(in_a_row.min(16)));
            Action::RestartAfter(pause.min(PAUSE_MAX))
        }
    }
}

/// Lets `part` live until `stop` turns true; whenever it ends before, it is built anew.
pub(crate) async fn keep_alive<F: Future<Output = Exit>>(
    part: &'static str,
    mut stop: watch::Receiver<bool>,
    live: impl Fn(watch::Receiver<bool>) -> F,
) {
    let mut in_a_row = 0;
    loop {
        let born = Instant::now();
        let exit = live(stop.clone()).await;
        if born.elapsed() > QUIET {
            in_a_row = 0;
        }
        let exit = if *stop.borrow() { Exit::Stopped } else { exit };
        match after(exit, in_a_row) {
            Action::Finish => return,
            Action::RestartAfter(pause) => {
                tracing::warn!(event = "service.restarting", part, cause = ?exit, after = ?pause);
                let _ = tokio::time::timeout(pause, stop.wait_for(|stop| *stop)).await;
            }
        }
        in_a_row += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_a_stop() {
        assert_eq!(after(Exit::Stopped, 7), Action::Finish);
    }

    #[test]
    fn failures_restart_later_each_time_and_never_give_up() {
        let pauses: Vec<_> = [0, 1, 2, 20, u32::MAX]
            .into_iter()
            .map(|in_a_row| after(Exit::ActorFailed, in_a_row))
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
}
