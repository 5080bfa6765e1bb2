//! Brings the tables of this crate's projections up to date.
//!
//! Runs after `eventstore::migrate`, which makes the roles. Must never touch `eventlog` or `orch`.

use eventstore::migrate::{MigrateError, apply};
use tokio_postgres::Client;

mod dlr {
    refinery::embed_migrations!("migrations/dlr");
}

mod billing {
    refinery::embed_migrations!("migrations/billing");
}

/// Makes what is missing and returns the names of the migrations applied now. The caller is a
/// superuser or a member of `tollbook_owner`.
///
/// # Errors
/// Something could not be made; each migration is applied whole or not at all, those of the
/// schema `dlr` first.
pub async fn run(client: &mut Client) -> Result<Vec<String>, MigrateError> {
    let mut applied = apply(client, "dlr", dlr::migrations::runner()).await?;
    applied.extend(apply(client, "billing", billing::migrations::runner()).await?);
    Ok(applied)
}
