//! What must be true of the database before a service works with it.
//!
//! A role that could go around row-level security or change the log is refused, and so is a
//! database where something is missing or where the log's own defences are down; each error says
//! which command mends it.

use std::{collections::BTreeSet, error::Error, time::Duration};

use eventstore::{
    StoreError,
    postgres::{Database, DatabaseOptionsError, Statement},
    rights::{self, Declared, Right},
};
use tokio_postgres::Row;

use crate::health::Health;

mod defences;

use self::defences::Breach;
pub use self::defences::{DefenceGauges, watch as watch_defences};

const ROLE: Statement = Statement::new(include_str!("database/role.sql"));
const UNMET: Statement = Statement::new(include_str!("database/unmet.sql"));
const FORGETFUL: Statement = Statement::new(include_str!("database/forgetful.sql"));
const ALIVE: Statement = Statement::new(include_str!("database/alive.sql"));

/// We never touch the schema of another team.
const THEIRS: &str = "it belongs to the orchestrator, whose migrations make and grant it";

/// How often Postgres is asked whether it is there.
const WATCH: Duration = Duration::from_secs(2);

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
    #[error("database role {role} {power}; use {instead}, as CONTRACTS 6 has it")]
    TooPowerful {
        /// The role.
        role: String,
        /// What it could do, as a part of the sentence.
        power: String,
        /// The role made for the service.
        instead: &'static str,
    },
    /// A job of another role.
    #[error("database role {role} is not for this; use {instead}, as CONTRACTS 6 has it")]
    OtherRole {
        /// The role.
        role: String,
        /// The role that does it.
        instead: &'static str,
    },
    /// Something is not there.
    #[error("{kind} {name} is missing; {remedy}")]
    Missing {
        /// `schema`, `table`, `column` or `function`.
        kind: String,
        /// Its name with its schema, a column with its table.
        name: String,
        /// The command that makes it, or who does.
        remedy: &'static str,
    },
    /// A defence of the log is down: somebody took it away, or the database is a copy that did not
    /// bring it along.
    #[error(
        "the log in this database is not safe: {fault}; an administrator mends it with `{remedy}`"
    )]
    Undefended {
        /// What is open, as a part of the sentence.
        fault: String,
        /// The statement that closes it.
        remedy: String,
    },
    /// What was committed could be lost all the same.
    #[error(
        "postgres has {setting} = {value} for role {role}, so what is committed could be lost; set it \
         to on"
    )]
    Forgetful {
        /// The role.
        role: String,
        /// The setting.
        setting: String,
        /// The value it has.
        value: String,
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
        /// Its name with its schema, a column with its table.
        name: String,
        /// The command that grants it, or who does.
        remedy: String,
    },
}

impl DatabaseError {
    /// Whether it is worth trying again, because Postgres is merely away, starting or full. What a
    /// person must mend is not: a password or a certificate that is refused, a database, a table
    /// or a right that is missing.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Store(error) => error.is_passing(),
            Self::Query(_)
            | Self::Options(_)
            | Self::TooPowerful { .. }
            | Self::OtherRole { .. }
            | Self::Missing { .. }
            | Self::NotGranted { .. }
            | Self::Undefended { .. }
            | Self::Forgetful { .. } => false,
        }
    }
}

/// Makes sure that we connected as a modest role that may do what is declared for `role`, the one
/// made for this work.
///
/// # Errors
/// The role may too much, something is missing, the log is open to attack, a commit could be lost,
/// or the database cannot be asked.
pub async fn check(database: &Database, role: &'static str) -> Result<(), DatabaseError> {
    let row = database.query_one(ROLE, &[&role]).await?;
    let instead = role;
    let role: String = row.try_get("role")?;
    if let Some(power) = row.try_get::<_, Option<String>>("power")? {
        return Err(DatabaseError::TooPowerful {
            role,
            power,
            instead,
        });
    }
    allowed(database, instead, role).await
}

