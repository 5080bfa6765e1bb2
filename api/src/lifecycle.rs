//! From start to exit code: signals, two steps of stopping, telemetry flushed whatever happened.

use std::{future::Future, process::ExitCode, time::Duration};

use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::{
    cli::{Cli, Role},
    config::ConfigError,
    role::{self, RoleError},
    telemetry::{Telemetry, logs},
};

/// How long a soft stop may take: no new work, finish what was begun.
pub const DRAIN: Duration = Duration::from_secs(10);
/// How long tasks that ignore the end may hold it up.
const LEFTOVERS: Duration = Duration::from_secs(1);

/// How far stopping has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nobody asked to stop.
    Running,
    /// Take nothing new, finish what was begun.
    Soft,
    /// Now.
    Hard,
}

/// Tells everyone when to stop. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shutdown {
    stage: watch::Sender<Stage>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self {
            stage: watch::Sender::new(Stage::Running),
        }
    }
}

impl Shutdown {
    /// Goes one step further: from running to soft, from soft to hard.
    pub fn advance(&self) {
        self.stage.send_modify(|stage| {
            *stage = if *stage == Stage::Running {
                Stage::Soft
            } else {
                Stage::Hard
            };
        });
    }

    /// Asks for a soft stop, unless stopping has begun.
    pub fn request(&self) {
        self.stage.send_if_modified(|stage| {
            let running = *stage == Stage::Running;
            *stage = (*stage).max(Stage::Soft);
            running
        });
    }

    /// Returns when it is time to take nothing new.
    pub async fn soft(&self) {
        self.reached(Stage::Soft).await;
    }

    /// Returns when everything must end.
    pub async fn hard(&self) {
        self.reached(Stage::Hard).await;
    }

    /// How far stopping has gone, for waiting on.
    #[must_use]
    pub fn stage(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }

    async fn reached(&self, wanted: Stage) {
        let mut stage = self.stage.subscribe();
        // The sender lives as long as we do, so this waits and does not fail.
        let _ = stage.wait_for(|stage| *stage >= wanted).await;
    }

    /// Lets SIGTERM and SIGINT advance it.
    fn listen(&self) -> std::io::Result<()> {
        let mut term = signal(SignalKind::terminate())?;
        let mut int = signal(SignalKind::interrupt())?;
        let shutdown = self.clone();
        tokio::spawn(async move {
            loop {
                let signal = tokio::select! {
                    _ = term.recv() => "SIGTERM",
                    _ = int.recv() => "SIGINT",
                };
                shutdown.advance();
                tracing::info!(event = "service.stopping", signal);
            }
        });
        Ok(())
    }
}

/// Runs what the command line asked for and says truly how it went.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    logs::tell_panics();
    let runtime = match runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&RoleError::Runtime(error)),
    };
    let telemetry = match start_telemetry(&cli, runtime.handle()) {
        Ok(telemetry) => telemetry,
        Err(error) => return misconfigured(&error),
    };
    let outcome = runtime.block_on(async {
        let shutdown = Shutdown::default();
        shutdown.listen().map_err(RoleError::Runtime)?;
        let work = Box::pin(role::run(cli.role, shutdown.clone()));
        until_stopped(work, &shutdown, DRAIN).await
    });
    let code = match &outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(RoleError::Config(error)) => misconfigured(error),
        Err(error) => failed(error),
    };
    if let Some(telemetry) = telemetry {
        telemetry.finish();
    }
    runtime.shutdown_timeout(LEFTOVERS);
    code
}

/// Tells a mistake in the configuration, or answers `--help`, and says how that went.
#[must_use]
pub fn misconfigured(error: &ConfigError) -> ExitCode {
    if let ConfigError::CommandLine(question) = error
        && !question.use_stderr()
    {
        // Nobody is left to be told that stdout is closed.
        let _ = question.print();
        return ExitCode::SUCCESS;
    }
    eprintln!("tollbook: {error}");
    ExitCode::from(2)
}

fn failed(error: &RoleError) -> ExitCode {
    let error = eventstore::log::chain(error);
    tracing::error!(event = "service.failed", error);
    eprintln!("tollbook: {error}");
    ExitCode::FAILURE
}

/// Services log; commands print.
fn start_telemetry(cli: &Cli, runtime: &runtime::Handle) -> Result<Option<Telemetry>, ConfigError> {
    match &cli.role {
        Role::Dlr(settings) | Role::Reconcile(settings) => {
            Telemetry::start(&settings.telemetry, cli.role.service(), runtime).map(Some)
        }
        Role::ReplayIntake(settings) => {
            Telemetry::start(&settings.dlr.telemetry, cli.role.service(), runtime).map(Some)
        }
        Role::Billing(settings) => {
            Telemetry::start(&settings.telemetry, cli.role.service(), runtime).map(Some)
        }
        Role::Republish(_)
        | Role::Provision(_)
        | Role::Migrate(_)
        | Role::Schema(_)
        | Role::Dev(_) => Ok(None),
    }
}

/// Runs `work` until it ends, or until it should have ended: `drain` after a soft stop, or at
/// once at a hard one.
async fn until_stopped(
    work: impl Future<Output = Result<(), RoleError>>,
    shutdown: &Shutdown,
    drain: Duration,
) -> Result<(), RoleError> {
    let too_long = async {
        shutdown.soft().await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        outcome = work => outcome,
        () = shutdown.hard() => Err(RoleError::Forced),
        () = too_long => Err(RoleError::NotDrained),
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn stopping_goes_step_by_step() {
        let shutdown = Shutdown::default();
        let stage = shutdown.stage();
        shutdown.request();
        shutdown.request();
        assert_eq!(*stage.borrow(), Stage::Soft, "asking twice is not more");
        shutdown.soft().await;
        shutdown.advance();
        shutdown.hard().await;
    }

    #[tokio::test]
    async fn work_that_drains_in_time_ends_well() {
        let shutdown = Shutdown::default();
        let work = async {
            shutdown.soft().await;
            Ok(())
        };
        shutdown.request();
        assert!(until_stopped(work, &shutdown, DRAIN).await.is_ok());
    }

    #[tokio::test]
    async fn work_that_does_not_end_is_ended_and_that_is_no_success() {
        let shutdown = Shutdown::default();
        shutdown.request();
        let outcome = until_stopped(pending(), &shutdown, Duration::from_millis(1)).await;
        assert!(matches!(outcome, Err(RoleError::NotDrained)));
        shutdown.advance();
        let outcome = until_stopped(pending(), &shutdown, DRAIN).await;
        assert!(matches!(outcome, Err(RoleError::Forced)));
    }
}
