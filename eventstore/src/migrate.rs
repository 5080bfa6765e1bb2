//! Brings the database's roles, tables and rights up to date.

use std::collections::BTreeSet;

use tokio_postgres::Client;

use crate::{
    StoreError,
    postgres::Statement,
    rights::{self, Declared, ROLES, Right},
};

const BOOTSTRAP: &str = include_str!("postgres/bootstrap.sql");
const DIFFERING: Statement = Statement::new(include_str!("rights/differing.sql"));

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
    /// A right is not as declared even so.
    #[error("{0}")]
    StillDiffers(String),
}

/// Makes what is missing, in the log's schema first and then in `others`, and lets our roles do
/// there what is declared and nothing else.
///
/// # Errors
/// Something could not be made; each migration is applied whole or not at all.
pub async fn run(client: &mut Client, others: Vec<Schema>) -> Result<Done, MigrateError> {
    let bootstrapped = client.batch_execute(BOOTSTRAP).await;
    bootstrapped.map_err(MigrateError::Bootstrap)?;
    let mut schemas = vec![Schema {
        name: "eventlog",
        migrations: embedded::migrations::runner(),
        rights: rights::eventlog(),
    }];
    schemas.extend(others);
    become_owner(client).await?;
    let mut done = Done::default();
    for schema in &mut schemas {
        done.applied.extend(apply(client, schema).await?);
    }
    settle_rights(client, &schemas, &mut done).await?;
    let reset = client.batch_execute("reset role").await;
    reset.map_err(MigrateError::Bootstrap)?;
    Ok(done)
}

/// All of it is done as the role that owns every table, so that no login role owns anything.
async fn become_owner(client: &Client) -> Result<(), MigrateError> {
    let became = client.batch_execute("set role tollbook_owner").await;
    became.map_err(MigrateError::Bootstrap)
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
    schemas: &[Schema],
    done: &mut Done,
) -> Result<(), MigrateError> {
    let compare = |source| MigrateError::Compare(DIFFERING.failed()(source));
    let transaction = client.transaction().await.map_err(compare)?;
    let names: Vec<_> = schemas.iter().map(|schema| schema.name).collect();
    let declared = Declared::new(schemas.iter().flat_map(|schema| &schema.rights));
    let [who, what, kinds, things] = declared.parameters();
    let ours = ROLES.as_slice();
    let parameters = [who, what, kinds, things, &names, &ours];
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
