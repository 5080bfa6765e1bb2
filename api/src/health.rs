//! What this process knows about its own state and its dependencies.
//!
//! Dependencies decide readiness. Liveness is about progress alone: a restart does not mend a
//! database, so a dependency that is away never makes us unhealthy.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::Serialize;

/// How long one success says that Postgres can be reached.
const POSTGRES_PATIENCE: Duration = Duration::from_secs(10);

/// The state of this process; others tell it, the probes show it.
#[derive(Debug)]
pub struct Health {
    /// The connection to NATS.
    pub nats: Dependency,
    /// Postgres, by the last success.
    pub postgres: Dependency,
    /// The consumer we read receipts from.
    pub consumer: Dependency,
    hearts: Mutex<Vec<(&'static str, Duration, Instant)>>,
    stopping: std::sync::atomic::AtomicBool,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            nats: Dependency::new(None),
            postgres: Dependency::new(Some(POSTGRES_PATIENCE)),
            consumer: Dependency::new(None),
            hearts: Mutex::default(),
            stopping: false.into(),
        }
    }
}

impl Health {
    /// `loop_name` goes round, and promises to do so again within `patience`. Without that the
    /// process counts as stuck. The first beat makes the promise.
    pub fn beat(&self, loop_name: &'static str, patience: Duration) {
        let mut hearts = self.hearts.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match hearts.iter_mut().find(|(name, ..)| *name == loop_name) {
            Some(heart) => *heart = (loop_name, patience, now),
            None => hearts.push((loop_name, patience, now)),
        }
    }

    /// `loop_name` has ended as it should, or waits for something that may take for ever.
    pub fn rest(&self, loop_name: &'static str) {
        let mut hearts = self.hearts.lock().unwrap_or_else(PoisonError::into_inner);
        hearts.retain(|(name, ..)| *name != loop_name);
    }

    /// The names of loops that broke their promise. None means that progress is possible.
    #[must_use]
    pub fn stuck(&self) -> Vec<&'static str> {
        let hearts = self.hearts.lock().unwrap_or_else(PoisonError::into_inner);
        let stuck = hearts
            .iter()
            .filter(|(_, patience, beat)| beat.elapsed() > *patience);
        stuck.map(|(name, ..)| *name).collect()
    }

    /// Says that we take nothing new any more.
    pub fn set_stopping(&self) {
        self.stopping
            .store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// Whether new work may be sent here.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.stopping.load(std::sync::atomic::Ordering::Relaxed)
            && self.nats.is_up()
            && self.postgres.is_up()
            && self.consumer.is_up()
    }

    /// Everything, for the probes' answers.
    #[must_use]
    pub fn report(&self) -> Report {
        Report {
            ready: self.is_ready(),
            stopping: self.stopping.load(std::sync::atomic::Ordering::Relaxed),
            stuck: self.stuck(),
            nats: self.nats.report(),
            postgres: self.postgres.report(),
            consumer: self.consumer.report(),
        }
    }
}

/// What a probe answers.
#[derive(Debug, Serialize)]
pub struct Report {
    ready: bool,
    stopping: bool,
    stuck: Vec<&'static str>,
    nats: DependencyReport,
    postgres: DependencyReport,
    consumer: DependencyReport,
}

/// Something we need and do not control.
#[derive(Debug)]
pub struct Dependency {
    state: Mutex<State>,
    /// How long a success counts; for ever if none.
    patience: Option<Duration>,
}

#[derive(Debug)]
struct State {
    up: bool,
    detail: &'static str,
    since: Instant,
    told: Instant,
}

impl Dependency {
    fn new(patience: Option<Duration>) -> Self {
        let now = Instant::now();
        let state = State {
            up: false,
            detail: "not seen yet",
            since: now,
            told: now,
        };
        Self {
            state: Mutex::new(state),
            patience,
        }
    }

    /// It works.
    pub fn good(&self) {
        self.tell(true, "up");
    }

    /// It does not work; `detail` is one of our own words.
    pub fn bad(&self, detail: &'static str) {
        self.tell(false, detail);
    }

    fn tell(&self, up: bool, detail: &'static str) {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let since = if state.up == up { state.since } else { now };
        *state = State {
            up,
            detail,
            since,
            told: now,
        };
    }

    /// Whether it works, as far as we know.
    #[must_use]
    pub fn is_up(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.up
            && self
                .patience
                .is_none_or(|patience| state.told.elapsed() <= patience)
    }

    fn report(&self) -> DependencyReport {
        let up = self.is_up();
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let detail = if state.up && !up {
            "not heard of lately"
        } else {
            state.detail
        };
        DependencyReport {
            up,
            detail,
            for_seconds: state.since.elapsed().as_secs(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DependencyReport {
    up: bool,
    detail: &'static str,
    for_seconds: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well() -> Health {
        let health = Health::default();
        health.nats.good();
        health.postgres.good();
        health.consumer.good();
        health
    }

    #[test]
    fn readiness_needs_every_dependency() {
        assert!(
            !Health::default().is_ready(),
            "nothing is known at the start"
        );
        assert!(well().is_ready());
        for spoil in [
            |health: &Health| health.nats.bad("away"),
            |health: &Health| {
                health.postgres.bad("away");
            },
            |health: &Health| health.consumer.bad("missing"),
            Health::set_stopping,
        ] {
            let health = well();
            spoil(&health);
            assert!(!health.is_ready());
            assert!(
                health.stuck().is_empty(),
                "and that is no reason to restart"
            );
        }
    }

    #[test]
    fn a_success_of_long_ago_says_nothing() {
        let dependency = Dependency::new(Some(Duration::ZERO));
        dependency.good();
        std::thread::sleep(Duration::from_millis(2));
        assert!(!dependency.is_up());
        assert_eq!(dependency.report().detail, "not heard of lately");
    }

    #[test]
    fn a_loop_that_breaks_its_promise_is_stuck() {
        let health = Health::default();
        health.beat("intake", Duration::from_mins(1));
        health.beat("appender", Duration::ZERO);
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(health.stuck(), ["appender"]);
        health.rest("appender");
        assert!(health.stuck().is_empty());
    }
}
