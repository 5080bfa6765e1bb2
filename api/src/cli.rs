//! The command line: one role per process.

use std::{path::PathBuf, time::Duration};

use axum::http::Uri;
use clap::{Args, Parser, Subcommand, ValueEnum};
use schema::{
    AccountId, Currency, Day, EventId, MessageId, OperatorId, Sealed, SheetId, StatementId,
    TenantId, Timestamp,
};

use crate::{
    config::values,
    services,
    settings::{
        ChargeSettings, DatabaseSettings, HttpSettings, IdentitySettings, MasterKeySettings,
        NatsSettings, QuestionSettings, ReceiptSettings, ServiceSettings, TelemetrySettings,
    },
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
    /// Charges settled messages and serves the REST API
    Billing(Box<BillingSettings>),
    /// Matches orphaned receipts again, once
    Reconcile(Box<DlrSettings>),
    /// Announces again, once, what was settled and is neither charged nor held
    Republish(RepublishSettings),
    /// Takes in again what arrived in a stream since a moment, after the end of the log was lost
    ReplayIntake(Box<ReplaySettings>),
    /// Erases the tenants that are to be erased, or proves of one that it is
    Erasure(ErasureSettings),
    /// Creates or updates the NATS streams and consumers
    Provision(ProvisionSettings),
    /// Brings the database up to date
    Migrate(MigrateSettings),
    /// Looks after the keys of personal data
    Keys(KeysSettings),
    /// Shows a person what is sealed, after recording who asks and why
    Reveal(RevealSettings),
    /// Compares a sheet of prices with what is in effect, or applies it
    Prices(SheetSettings),
    /// Compares a sheet of costs with what is in effect, or applies it
    Costs(SheetSettings),
    /// Compares a carrier's own statement with what is recorded
    Statement(StatementSettings),
    /// Prints, writes or checks the JSON Schemas of everything stored or sent
    Schema(SchemaSettings),
    /// Makes keys and tokens for development
    Dev(DevSettings),
}

impl Role {
    /// The name that logs and traces carry unless `SERVICE_NAME` says otherwise.
    #[must_use]
    pub fn service(&self) -> &'static str {
        match self {
            Self::Dlr(_) => services::DLR.name(),
            Self::Billing(_) => services::BILLING.name(),
            Self::Reconcile(_) => "tollbook-reconcile",
            Self::Republish(_) => "tollbook-republish",
            Self::ReplayIntake(_) => "tollbook-replay-intake",
            Self::Erasure(_) => "tollbook-erasure",
            Self::Provision(_) => "tollbook-provision",
            Self::Migrate(_) => "tollbook-migrate",
            Self::Keys(_) => "tollbook-keys",
            Self::Reveal(_) => "tollbook-reveal",
            Self::Prices(_) => "tollbook-prices",
            Self::Costs(_) => "tollbook-costs",
            Self::Statement(_) => "tollbook-statement",
            Self::Schema(_) => "tollbook-schema",
            Self::Dev(_) => "tollbook-dev",
        }
    }

    /// How it logs and traces; nothing for commands, which print.
    #[must_use]
    pub const fn telemetry(&self) -> Option<&TelemetrySettings> {
        match self {
            Self::Dlr(settings) | Self::Reconcile(settings) => Some(&settings.service.telemetry),
            Self::Billing(settings) => Some(&settings.service.telemetry),
            Self::ReplayIntake(settings) => Some(&settings.service.telemetry),
            Self::Republish(_)
            | Self::Erasure(_)
            | Self::Provision(_)
            | Self::Migrate(_)
            | Self::Keys(_)
            | Self::Reveal(_)
            | Self::Prices(_)
            | Self::Costs(_)
            | Self::Statement(_)
            | Self::Schema(_)
            | Self::Dev(_) => None,
        }
    }
}

/// Settings of the roles that handle receipts.
#[derive(Debug, Clone, Args)]
pub struct DlrSettings {
    /// What every service is set up with.
    #[command(flatten)]
    pub service: ServiceSettings,
    /// Receipts.
    #[command(flatten)]
    pub receipts: ReceiptSettings,
}

/// Settings of the role that charges and answers.
#[derive(Debug, Clone, Args)]
pub struct BillingSettings {
    /// What every service is set up with.
    #[command(flatten)]
    pub service: ServiceSettings,
    /// Questions over REST.
    #[command(flatten)]
    pub questions: QuestionSettings,
    /// Charges.
    #[command(flatten)]
    pub charges: ChargeSettings,
    /// The REST port.
    #[command(flatten)]
    pub http: HttpSettings,
    /// Tokens and the gateway.
    #[command(flatten)]
    pub identity: IdentitySettings,
}

/// Settings of `republish`.
#[derive(Debug, Clone, Args)]
pub struct RepublishSettings {
    /// NATS.
    #[command(flatten)]
    pub nats: NatsSettings,
    /// Postgres.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// How far to look back
    #[arg(long, env = "REPUBLISH_SINCE", default_value = "6h", value_parser = values::duration)]
    pub republish_since: Duration,
    /// How far billing must have come past a settlement before it counts as lost
    #[arg(long, env = "REPUBLISH_MARGIN", default_value = "15m", value_parser = values::duration)]
    pub republish_margin: Duration,
}

