//! `stack`: what `./dev` runs after it has fetched the servers and built the workspace.

use std::{error::Error, process::ExitCode};

use clap::{Parser, Subcommand};
use tests::{
    bench::{self, Bench},
    demo, up,
};

/// The service's own, so that what a bench runs in this process runs as it would there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Tollbook's development tool; run it as `./dev <command>`.
#[derive(Debug, Parser)]
#[command(name = "./dev", bin_name = "./dev", about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Postgres and NATS until SIGTERM or Ctrl-C (`./dev up` runs this in the background).
    Up(up::UpArgs),
    /// The main job on realistic traffic; exit 0 only if the books balance.
    Demo(demo::DemoArgs),
    /// How fast it is.
    #[command(subcommand)]
    Bench(Bench),
}

#[tokio::main]
async fn main() -> ExitCode {
    let done: Result<(), Box<dyn Error>> = match Args::parse().command {
        Command::Demo(args) => match demo::demo(args).await {
            Ok(true) => Ok(()),
            Ok(false) => return ExitCode::FAILURE,
            Err(fault) => Err(fault as Box<dyn Error>),
        },
        Command::Bench(bench) => bench::run(bench).await.map_err(|fault| fault as _),
        Command::Up(args) => up::up(args).await.map_err(|fault| fault as _),
    };
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(source) = cause {
        eprintln!("  because: {source}");
        cause = source.source();
    }
    ExitCode::FAILURE
}
