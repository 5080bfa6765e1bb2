//! Erasing a tenant: its data key is destroyed, and nothing outside the log names it any more.
//!
//! Done by a job as `tollbook_admin`; no service may. It may stop anywhere and be done again: what
//! is left to do stands in `eventlog.erased_tenant` until it is done.

use schema::{Pseudonym, TenantId, Timestamp};

use super::{Database, Statement};
use crate::keyring::{ErasedDigest, KeyringError, MasterKeyFile};

const BEGIN: Statement = Statement::new(include_str!("erasure/begin.sql"));
const RENAME: Statement = Statement::new(include_str!("erasure/rename.sql"));
const ERASED: Statement = Statement::new(include_str!("erasure/erased.sql"));

/// How many rows of each column are renamed in one transaction.
const ROWS: i64 = 20_000;

/// Erases tenants in one database.
#[derive(Clone)]
pub struct Eraser {
    database: Database,
    masters: MasterKeyFile,
}

/// An erasure that is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// When the data key was destroyed.
    pub at: Timestamp,
    /// How many rows named the tenant and now name its pseudonym.
    pub renamed: u64,
}

impl Eraser {
    /// An eraser for `database`, whose keys these master keys wrap.
    #[must_use]
    pub fn new(database: Database, masters: MasterKeyFile) -> Self {
        Self { database, masters }
    }

    /// Erases `tenant`, whom the log calls `pseudonym`, or finishes what was begun; it is absent if
    /// it is forgotten already. Nothing if the log never knew it by that name.
    ///
    /// # Errors
    /// A fault; it may be called again.
    pub async fn erase(
        &self,
        pseudonym: Pseudonym,
        tenant: Option<TenantId>,
    ) -> Result<Option<Erased>, KeyringError> {
        if let Some(tenant) = tenant {
            let masters = self.masters.keys()?;
            // Unwrap safety: a file without a key is refused when it is read.
            let ErasedDigest { version, digest } = masters
                .erased_digests(tenant)
                .last()
                .expect("at least one master key");
            let digest = digest.as_slice();
            self.database
                .query(BEGIN, &[&pseudonym.0, &tenant.0, &digest, &version])
                .await?;
            // The key is destroyed and the mapping gone: whatever is recorded and shown from here on
            // knows the pseudonym alone.
            while self.rename(pseudonym).await? > 0 {}
        }
        let rows = self.database.query(ERASED, &[&pseudonym.0]).await?;
        Ok(rows.first().map(|row| {
            let renamed: i64 = row.get(1);
            Erased {
                at: Timestamp::from_datetime(row.get(0)),
                renamed: renamed.unsigned_abs(),
            }
        }))
    }

    async fn rename(&self, pseudonym: Pseudonym) -> Result<i64, KeyringError> {
        let row = self
            .database
            .query_one(RENAME, &[&pseudonym.0, &ROWS])
            .await?;
        Ok(row.get(0))
    }
}
