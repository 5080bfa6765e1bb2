//! `stack up`: Postgres and NATS until somebody says stop. `./dev up` runs it in the background.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process,
};

use tokio::signal::unix::{SignalKind, signal};

use super::{
    error::{Attempt, Result},
    nats::{Nats, NatsOptions},
    postgres::{PgOptions, PgVersion, Postgres},
};

/// The database that `./dev up` makes.
const DATABASE: &str = "tollbook";

/// What `stack up` can be told.
#[derive(Clone, Debug, clap::Args)]
pub struct UpArgs {
    /// Where the variables are written once all servers answer; removed at the end.
    #[arg(long)]
    env_file: PathBuf,
}

/// Starts the servers, writes how to reach them, and waits for SIGTERM or Ctrl-C.
///
/// # Errors
/// A server does not start, or the file cannot be written.
pub async fn up(args: UpArgs) -> Result<()> {
    let mut term = signal(SignalKind::terminate()).attempt(|| "listening for SIGTERM".into())?;
    let mut int = signal(SignalKind::interrupt()).attempt(|| "listening for Ctrl-C".into())?;
    let (postgres, nats) = tokio::try_join!(
        Postgres::start(PgVersion::V18, PgOptions::default()),
        Nats::start(NatsOptions::default()),
    )?;
    postgres.create_database(DATABASE, None).await?;
    publish(&args.env_file, &variables(&postgres, &nats))?;
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    // The file goes last: who waits for its absence knows that nothing is left.
    let stopped = tokio::try_join!(postgres.stop(), nats.stop());
    fs::remove_file(&args.env_file).attempt(|| format!("removing {}", args.env_file.display()))?;
    stopped.map(drop)
}

/// The variables a person needs, one a line.
fn variables(postgres: &Postgres, nats: &Nats) -> String {
    let lines = [
        ("TOLLBOOK_STACK_PID", process::id().to_string()),
        ("DATABASE_URL", postgres.admin_url(DATABASE)),
        ("NATS_URL", nats.url("tollbook-admin")),
        ("NATS_URL_DLR", nats.url("dlr-processor")),
        ("NATS_URL_BILLING", nats.url("billing-service")),
        ("NATS_URL_CONNECTOR", nats.url("smpp-connector")),
    ];
    lines
        .map(|(name, value)| format!("{name}={value}\n"))
        .concat()
}

/// Writes the file for our own user, whole or not at all: its presence says that all is ready.
fn publish(path: &Path, text: &str) -> Result<()> {
    let fresh = path.with_extension("fresh");
    let attempt = || format!("writing {}", path.display());
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&fresh).attempt(attempt)?;
    file.write_all(text.as_bytes()).attempt(attempt)?;
    fs::rename(&fresh, path).attempt(attempt)
}
