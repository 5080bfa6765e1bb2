//! The one binary: reads the configuration, runs a role, says truly how it went.

use std::process::ExitCode;

use api::{cli::Cli, config, lifecycle};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match config::load::<Cli>(std::env::args_os()) {
        Ok(cli) => lifecycle::run(cli),
        Err(error) => lifecycle::misconfigured(&error),
    }
}