/// Settings of `replay-intake`.
#[derive(Debug, Clone, Args)]
pub struct ReplaySettings {
    /// Take what arrived at this moment (RFC 3339, with its offset) or later
    #[arg(long, value_name = "MOMENT", value_parser = values::moment)]
    pub since: Timestamp,
    /// What to take
    #[arg(long, value_name = "WHAT", default_value = "receipts")]
    pub what: Taken,
    /// What every service is set up with.
    #[command(flatten)]
    pub service: ServiceSettings,
    /// Receipts.
    #[command(flatten)]
    pub receipts: ReceiptSettings,
    /// Charges.
    #[command(flatten)]
    pub charges: ChargeSettings,
}

/// What can be taken in again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Taken {
    /// Receipts, as role `dlr_svc`
    Receipts,
    /// Settled messages, as role `billing_svc`
    Settlements,
}

/// Settings of `erasure`.
#[derive(Debug, Clone, Args)]
pub struct ErasureSettings {
    /// Postgres.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// Master keys.
    #[command(flatten)]
    pub master_key: MasterKeySettings,
    /// What to do.
    #[command(subcommand)]
    pub command: ErasureCommand,
}

/// What `erasure` can do.
#[derive(Debug, Clone, Subcommand)]
pub enum ErasureCommand {
    /// Erases everybody who is to be erased
    Run,
    /// Proves that nothing names a tenant or opens its data; fails if something does
    Verify(VerifyErasure),
}

/// Settings of `erasure verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyErasure {
    /// The tenant that was erased
    #[arg(long, value_name = "UUID", value_parser = values::tenant)]
    pub tenant_id: TenantId,
    /// A file that must not name it either, such as collected log lines; may be given several times
    #[arg(long, value_name = "FILE")]
    pub log_file: Vec<PathBuf>,
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
    /// The most MiB of each of the six streams; one that is full refuses what comes next
    #[arg(long, env = "NATS_STREAM_MIB_MAX", default_value_t = 2_048,
          value_parser = values::number::<u32, 1, 16_777_216>)]
    pub nats_stream_mib_max: u32,
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

/// Settings of `keys`.
#[derive(Debug, Clone, Args)]
pub struct KeysSettings {
    /// What to do.
    #[command(subcommand)]
    pub command: KeysCommand,
}

/// What `keys` can do.
#[derive(Debug, Clone, Subcommand)]
pub enum KeysCommand {
    /// Puts every data key under the newest version of the master key
    Rewrap(RewrapSettings),
    /// Destroys the keys of orphans of long ago
    Expire(ExpireSettings),
}

/// Settings of `keys rewrap`.
#[derive(Debug, Clone, Args)]
pub struct RewrapSettings {
    /// Postgres.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// Sealing.
    #[command(flatten)]
    pub master_key: MasterKeySettings,
}

/// Settings of `keys expire`.
#[derive(Debug, Clone, Args)]
pub struct ExpireSettings {
    /// Postgres.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// How long after its day the key of a day's orphans is kept; at least `DLR_ORPHAN_KEEP` and
    /// `DLR_MATCH_WINDOW` together
    #[arg(long, env = "DLR_ORPHAN_KEY_AGE", default_value = "30d", value_parser = values::duration)]
    pub dlr_orphan_key_age: Duration,
    /// As `tollbook dlr` has it: how long orphans are matched again in the background
    #[arg(long, env = "DLR_ORPHAN_KEEP", default_value = "72h", value_parser = values::duration)]
    pub dlr_orphan_keep: Duration,
    /// As `tollbook dlr` has it: how long a message is found by its receipts
    #[arg(long, env = "DLR_MATCH_WINDOW", default_value = "7d", value_parser = values::duration)]
    pub dlr_match_window: Duration,
}

/// Settings of `reveal`.
#[derive(Debug, Clone, Args)]
pub struct RevealSettings {
    /// Postgres.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// Sealing.
    #[command(flatten)]
    pub master_key: MasterKeySettings,
    /// The message whose receipts are to be opened
    #[arg(long, value_name = "ID", value_parser = values::message,
          required_unless_present = "orphan", conflicts_with = "orphan")]
    pub message: Option<MessageId>,
    /// The orphan that is to be opened
    #[arg(long, value_name = "ID", value_parser = values::event)]
    pub orphan: Option<EventId>,
    /// A field; may be given several times, and without it all are opened
    #[arg(long, value_parser = [Sealed::TO, Sealed::METADATA, Sealed::SOURCE_ADDR,
          Sealed::DEST_ADDR, Sealed::RAW_PAYLOAD])]
    pub field: Vec<String>,
    /// Why; kept for ever, so without what is personal
    #[arg(long, value_parser = values::words::<3, 500>)]
    pub reason: String,
    /// Who asks: an id of a person, kept for ever
    #[arg(long, value_parser = values::words::<1, 100>)]
    pub principal: String,
}

