//! What keeps our tables, functions and triggers as a migration left them, against whoever owns them.
//!
//! A superuser installs it, in a schema of its own (`tollbook_guard`): event triggers that refuse
//! every change outside of a change window, and a record of how everything is, which the services
//! compare with the catalog. Must never depend on what the owner of the tables can change.

use tokio_postgres::{Client, Error};

use crate::{
    StoreError,
    postgres::{Parameters, Statement},
};

const INSTALL: &str = include_str!("guard/install.sql");
const INSTALL_STATE: &str = include_str!("guard/state.sql");
const STANDING: Statement = Statement::new(include_str!("guard/standing.sql"));
const OPEN: Statement = Statement::new(include_str!("guard/open.sql"));
const CLOSE: Statement = Statement::new(include_str!("guard/close.sql"));
const RECORD: Statement = Statement::new(include_str!("guard/record.sql"));

/// What is not as the last migration left it: columns `fault` and `remedy`.
pub const ALTERED: Statement = Statement::new(include_str!("guard/altered.sql"));
/// Whether a change window is open, and the fingerprint of the rights in force: columns `is_open`
/// and `fingerprint`.
pub const WINDOW: Statement = Statement::new(include_str!("guard/window.sql"));

/// Who migrates, and what is there already.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    /// Whether it is a superuser.
    pub(crate) is_superuser: bool,
    /// Whether the guard is installed.
    pub(crate) is_guarded: bool,
}

pub(crate) async fn standing(client: &Client) -> Result<Standing, StoreError> {
    let row = client.query_one(STANDING.sql(), &[]).await;
    let row = row.map_err(STANDING.failed())?;
    Ok(Standing {
        is_superuser: row.get(0),
        is_guarded: row.get(1),
    })
}

/// Makes the guard, or brings it up to date. Takes a superuser.
pub(crate) async fn install(client: &Client) -> Result<(), Error> {
    client.batch_execute(INSTALL).await?;
    client.batch_execute(INSTALL_STATE).await
}

/// The first thing that is not as the last migration left it.
pub(crate) async fn altered(client: &Client) -> Result<Option<String>, StoreError> {
    let rows = client.query(ALTERED.sql(), &[]).await;
    let rows = rows.map_err(ALTERED.failed())?;
    Ok(rows.first().map(|row| row.get("fault")))
}

/// Whether our tables may be changed now.
pub(crate) async fn window_is_open(client: &Client) -> Result<bool, StoreError> {
    let row = client.query_one(WINDOW.sql(), &[]).await;
    Ok(row.map_err(WINDOW.failed())?.get("is_open"))
}

/// Lets our tables be changed. Takes a superuser.
pub(crate) async fn open(client: &Client) -> Result<(), StoreError> {
    run(client, OPEN, &[]).await
}

/// Ends every window, and every membership that was for one.
pub(crate) async fn close(client: &Client) -> Result<(), StoreError> {
    run(client, CLOSE, &[]).await
}

/// Keeps how everything is now, and whose declaration of rights is in force.
pub(crate) async fn record(client: &Client, fingerprint: &str) -> Result<(), StoreError> {
    run(client, RECORD, &[&fingerprint]).await
}

async fn run(
    client: &Client,
    statement: Statement,
    parameters: &Parameters<'_>,
) -> Result<(), StoreError> {
    let ran = client.query(statement.sql(), parameters).await;
    ran.map(drop).map_err(statement.failed())
}