/// Makes sure that we connected as `role`, whose job this is, and may do what is declared for it. Such
/// a role may more than a service: that is why it is used by jobs only.
///
/// # Errors
/// It is another role, or what [`check`] says but for its power.
pub async fn check_job(database: &Database, role: &'static str) -> Result<(), DatabaseError> {
    let row = database.query_one(ROLE, &[&role]).await?;
    let (found, instead): (String, _) = (row.try_get("role")?, role);
    if found != instead {
        let role = found;
        return Err(DatabaseError::OtherRole { role, instead });
    }
    allowed(database, instead, found).await
}

/// Whether `role` may do what is declared for `instead`, in a database that keeps what it is given.
async fn allowed(
    database: &Database,
    instead: &'static str,
    role: String,
) -> Result<(), DatabaseError> {
    let mut needed = declared_by_us();
    needed.extend(projections::migrate::rights::orch());
    needed.retain(|right| right.role == instead);
    let needed = Declared::new(&needed);
    let [_, verbs, kinds, names] = needed.parameters();
    let missing = database.query(UNMET, &[kinds, names, verbs]).await?;
    if let Some(row) = missing.first() {
        return Err(unmet(instead, role, row)?);
    }
    defended(database).await?;
    durable(database, role).await
}

/// What is declared in our own schemas.
fn declared_by_us() -> BTreeSet<Right> {
    let mut all = rights::eventlog();
    all.extend(rights::guard());
    all.extend(projections::migrate::rights::dlr());
    all.extend(projections::migrate::rights::billing());
    all
}

/// What is missing, from a row of [`UNMET`].
fn unmet(instead: &str, role: String, row: &Row) -> Result<DatabaseError, DatabaseError> {
    let (kind, name): (String, String) = (row.try_get("kind")?, row.try_get("name")?);
    let theirs = name == "orch" || name.starts_with("orch.");
    if row.try_get("missing")? {
        let remedy = if theirs {
            THEIRS
        } else {
            "`tollbook migrate` makes it"
        };
        return Ok(DatabaseError::Missing { kind, name, remedy });
    }
    let remedy = if theirs {
        THEIRS.to_owned()
    } else {
        format!("`tollbook migrate` grants it to {instead}")
    };
    let right = row.try_get("need_right")?;
    Ok(DatabaseError::NotGranted {
        role,
        right,
        kind,
        name,
        remedy,
    })
}

/// Whether the defences of the log are up.
async fn defended(database: &Database) -> Result<(), DatabaseError> {
    match defences::breaches(database).await?.into_iter().next() {
        None => Ok(()),
        Some(Breach { fault, remedy }) => Err(DatabaseError::Undefended { fault, remedy }),
    }
}

/// Whether a commit stays, as this role commits.
async fn durable(database: &Database, role: String) -> Result<(), DatabaseError> {
    let forgetful = database.query(FORGETFUL, &[]);
    match forgetful.await?.first() {
        None => Ok(()),
        Some(row) => Err(DatabaseError::Forgetful {
            role,
            setting: row.try_get("name")?,
            value: row.try_get("setting")?,
        }),
    }
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

/// Asks what the service itself asks, every [`WATCH`], for ever, and tells `health`: a table may
/// have been altered, or a right taken away, under a service that is otherwise well.
pub async fn watch_questions<E: Error + 'static>(
    ask: impl AsyncFn() -> Result<(), E>,
    health: &Health,
) {
    let mut ticks = tokio::time::interval(WATCH);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match ask().await {
            Ok(()) => health.questions.good(),
            Err(error) => {
                health.questions.bad("cannot be answered");
                let error = eventstore::log::chain(&error);
                tracing::warn!(event = "database.questions_fail", error);
            }
        }
    }
}

async fn alive(database: &Database) -> Result<(), DatabaseError> {
    database.query_one(ALIVE, &[]).await?;
    Ok(())
}