/// Where the REST API is, and who asks.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "REST API")]
pub struct ApiSettings {
    /// Where the API is, https:// without a path; http:// only to this machine
    #[arg(
        id = "tollbook_url",
        long = "url",
        env = "TOLLBOOK_URL",
        value_name = "URL"
    )]
    pub url: Uri,
    /// File with the bearer token of whoever asks
    #[arg(
        id = "tollbook_token_file",
        long = "token-file",
        env = "TOLLBOOK_TOKEN_FILE",
        value_name = "FILE"
    )]
    pub token_file: PathBuf,
    /// PEM file with the authorities to trust there; without it the system's
    #[arg(
        id = "tollbook_ca_file",
        long = "ca-file",
        env = "TOLLBOOK_CA_FILE",
        value_name = "FILE"
    )]
    pub ca_file: Option<PathBuf>,
}

/// Settings of `prices` and of `costs`.
#[derive(Debug, Clone, Args)]
pub struct SheetSettings {
    /// The API.
    #[command(flatten)]
    pub api: ApiSettings,
    /// What to do.
    #[command(subcommand)]
    pub command: SheetCommand,
}

/// What `prices` and `costs` can do.
#[derive(Debug, Clone, Subcommand)]
pub enum SheetCommand {
    /// Shows what would be done; changes nothing
    Diff(SheetFile),
    /// Shows what is done and does it, all of it or nothing
    Import(SheetFile),
}

/// Which sheet.
#[derive(Debug, Clone, Args)]
pub struct SheetFile {
    /// The sheet: CSV with the columns that docs/guides/price-sheets.md names
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What to call it; by default that follows from the file, so that the same file is applied once
    #[arg(long, value_name = "ID", value_parser = values::sheet)]
    pub sheet_id: Option<SheetId>,
}

/// Settings of `statement`.
#[derive(Debug, Clone, Args)]
pub struct StatementSettings {
    /// The API.
    #[command(flatten)]
    pub api: ApiSettings,
    /// What to do.
    #[command(subcommand)]
    pub command: StatementCommand,
}

/// What `statement` can do.
#[derive(Debug, Clone, Subcommand)]
pub enum StatementCommand {
    /// Shows how a statement differs from what is recorded; changes nothing
    Diff(StatementDiff),
}

/// Settings of `statement diff`.
#[derive(Debug, Clone, Args)]
pub struct StatementDiff {
    /// The statement: CSV with the columns operatorMessageId, status, segments and perhaps cost, or
    /// date, status, messages, segments and perhaps cost
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The carrier whose statement it is
    #[arg(long, value_name = "UUID", value_parser = values::operator)]
    pub operator_id: OperatorId,
    /// The first day it is about, in UTC
    #[arg(long, value_name = "DAY", value_parser = values::day)]
    pub from: Day,
    /// The last day; it is included
    #[arg(long, value_name = "DAY", value_parser = values::day)]
    pub to: Day,
    /// The currency of its costs
    #[arg(long, value_name = "CODE", value_parser = values::currency)]
    pub currency: Currency,
    /// The id to keep it under; by default it follows from the file and from what is said here
    #[arg(long, value_name = "UUID", value_parser = values::statement)]
    pub statement_id: Option<StatementId>,
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

/// Settings of `dev`.
#[derive(Debug, Clone, Args)]
pub struct DevSettings {
    /// What to make.
    #[command(subcommand)]
    pub command: DevCommand,
}

/// What `dev` can make.
#[derive(Debug, Clone, Subcommand)]
pub enum DevCommand {
    /// Makes a key to sign tokens with and the `jwks.json` that verifies them
    Keys(DevKeys),
    /// Prints a signed token
    Token(DevToken),
}

/// Settings of `dev keys`.
#[derive(Debug, Clone, Args)]
pub struct DevKeys {
    /// Write both files into this folder; a key that is there already stays
    #[arg(long, value_name = "FOLDER")]
    pub write: PathBuf,
}

/// Settings of `dev token`.
#[derive(Debug, Clone, Args)]
pub struct DevToken {
    /// The key that `dev keys` wrote
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// A role, such as `account.viewer` or `platform.admin`; may be given several times
    #[arg(long)]
    pub role: Vec<String>,
    /// The tenant
    #[arg(long, value_parser = values::tenant)]
    pub tenant_id: TenantId,
    /// The account; without one the token is for the whole tenant
    #[arg(long, value_parser = values::account)]
    pub account_id: Option<AccountId>,
    /// Who it is
    #[arg(long, default_value = "developer")]
    pub subject: String,
    /// Who made it; the service's `JWT_ISSUER`
    #[arg(long, default_value = "tollbook-dev")]
    pub issuer: String,
    /// Whom it is meant for; the service's `JWT_AUDIENCE`
    #[arg(long, default_value = "tollbook")]
    pub audience: String,
    /// How long it is good
    #[arg(long, default_value = "1h", value_parser = values::duration)]
    pub ttl: Duration,
}
