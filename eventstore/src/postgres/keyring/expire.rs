//! The end of the keys of days: what receipts without a message said of people is gone with them.

use std::{collections::BTreeSet, time::Duration};

use time::Date;

use super::super::{Database, Statement};
use crate::StoreError;

const EXPIRE: Statement = Statement::new(include_str!("expire_keys_of_days.sql"));

/// What [`expire_keys_of_days`] destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// How many data keys.
    pub data_keys: usize,
    /// The days they were of.
    pub days: BTreeSet<Date>,
}

/// Destroys the data keys of days that ended at least `age` ago. The keys of tenants stay, and so
/// does whatever orphan was recorded with its message: it is sealed anew for the tenant.
///
/// # Errors
/// A fault; nothing is destroyed.
pub async fn expire_keys_of_days(
    database: &Database,
    age: Duration,
) -> Result<Expired, StoreError> {
    let rows = database.query(EXPIRE, &[&age.as_secs_f64()]).await?;
    // The keys are gone now. A trigger has noted it, so every process forgets them within seconds.
    Ok(Expired {
        data_keys: rows.len(),
        days: rows.iter().map(|row| row.get(0)).collect(),
    })
}
