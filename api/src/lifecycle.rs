//! From start to exit code: signals, stopping in time, telemetry flushed whatever happened.

use std::{future::Future, process::ExitCode, time::Duration};

use tokio::runtime;

use crate::{
    cli::Cli,
    config::ConfigError,
    role::{self, RoleError},
    shutdown::Shutdown,
    start::StartError,
    telemetry::{Telemetry, logs},
};

/// How long a soft stop may take: no new work, finish what was begun.
pub const DRAIN: Duration = Duration::from_secs(10);
/// How long tasks that ignore the end may hold it up.
const LEFTOVERS: Duration = Duration::from_secs(1);

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
        Err(RoleError::Config(error) | RoleError::Start(StartError::Config(error))) => {
            misconfigured(error)
        }
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
    let Some(settings) = cli.role.telemetry() else {
        return Ok(None);
    };
    let options = settings.options(cli.role.service())?;
    Telemetry::start(options, runtime).map(Some)
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
