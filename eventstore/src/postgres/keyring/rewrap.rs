//! Rotation of the master key: every data key is wrapped anew by the newest version in the file.
//!
//! Data keys themselves stay as they are, so nothing sealed under them is touched. Keys go in
//! batches, each of them one statement that changes a key only if it still is as it was read. So
//! this may be stopped at any instant, run again, run twice at once, and run while services work:
//! a key is under the one version or under the other, and they open both.

use std::collections::HashMap;

use schema::Timestamp;
use time::OffsetDateTime;
use tokio_postgres::{Row, types::ToSql};

use super::{
    BEGIN_MASTER_KEY, KEYS_TO_REWRAP, MASTER_KEYS, MissingMasterKey, PgKeyring, REWRAP,
    making::refused, subject, unwrapped,
};
use crate::{
    clock,
    keyring::{KeyringError, Locked, MasterKeys, Wrapped},
};

/// How many data keys one statement wraps anew.
const BATCH: i64 = 500;

/// What [`PgKeyring::rewrap`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrapped {
    /// The version that wraps now.
    pub version: i16,
    /// How many data keys were wrapped anew.
    pub data_keys: u64,
    /// Those that did not open. They are as they were.
    pub locked: Vec<Locked>,
    /// The older versions in the file that no data key is under any more.
    pub unused: Vec<i16>,
    /// Those that know erased tenants again until this moment, and are under no data key either.
    pub awaited: Vec<(i16, Timestamp)>,
    /// The other older versions, each with the number of data keys that are under it.
    pub in_use: Vec<(i16, i64)>,
}

/// Why no data key was wrapped anew, or not all of them.
#[derive(Debug, thiserror::Error)]
pub enum RewrapError {
    /// The keyring failed, or the file means another key by a version.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// It is not the file of this database, or an old one.
    #[error(
        "the master key file lacks version {}, which wraps {} data keys",
        .0.version, .0.data_keys
    )]
    Missing(MissingMasterKey),
}

/// Data keys on their way from one version to another.
#[derive(Default)]
struct Batch<'a> {
    keys: Vec<i64>,
    was: Vec<&'a [u8]>,
    now: Vec<Vec<u8>>,
    /// The last of them: all are under its version.
    by: Option<Wrapped>,
    locked: Vec<Locked>,
}

impl<'a> Batch<'a> {
    fn of(rows: &'a [Row], masters: &MasterKeys, version: i16) -> Self {
        let mut batch = Self::default();
        for row in rows {
            let Some(subject) = subject(row) else {
                continue;
            };
            match unwrapped(masters, row, 0, subject) {
                Ok(key) => {
                    let Some(wrapped) = masters.wrap_under(version, &key, subject) else {
                        continue;
                    };
                    batch.keys.push(row.get(0));
                    batch.was.push(row.get(1));
                    batch.now.push(wrapped.bytes.clone());
                    batch.by = Some(wrapped);
                }
                Err(closed) => batch.locked.push(closed),
            }
        }
        batch
    }
}

impl PgKeyring {
    /// Wraps every data key that is under an older version anew, under the newest in the file.
    ///
    /// # Errors
    /// The file lacks a version in use or means another key by one: then nothing was done. Or a
    /// fault: what was done until then stays done.
    pub async fn rewrap(&self) -> Result<Rewrapped, RewrapError> {
        if let Some(&missing) = self.check().await?.first() {
            return Err(RewrapError::Missing(missing));
        }
        // From here on no process makes a data key under an older version.
        let version = self.begin().await?;
        let (mut data_keys, mut locked, mut after) = (0, Vec::new(), 0_i64);
        loop {
            let parameters: [&(dyn ToSql + Sync); 3] = [&version, &after, &BATCH];
            let read = self.database.query(KEYS_TO_REWRAP, &parameters);
            let rows = read.await.map_err(KeyringError::from)?;
            let Some(last) = rows.last() else { break };
            after = last.get(0);
            // Read for each batch, so that no master key stays in memory for long.
            let masters = self.masters.keys().map_err(KeyringError::from)?;
            let batch = Batch::of(&rows, &masters, version);
            // These keys are under the new version after this. Whoever is killed then leaves the
            // rest to the next run.
            data_keys += self.put(&batch).await?;
            locked.extend(batch.locked);
        }
        let done = Rewrapped {
            version,
            data_keys,
            locked,
            unused: Vec::new(),
            awaited: Vec::new(),
            in_use: Vec::new(),
        };
        Ok(self.with_older(done).await?)
    }

    /// Makes the newest version in the file the one that wraps.
    async fn begin(&self) -> Result<i16, KeyringError> {
        let (version, check) = self.masters.keys()?.newest();
        let parameters: [&(dyn ToSql + Sync); 2] = [&version, &check.0.as_slice()];
        match self.database.query(BEGIN_MASTER_KEY, &parameters).await {
            Ok(_) => Ok(version),
            Err(error) => Err(refused(error, version, &check)),
        }
    }

    /// Stores a batch; says how many keys were still as they were read.
    async fn put(&self, batch: &Batch<'_>) -> Result<u64, KeyringError> {
        let Some(by) = &batch.by else { return Ok(0) };
        let check = by.check.0.as_slice();
        let parameters: [&(dyn ToSql + Sync); 5] =
            [&batch.keys, &batch.was, &batch.now, &by.version, &check];
        let stored = self.database.query_one(REWRAP, &parameters).await;
        let row = stored.map_err(|error| refused(error, by.version, &by.check))?;
        Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or_default())
    }

    /// Says also which versions before the one that wraps are needed, and for what.
    async fn with_older(&self, mut done: Rewrapped) -> Result<Rewrapped, KeyringError> {
        let rows = self.database.query(MASTER_KEYS, &[]).await?;
        let used: HashMap<i16, &Row> = rows.iter().map(|row| (row.get(0), row)).collect();
        let now = clock::now();
        for (version, _) in self.masters.keys()?.checks() {
            if version >= done.version {
                continue;
            }
            let row = used.get(&version);
            let data_keys = row.map_or(0, |row| row.get(2));
            let until: Option<OffsetDateTime> = row.and_then(|row| row.get(3));
            let until = until.map(Timestamp::from_datetime);
            match until.filter(|until| *until > now) {
                _ if data_keys > 0 => done.in_use.push((version, data_keys)),
                Some(until) => done.awaited.push((version, until)),
                None => done.unused.push(version),
            }
        }
        Ok(done)
    }
}
