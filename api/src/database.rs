//! What must be true of the database before a service works with it.
//!
//! A role that could go around row-level security or change the log is refused, and so is a
//! database where something is missing; each error says which command mends it.

use std::time::Duration;

use eventstore::{
    StoreError,
    postgres::{Database, database::DatabaseOptionsError},
};

use crate::health::Health;

const ROLE: &str = include_str!("database/role.sql");
const UNMET: &str = include_str!("database/unmet.sql");
const ALIVE: &str = include_str!("database/alive.sql");

/// We never touch the schema of another team.
const THEIRS: &str = "it belongs to the orchestrator, whose migrations make and grant it";

/// How often Postgres is asked whether it is there.
const WATCH: Duration = Duration::from_secs(2);

/// A right that the service cannot do without.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    /// `table`, `column` or `function`.
    pub kind: &'static str,
    /// With its schema; a column also with its table.
    pub name: &'static str,
    /// What the role must be allowed to do with it.
    pub right: &'static str,
}

const fn table(name: &'static str, right: &'static str) -> Need {
    Need {
        kind: "table",
        name,
        right,
    }
}

const fn column(name: &'static str, right: &'static str) -> Need {
    Need {
        kind: "column",
        name,
        right,
    }
}

const fn function(name: &'static str) -> Need {
    Need {
        kind: "function",
        name,
        right: "EXECUTE",
    }
}

/// What handling receipts needs (CONTRACTS 6, `dlr_svc`).
pub const DLR_NEEDS: [Need; 33] = [
    function("eventlog.append"),
    function("eventlog.take_checkpoint"),
    function("eventlog.advance_checkpoint"),
    function("eventlog.enrol_tenant"),
    function("eventlog.enrol_day"),
    table("eventlog.event", "SELECT"),
    table("eventlog.head", "SELECT"),
    table("eventlog.checkpoint", "SELECT"),
    table("eventlog.permission", "SELECT"),
    table("eventlog.tenant", "SELECT"),
    table("eventlog.data_key", "SELECT"),
    table("dlr.delivery_receipts", "SELECT"),
    table("dlr.delivery_receipts", "INSERT"),
    table("dlr.orphaned_receipts", "SELECT"),
    table("dlr.orphaned_receipts", "INSERT"),
    table("dlr.orphan_resolutions", "SELECT"),
    table("dlr.orphan_resolutions", "INSERT"),
    column("orch.sms_messages.message_id", "SELECT"),
    column("orch.sms_messages.tenant_id", "SELECT"),
    column("orch.sms_messages.account_id", "SELECT"),
    column("orch.sms_messages.operator_id", "SELECT"),
    column("orch.sms_messages.operator_message_id", "SELECT"),
    column("orch.sms_messages.to_msisdn", "SELECT"),
    column("orch.sms_messages.segment_count", "SELECT"),
    column("orch.sms_messages.metadata", "SELECT"),
    column("orch.sms_messages.enqueued_at", "SELECT"),
    column("orch.sms_messages.status", "SELECT"),
    column("orch.sms_messages.dlr_status", "SELECT"),
    column("orch.sms_messages.processed_at", "SELECT"),
    column("orch.sms_messages.status", "UPDATE"),
    column("orch.sms_messages.dlr_status", "UPDATE"),
    column("orch.sms_messages.dlr_received_at", "UPDATE"),
    column("orch.sms_messages.processed_at", "UPDATE"),
];

/// Why we do not work with this database.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The settings are wrong.
    #[error("configuring postgres")]
    Options(#[from] DatabaseOptionsError),
    /// It cannot be reached or asked.
    #[error("checking the database")]
    Store(#[from] StoreError),
    /// A question to it failed.
    #[error("checking the database")]
    Query(#[from] tokio_postgres::Error),
    /// The role could go around the protection of the data.
    #[error("database role {role} {power}; use a role of CONTRACTS 6, such as dlr_svc")]
    TooPowerful {
        /// The role.
        role: String,
        /// What it could do.
        power: String,
    },
    /// Something is not there.
    #[error("{kind} {name} is missing; {remedy}")]
    Missing {
        /// `table`, `column` or `function`.
        kind: String,
        /// Which.
        name: String,
        /// Who makes it.
        remedy: &'static str,
    },
    /// A right is not there.
    #[error("role {role} has no {right} on {kind} {name}; {remedy}")]
    NotGranted {
        /// The role.
        role: String,
        /// The right.
        right: String,
        /// `table`, `column` or `function`.
        kind: String,
        /// On what.
        name: String,
        /// Who grants it.
        remedy: &'static str,
    },
}

/// Makes sure that we connected as a modest role that has what it needs.
///
/// # Errors
/// The role may too much, something is missing, or the database cannot be asked.
pub async fn check(database: &Database, needs: &[Need]) -> Result<(), DatabaseError> {
    let client = database.client("check").await?;
    let row = client.query_one(ROLE, &[]).await?;
    let role: String = row.try_get("role")?;
    if let Some(power) = row.try_get::<_, Option<String>>("power")? {
        return Err(DatabaseError::TooPowerful { role, power });
    }
    let kinds: Vec<_> = needs.iter().map(|need| need.kind).collect();
    let names: Vec<_> = needs.iter().map(|need| need.name).collect();
    let rights: Vec<_> = needs.iter().map(|need| need.right).collect();
    let Some(row) = client.query_opt(UNMET, &[&kinds, &names, &rights]).await? else {
        return Ok(());
    };
    let (kind, name): (String, String) = (row.try_get("kind")?, row.try_get("name")?);
    let theirs = name.starts_with("orch.");
    if row.try_get("missing")? {
        let remedy = if theirs {
            THEIRS
        } else {
            "`tollbook migrate` makes it"
        };
        return Err(DatabaseError::Missing { kind, name, remedy });
    }
    let remedy = if theirs {
        THEIRS
    } else {
        "`tollbook migrate` grants it to dlr_svc"
    };
    let right = row.try_get("need_right")?;
    Err(DatabaseError::NotGranted {
        role,
        right,
        kind,
        name,
        remedy,
    })
}

/// Asks Postgres every [`WATCH`] whether it is there, for ever, and tells `health`.
pub async fn watch(database: &Database, health: &Health) {
    let mut ticks = tokio::time::interval(WATCH);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match alive(database).await {
            Ok(()) => health.postgres.good(),
            Err(error) => {
                health.postgres.bad("not reachable");
                tracing::warn!(
                    event = "database.unreachable",
                    error = %eventstore::log::chain(&error),
                );
            }
        }
    }
}

async fn alive(database: &Database) -> Result<(), DatabaseError> {
    let client = database.client("alive").await?;
    client.query_one(ALIVE, &[]).await?;
    Ok(())
}
