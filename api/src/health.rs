//! What this process knows about its own state and its dependencies.
//!
//! Dependencies decide readiness. Liveness is that the process answers at all: a restart does not
//! mend a database, and a part that dies for good ends the process by itself.

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
    /// The consumer we read from.
    pub consumer: Dependency,
    /// Whether our intake pulls from it.
    pub intake: Dependency,
    /// Whether what we ask of tables, ours and others', can be answered.
    pub questions: Dependency,
    stopping: std::sync::atomic::AtomicBool,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            nats: Dependency::new(None),
            postgres: Dependency::new(Some(POSTGRES_PATIENCE)),
            consumer: Dependency::new(None),
            intake: Dependency::new(None),
            questions: Dependency::new(Some(POSTGRES_PATIENCE)),
            stopping: false.into(),
        }
    }
}

impl Health {
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
            && self.intake.is_up()
            && self.questions.is_up()
    }

    /// Everything, for the probes' answers.
    #[must_use]
    pub fn report(&self) -> Report {
        Report {
            ready: self.is_ready(),
            stopping: self.stopping.load(std::sync::atomic::Ordering::Relaxed),
            nats: self.nats.report(),
            postgres: self.postgres.report(),
            consumer: self.consumer.report(),
            intake: self.intake.report(),
            questions: self.questions.report(),
        }
    }
}

/// What a probe answers, as JSON.
#[derive(Debug, Serialize)]
pub struct Report {
    ready: bool,
    stopping: bool,
    nats: DependencyReport,
    postgres: DependencyReport,
    consumer: DependencyReport,
    intake: DependencyReport,
    questions: DependencyReport,
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
    pub(crate) fn new(patience: Option<Duration>) -> Self {
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
        health.intake.good();
        health.questions.good();
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
            |health: &Health| health.intake.bad("does not pull"),
            |health: &Health| health.questions.bad("fail"),
            Health::set_stopping,
        ] {
            let health = well();
            spoil(&health);
            assert!(!health.is_ready());
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
}
