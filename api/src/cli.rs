//! The command line: one role per process.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::{
    settings::{
        DatabaseSettings, MasterKeySettings, NatsSettings, ProbeSettings, ReceiptSettings,
        TelemetrySettings,
    },
    values,
};

/// Every receipt heard and every charge made is an event in an append-only log.
///
/// Settings come from the command line, then the environment, then the file, then the defaults
/// shown by `tollbook <ROLE> --help`. In the file a setting has the name of its variable in lower
/// case, for example `dlr_grace = "5s"`. Exit codes: 0 done, 1 failed, 2 wrong configuration.
#[derive(Debug, Clone, Parser)]
#[command(name = "tollbook", version)]
pub struct Cli {
    /// TOML file with settings
    #[arg(long, env = "TOLLBOOK_CONFIG", value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// What this process is.
    #[command(subcommand)]
    pub role: Role,
}

/// What a process can be.
#[derive(Debug, Clone, Subcommand)]
pub enum Role {
    /// Takes in delivery receipts, records and publishes them
    Dlr(Box<DlrSettings>),
    /// Matches orphaned receipts again, once
    Reconcile(Box<DlrSettings>),
    /// Creates or updates the NATS streams and consumers
    Provision(ProvisionSettings),
    /// Brings the database up to date
    Migrate(MigrateSettings),
    /// Prints, writes or checks the JSON Schemas of everything stored or sent
    Schema(SchemaSettings),
}

impl Role {
    /// The name that logs and traces carry unless `SERVICE_NAME` says otherwise.
    #[must_use]
    pub const fn service(&self) -> &'static str {
        match self {
            Self::Dlr(_) => "dlr-processor",
            Self::Reconcile(_) => "tollbook-reconcile",
            Self::Provision(_) => "tollbook-provision",
            Self::Migrate(_) => "tollbook-migrate",
            Self::Schema(_) => "tollbook-schema",
        }
    }
}

/// Settings of the roles that handle receipts.
#[derive(Debug, Clone, Args)]
pub struct DlrSettings {
    /// NATS.
    #[command(flatten)]
    pub nats: NatsSettings,
    /// Postgres.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// Sealing.
    #[command(flatten)]
    pub master_key: MasterKeySettings,
    /// Receipts.
    #[command(flatten)]
    pub receipts: ReceiptSettings,
    /// Probes and metrics.
    #[command(flatten)]
    pub probes: ProbeSettings,
    /// Logs and traces.
    #[command(flatten)]
    pub telemetry: TelemetrySettings,
}

/// Settings of `provision`.
#[derive(Debug, Clone, Args)]
pub struct ProvisionSettings {
    /// NATS.
    #[command(flatten)]
    pub nats: NatsSettings,
    /// Copies of each stream: 3 in a cluster, 1 on a laptop
    #[arg(long, env = "NATS_REPLICAS", default_value_t = 1,
          value_parser = values::number::<u8, 1, 5>)]
    pub nats_replicas: u8,
    /// The most receipts delivered to all processes together and not yet acknowledged
    #[arg(long, env = "DLR_MAX_ACK_PENDING", default_value_t = 10_000,
          value_parser = values::number::<u32, 1, 1_000_000>)]
    pub dlr_max_ack_pending: u32,
}

/// Settings of `migrate`.
#[derive(Debug, Clone, Args)]
pub struct MigrateSettings {
    /// Postgres.
    #[command(flatten)]
    pub database: DatabaseSettings,
}

/// Settings of `schema`.
#[derive(Debug, Clone, Args)]
pub struct SchemaSettings {
    /// Write one file per schema into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "check")]
    pub write: Option<PathBuf>,
    /// Fail if a file in this folder is missing or differs
    #[arg(long, value_name = "DIR")]
    pub check: Option<PathBuf>,
}
