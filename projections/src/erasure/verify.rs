//! Whether a tenant is erased indeed: nothing names it, and nothing opens what was sealed for it.
//!
//! It looks at every column there is, not at those that somebody thought of, and asks the log which
//! keys the tenant's sealed values are under, not the keyring which keys it had.

use eventstore::{
    LogId, StoreError,
    keyring::{Keyring, KeyringError},
    postgres::{Database, Statement},
};
use schema::{Pseudonym, TenantId};

const FIND_TENANT: Statement = Statement::new(include_str!("verify/find_tenant.sql"));
const RECORDED: Statement = Statement::new(include_str!("verify/recorded.sql"));
const OPEN: Statement = Statement::new(include_str!("verify/open.sql"));
const OPEN_ORPHANS: Statement = Statement::new(include_str!("verify/open_orphans.sql"));

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Whether it is as it must be.
    pub good: bool,
    /// What was found, for a person. Never names the tenant.
    pub text: String,
}

impl Check {
    fn of(good: bool, text: String) -> Self {
        Self { good, text }
    }
}

/// Looks at everything the database keeps of `tenant`. It reads all of it, so it takes its time.
///
/// # Errors
/// A fault; then nothing is proven.
pub async fn verify(
    database: &Database,
    keyring: &dyn Keyring,
    log: LogId,
    tenant: TenantId,
) -> Result<Vec<Check>, KeyringError> {
    let erased = keyring.erased_before(tenant).await?;
    let mut checks = Vec::new();
    if erased.is_empty() {
        let text = "nobody of that id was ever erased here, as far as these master keys can tell";
        checks.push(Check::of(false, text.to_owned()));
    }
    for pseudonym in erased {
        checks.push(recorded(database, log, pseudonym).await?);
        checks.push(sealed(database, log, pseudonym).await?);
        checks.extend(orphans(database, log, pseudonym).await?);
    }
    checks.extend(named(database, tenant).await?);
    Ok(checks)
}

/// The log says that it is erased.
async fn recorded(
    database: &Database,
    log: LogId,
    Pseudonym(pseudonym): Pseudonym,
) -> Result<Check, StoreError> {
    let row = database.query_one(RECORDED, &[&log.0, &pseudonym]).await?;
    let (recorded, events): (bool, i64) = (row.get(0), row.get(1));
    Ok(if recorded {
        let text = format!("the log records that {pseudonym} is erased; it has {events} events");
        Check::of(true, text)
    } else {
        let text = format!("the log does not record that {pseudonym} is erased");
        Check::of(false, text)
    })
}

/// No key is left that the tenant's sealed values are under.
async fn sealed(
    database: &Database,
    log: LogId,
    Pseudonym(pseudonym): Pseudonym,
) -> Result<Check, StoreError> {
    let row = database.query_one(OPEN, &[&log.0, &pseudonym]).await?;
    let (values, open): (i64, i64) = (row.get(0), row.get(1));
    let text = format!("of {values} values sealed for {pseudonym}, {open} have a key left");
    Ok(Check::of(open == 0, text))
}

/// Neither is one of the days whose orphans turned out to be the tenant's. One finding per day.
async fn orphans(
    database: &Database,
    log: LogId,
    Pseudonym(pseudonym): Pseudonym,
) -> Result<Vec<Check>, StoreError> {
    let rows = database.query(OPEN_ORPHANS, &[&log.0, &pseudonym]).await?;
    let found = rows.iter().map(|row| {
        let (day, orphans): (time::Date, i64) = (row.get(0), row.get(1));
        let text = format!(
            "{orphans} receipts that came before their message are sealed under the key of {day}, \
             which `tollbook keys expire` has not destroyed yet"
        );
        Check::of(false, text)
    });
    let mut checks: Vec<_> = found.collect();
    if checks.is_empty() {
        let text = format!("no receipt of {pseudonym} is sealed under the key of a day");
        checks.push(Check::of(true, text));
    }
    Ok(checks)
}

/// No column names it.
async fn named(database: &Database, tenant: TenantId) -> Result<Vec<Check>, StoreError> {
    let rows = database.query(FIND_TENANT, &[&tenant.0]).await?;
    let mut checks = Vec::new();
    for row in &rows {
        let (table, column, found): (&str, &str, i64) = (row.get(0), row.get(1), row.get(2));
        if found > 0 {
            let text = format!("{found} rows of {table}.{column} name it");
            checks.push(Check::of(false, text));
        }
    }
    if checks.is_empty() {
        let text = format!("none of {} columns names it", rows.len());
        checks.push(Check::of(true, text));
    }
    Ok(checks)
}
