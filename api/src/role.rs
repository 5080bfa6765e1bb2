//! What a process can be. One file per role.

pub mod billing;
mod client;
pub mod dev;
pub mod dlr;
pub mod erasure;
pub mod keys;
pub mod migrate;
pub mod provision;
pub mod reconcile;
pub mod replay_intake;
pub mod republish;
pub mod reveal;
pub mod schema;
pub mod sheets;
pub mod statement;

use std::{
    fmt::Display,
    io::{self, Write},
    path::PathBuf,
};

use crate::{
    cli::Role,
    config::ConfigError,
    database::DatabaseError,
    dev::SigningError,
    nats::{NatsError, provision::ProvisionError},
    service::Died,
    shutdown::Shutdown,
    start::StartError,
};

/// Why a role ended without having done its work.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The process could not be set up.
    #[error("starting the process")]
    Runtime(#[source] std::io::Error),
    /// A service did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// NATS is not there or not as it must be.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// Postgres is not there or not as it must be.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A stream or consumer could not be made.
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    /// The database could not be migrated.
    #[error("migrating the database")]
    Migrate(#[source] eventstore::migrate::MigrateError),
    /// Orphans could not be matched.
    #[error(transparent)]
    Reconcile(#[from] actors::services::dlr::ReconcileError),
    /// Settlements could not be announced again.
    #[error(transparent)]
    Republish(#[from] projections::receipts::republish::AgainError),
    /// Data keys could not be wrapped anew.
    #[error("wrapping data keys anew")]
    Rewrap(#[from] eventstore::postgres::RewrapError),
    /// Data keys do not open, so they are under the version they were under.
    #[error(
        "{0} data keys do not open and stayed as they are; see docs/runbooks/data-key-locked.md"
    )]
    StayedLocked(usize),
    /// A tenant could not be erased, or is not known to be.
    #[error(transparent)]
    Erasure(#[from] erasure::ErasureError),
    /// Nothing was opened for a person.
    #[error("revealing personal data")]
    Reveal(#[from] actors::access::reveal::RevealError),
    /// Which stream an orphan is in could not be read.
    #[error("looking for the orphan")]
    FindOrphan(#[from] projections::ReadError),
    /// Some of what was asked for cannot be read. That it was asked for is recorded.
    #[error("{0} values cannot be read; why is said beside each")]
    NotRevealed(usize),
    /// The API could not do what was asked.
    #[error(transparent)]
    Api(#[from] client::ApiError),
    /// Lines of a sheet are refused. Nothing of it is applied.
    #[error("{0} refusals; nothing is applied")]
    LinesRefused(u64),
    /// A schema file could not be written or read.
    #[error("schema file {path}")]
    SchemaFile {
        /// The file as it was named.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A committed schema is not the one this program has.
    #[error("{path} differs; `tollbook schema --write` makes it right")]
    SchemaDiffers {
        /// The file as it was named.
        path: PathBuf,
    },
    /// A key or a token could not be made.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// A file of `dev` could not be read or written.
    #[error("file {path}")]
    DevFile {
        /// The file as it was named.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A part of the service died.
    #[error(transparent)]
    Died(#[from] Died),
    /// Work was left when the time to finish it had passed. It will be delivered again.
    #[error("stopping: not everything was finished in time")]
    NotDrained,
    /// A second signal ended the process before its work was finished.
    #[error("stopping: forced by a second signal")]
    Forced,
}

/// Does what `role` says.
///
/// # Errors
/// It could not.
pub async fn run(role: Role, shutdown: Shutdown) -> Result<(), RoleError> {
    match role {
        Role::Dlr(settings) => dlr::run(*settings, shutdown).await,
        Role::Billing(settings) => Box::pin(billing::run(*settings, shutdown)).await,
        Role::Reconcile(settings) => reconcile::run(*settings, shutdown).await,
        Role::Republish(settings) => republish::run(&settings).await,
        Role::ReplayIntake(settings) => Box::pin(replay_intake::run(*settings, shutdown)).await,
        Role::Erasure(settings) => erasure::run(&settings).await,
        Role::Provision(settings) => provision::run(&settings).await,
        Role::Migrate(settings) => migrate::run(&settings).await,
        Role::Keys(settings) => keys::run(&settings.command).await,
        Role::Reveal(settings) => reveal::run(settings).await,
        Role::Prices(settings) => sheets::run(sheets::Kind::Prices, &settings).await,
        Role::Costs(settings) => sheets::run(sheets::Kind::Costs, &settings).await,
        Role::Statement(settings) => statement::run(&settings).await,
        Role::Schema(settings) => schema::run(&settings),
        Role::Dev(settings) => dev::run(&settings.command),
    }
}

/// Tells a person what was done. Nothing depends on somebody listening.
fn say(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}
