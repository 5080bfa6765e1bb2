//! `stack up`: a world with both services until somebody says stop. `./dev up` runs it in the
//! background, and whoever takes over its variables can use it or run further services in it.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process,
};

use tokio::signal::unix::{SignalKind, signal};

use crate::world::{self, DATABASE, Fault, Service, World, WorldOptions};

/// The users of NATS beside that of `tollbook dlr`, and what their variables begin with.
const OTHER_USERS: [(&str, &str); 3] = [
    ("ADMIN", "tollbook-admin"),
    ("BILLING", "billing-service"),
    ("CONNECTOR", "smpp-connector"),
];

/// What `stack up` can be told.
#[derive(Clone, Debug, clap::Args)]
pub struct UpArgs {
    /// Where the variables are written once all servers answer; removed at the end.
    #[arg(long)]
    env_file: PathBuf,
}

/// Starts the servers, migrates, provisions, starts both services, writes how to reach them, and waits for SIGTERM or
/// Ctrl-C.
///
/// # Errors
/// A server does not start, or the file cannot be written.
pub async fn up(args: UpArgs) -> Result<(), Fault> {
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    let world = World::start(WorldOptions::default()).await?;
    let services = [world.service(&[]).await?, world.billing(&[]).await?];
    publish(&args.env_file, &variables(&world, &services[1]).await?)?;
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    for service in services {
        service.terminate().await?;
    }
    // The file goes last: who waits for its absence knows that nothing is left.
    let stopped = world.stop().await;
    fs::remove_file(&args.env_file)?;
    stopped
}

/// The variables a person needs, one a line: first what `tollbook dlr` takes, then the rest.
async fn variables(world: &World, billing: &Service) -> Result<String, Fault> {
    let service = world.variables("dlr-processor", "dlr_svc");
    let key_file = world.tokens().await?.key_file();
    let identity = world.billing_variables().await?.into_iter();
    let identity = identity.filter(|(name, _)| name.starts_with("JWT_"));
    let others = [
        ("TOLLBOOK_STACK_PID", process::id().to_string()),
        ("TOLLBOOK", world::binary()?.display().to_string()),
        ("BILLING_URL", format!("http://{}", billing.rest_address())),
        ("JWT_KEY_FILE", key_file.display().to_string()),
        ("ADMIN_DATABASE_URL", world.postgres.admin_url(DATABASE)),
        (
            "AUDITOR_DATABASE_URL",
            world.postgres.url("auditor", DATABASE),
        ),
        (
            "BILLING_DATABASE_URL",
            world.postgres.url("billing_svc", DATABASE),
        ),
    ];
    let all = service.into_iter().chain(identity).chain(others);
    let all = all.map(|(name, value)| (name.to_owned(), value));
    let users = OTHER_USERS.into_iter().flat_map(|(prefix, user)| {
        let variables = world.variables(user, "postgres").into_iter();
        let variables = variables.filter(|(name, _)| name.starts_with("NATS_"));
        variables.map(move |(name, value)| (format!("{prefix}_{name}"), value))
    });
    Ok(all.chain(users).fold(String::new(), |text, (name, value)| {
        text + &name + "=" + &value + "\n"
    }))
}

/// Writes the file for our own user, whole or not at all: its presence says that all is ready.
fn publish(path: &Path, text: &str) -> Result<(), Fault> {
    let fresh = path.with_extension("fresh");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(&fresh)?.write_all(text.as_bytes())?;
    Ok(fs::rename(&fresh, path)?)
}
