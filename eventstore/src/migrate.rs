//! Brings the database's roles, tables and rights up to date.

use std::collections::BTreeSet;

use tokio_postgres::Client;

use crate::{
    StoreError,
    guard::{self, Standing},
    rights::{self, DIFFERING, Declared, ROLES, Right},
};

const BOOTSTRAP: &str = include_str!("postgres/bootstrap.sql");

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// A schema of ours: what makes its tables, and what our roles may do in it.
pub struct Schema {
    /// Its name.
    pub name: &'static str,
    /// What makes its tables.
    pub migrations: refinery::Runner,
    /// What is declared for it.
    pub rights: BTreeSet<Right>,
}

/// What was done.
#[derive(Debug, Default)]
pub struct Done {
    /// The migrations that were applied now, each with its schema.
    pub applied: Vec<String>,
    /// The rights that were given now: statements.
    pub granted: Vec<String>,
    /// The rights that were taken away because nothing declares them: statements.
    pub revoked: Vec<String>,
}

/// A migration that did not work. What had been applied before it stays applied.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The roles or the schema could not be made.
    #[error("making the roles and the schema (the first time this takes a superuser)")]
    Bootstrap(#[source] tokio_postgres::Error),
    /// A migration failed.
    #[error("applying a migration")]
    Migration(#[source] refinery::Error),
    /// What roles may do could not be compared with what is declared.
    #[error("comparing rights with their declaration")]
    Compare(#[source] StoreError),
    /// A right could not be given or taken.
    #[error("{statement}")]
    Right {
        /// What was tried.
        statement: String,
        /// What Postgres says.
        source: tokio_postgres::Error,
    },
    /// The guard, or what it is to keep, could not be asked or told.
    #[error("guarding the tables")]
    Guard(#[from] StoreError),
    /// Somebody who is no superuser migrates, and no superuser let it.
    #[error(
        "no change window is open; a superuser opens one with \
         `select tollbook_guard.open_window('tollbook_admin')` (the first time a superuser migrates)"
    )]
    NoWindow,
    /// Something was changed since the last migration.
    #[error("{0}; put it back, or let it stay with `select tollbook_guard.record()`")]
    Altered(String),
    /// A right is not as declared even so.
    #[error("{0}")]
    StillDiffers(String),
}

/// Makes what is missing, in the log's schema first and then in `others`, and lets our roles do
/// there what is declared and nothing else. A superuser opens and closes the change window for it;
/// for another login a superuser has opened one, and it is closed at the end.
///
/// # Errors
/// Something could not be made; each migration is applied whole or not at all. Nothing is tried
/// without a window, or where something was changed since the last migration.
pub async fn run(client: &mut Client, others: Vec<Schema>) -> Result<Done, MigrateError> {
    let Standing {
        is_superuser,
        is_guarded,
    } = guard::standing(client).await?;
    if is_guarded && let Some(fault) = guard::altered(client).await? {
        return Err(MigrateError::Altered(fault));
    }
    let is_let = is_superuser || is_guarded && guard::window_is_open(client).await?;
    if !is_let {
        return Err(MigrateError::NoWindow);
    }
    let bootstrapped = client.batch_execute(BOOTSTRAP).await;
    bootstrapped.map_err(MigrateError::Bootstrap)?;
    let mut done = Done::default();
    if is_superuser {
        let installed = guard::install(client).await;
        installed.map_err(MigrateError::Bootstrap)?;
        settle_rights(client, &["tollbook_guard"], &rights::guard(), &mut done).await?;
        guard::open(client).await?;
    }
    let mut schemas = vec![Schema {
        name: "eventlog",
        migrations: embedded::migrations::runner(),
        rights: rights::eventlog(),
    }];
    schemas.extend(others);
    // From here on somebody may change our tables; whatever happens, the window is closed.
    let worked = in_window(client, schemas, &mut done).await;
    let closed = guard::close(client).await;
    worked?;
    closed?;
    Ok(done)
}

/// What is done while the window is open.
async fn in_window(
    client: &mut Client,
    mut schemas: Vec<Schema>,
    done: &mut Done,
) -> Result<(), MigrateError> {
    let became = client.batch_execute("set role tollbook_owner").await;
    became.map_err(MigrateError::Bootstrap)?;
    let worked = as_owner(client, &mut schemas, done).await;
    // Where this fails the connection is gone, and so is the role.
    let itself = client.batch_execute("reset role").await;
    worked?;
    itself.map_err(MigrateError::Bootstrap)?;
    let mut declared = rights::guard();
    declared.extend(schemas.into_iter().flat_map(|schema| schema.rights));
    guard::record(client, &rights::fingerprint(&declared)).await?;
    Ok(())
}

/// All of it is done as the role that owns every table, so that no login role owns anything.
async fn as_owner(
    client: &mut Client,
    schemas: &mut [Schema],
    done: &mut Done,
) -> Result<(), MigrateError> {
    for schema in &mut *schemas {
        done.applied.extend(apply(client, schema).await?);
    }
    let names: Vec<_> = schemas.iter().map(|schema| schema.name).collect();
    let declared = schemas.iter().flat_map(|schema| &schema.rights);
    settle_rights(client, &names, &declared.cloned().collect(), done).await
}

/// Applies the migrations of a schema, whose table `migration` remembers them.
async fn apply(client: &mut Client, schema: &mut Schema) -> Result<Vec<String>, MigrateError> {
    let Schema {
        name, migrations, ..
    } = schema;
    let schema = format!("create schema if not exists {name}");
    let made = client.batch_execute(&schema).await;
    made.map_err(MigrateError::Bootstrap)?;
    migrations.set_migration_table_name(format!("{name}.migration"));
    let report = migrations.run_async(client).await;
    let report = report.map_err(MigrateError::Migration)?;
    let applied = report.applied_migrations().iter();
    Ok(applied.map(|what| format!("{name}: {what}")).collect())
}

/// Gives what is declared and takes what is not, all of it or nothing.
async fn settle_rights(
    client: &mut Client,
    schemas: &[&str],
    declared: &BTreeSet<Right>,
    done: &mut Done,
) -> Result<(), MigrateError> {
    let compare = |source| MigrateError::Compare(DIFFERING.failed()(source));
    let transaction = client.transaction().await.map_err(compare)?;
    let declared = Declared::new(declared);
    let [who, what, kinds, things] = declared.parameters();
    let ours = ROLES.as_slice();
    let parameters = [who, what, kinds, things, &schemas, &ours];
    let differing = transaction.query(DIFFERING.sql(), &parameters).await;
    for row in differing.map_err(compare)? {
        let statement: String = row.get("remedy");
        let settled = transaction.batch_execute(&statement).await;
        if let Err(source) = settled {
            return Err(MigrateError::Right { statement, source });
        }
        if statement.starts_with("grant ") {
            done.granted.push(statement);
        } else {
            done.revoked.push(statement);
        }
    }
    let differing = transaction.query(DIFFERING.sql(), &parameters).await;
    if let Some(row) = differing.map_err(compare)?.first() {
        return Err(MigrateError::StillDiffers(row.get("fault")));
    }
    transaction.commit().await.map_err(compare)
}
