//! [`Keyring`] in Postgres: data keys wrapped by a master key that never enters the database.
//!
//! A data key that does not open holds up nobody but whoever needs that key. A master key under
//! which nobody else could open what it wraps is refused, when the process starts
//! ([`PgKeyring::check`]) and in each transaction that makes a data key.

mod cache;
mod expire;
mod making;
mod rewrap;

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicI16},
};

use async_trait::async_trait;
use schema::{Pseudonym, TenantId};
use time::Date;
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;
use zeroize::Zeroizing;

use self::{cache::KeyCache, making::other_master_key};
pub use self::{
    expire::{Expired, expire_keys_of_days},
    rewrap::{RewrapError, Rewrapped},
};
use super::{Database, Statement};
use crate::{
    clock,
    keyring::{
        CheckValue, ErasedDigest, Keyring, KeyringError, KnownTenant, Locked, MasterKeyFile,
        MasterKeys, Subject, fingerprint,
    },
    seal::{DataKey, KEY_LEN},
};

const BEGIN_MASTER_KEY: Statement = Statement::new(include_str!("keyring/begin_master_key.sql"));
const BY_ID: Statement = Statement::new(include_str!("keyring/by_id.sql"));
const DESTROYED: Statement = Statement::new(include_str!("keyring/destroyed.sql"));
const ENROL_DAY: Statement = Statement::new(include_str!("keyring/enrol_day.sql"));
const ENROL_TENANT: Statement = Statement::new(include_str!("keyring/enrol_tenant.sql"));
const KEYS_TO_REWRAP: Statement = Statement::new(include_str!("keyring/read_keys_to_rewrap.sql"));
const MASTER_KEYS: Statement = Statement::new(include_str!("keyring/master_keys.sql"));
const ERASED: Statement = Statement::new(include_str!("keyring/erased.sql"));
const OF_DAY: Statement = Statement::new(include_str!("keyring/of_day.sql"));
const OF_PSEUDONYMS: Statement = Statement::new(include_str!("keyring/of_pseudonyms.sql"));
const OF_TENANTS: Statement = Statement::new(include_str!("keyring/of_tenants.sql"));
const REWRAP: Statement = Statement::new(include_str!("keyring/rewrap.sql"));

/// How many keys a day may have; the database keeps no more.
const DAY_KEYS_MAX: usize = 8;

/// Told how many data keys are known that do not open, whenever that may have changed.
pub type TellLocked = Arc<dyn Fn(usize) + Send + Sync>;

/// The keyring of one database. What it learned it keeps until the key is destroyed
/// ([`PgKeyring::look_again`]).
pub struct PgKeyring {
    database: Database,
    masters: MasterKeyFile,
    memory: KeyCache,
    /// The version that wraps, as the database last said; 0 before it did.
    wraps: AtomicI16,
}

/// A version of the master key that data keys need and the file does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingMasterKey {
    /// The version.
    pub version: i16,
    /// How many data keys are wrapped by it.
    pub data_keys: i64,
}

impl PgKeyring {
    /// A keyring in `database` under these master keys.
    #[must_use]
    pub fn new(database: Database, masters: MasterKeyFile) -> Self {
        Self {
            database,
            masters,
            memory: KeyCache::new(Arc::new(|_| {})),
            wraps: AtomicI16::new(0),
        }
    }

    /// The same, telling how many data keys do not open.
    #[must_use]
    pub fn telling(self, tell: TellLocked) -> Self {
        let memory = KeyCache::new(tell);
        Self { memory, ..self }
    }

    /// Compares the master key file with what this database was used with, and says which
    /// versions it lacks.
    ///
    /// # Errors
    /// A version means another key there ([`KeyringError::OtherMasterKey`]), or a fault.
    pub async fn check(&self) -> Result<Vec<MissingMasterKey>, KeyringError> {
        let masters = self.masters.keys()?;
        let checks: HashMap<i16, CheckValue> = masters.checks().collect();
        let mut missing = Vec::new();
        for row in self.database.query(MASTER_KEYS, &[]).await? {
            let (version, known): (i16, Option<&[u8]>) = (row.get(0), row.get(1));
            match (checks.get(&version), known) {
                (Some(check), Some(known)) if check.0 != known => {
                    return Err(other_master_key(version, check, fingerprint(known)));
                }
                (Some(_), _) => {}
                (None, _) => {
                    let data_keys = row.get(2);
                    missing.push(MissingMasterKey { version, data_keys });
                }
            }
        }
        missing.retain(|missing| missing.data_keys > 0);
        Ok(missing)
    }

    /// Forgets everything learned.
    pub fn forget(&self) {
        self.memory.forget();
    }

    /// Forgets the data keys that were destroyed lately, so that nothing is sealed under them or
    /// opened with them any more, and tries again those that did not open.
    ///
    /// # Errors
    /// A fault.
    pub async fn look_again(&self) -> Result<(), KeyringError> {
        let rows = self.database.query(DESTROYED, &[]).await?;
        let destroyed: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        self.memory.forget_destroyed(&destroyed);
        let locked = self.memory.locked();
        if !locked.is_empty() {
            self.by_id(&locked).await?;
        }
        Ok(())
    }

    /// Gives each of these tenants a pseudonym and a key unless it has them or was `erased`. Two
    /// nodes may do this at once; the database keeps the first and both read that one back.
    async fn enrol(
        &self,
        tenants: &[TenantId],
        erased: impl Fn(TenantId) -> Vec<ErasedDigest>,
    ) -> Result<(), KeyringError> {
        for &tenant in tenants {
            let pseudonym = Pseudonym(random_id());
            let erased = erased(tenant);
            let erased: Vec<&[u8]> = erased.iter().map(|it| it.digest.as_slice()).collect();
            let named: [&(dyn ToSql + Sync); 3] = [&tenant.0, &pseudonym.0, &erased];
            self.make(Subject::Tenant(pseudonym), &ENROL_TENANT, &named)
                .await?;
        }
        Ok(())
    }

    /// Those of `tenants` that were erased, or that are the pseudonyms of some that were.
    async fn erased(
        &self,
        tenants: &[TenantId],
    ) -> Result<HashMap<TenantId, KnownTenant>, KeyringError> {
        let masters = self.masters.keys()?;
        let digests: HashMap<[u8; 32], TenantId> = tenants
            .iter()
            .flat_map(|&tenant| {
                let digests = masters.erased_digests(tenant);
                digests.map(move |it| (it.digest, tenant))
            })
            .collect();
        let asked: Vec<&[u8]> = digests.keys().map(<[u8; 32]>::as_slice).collect();
        let ids: Vec<Uuid> = tenants.iter().map(|tenant| tenant.0).collect();
        let rows = self.database.query(ERASED, &[&asked, &ids]).await?;
        let found = rows.iter().map(|row| {
            let pseudonym = Pseudonym(row.get(0));
            let tenant = digests.get(row.get::<_, &[u8]>(1)).copied();
            // Erased twice, it is the one it was last.
            let key = Ok(None);
            let tenant = tenant.unwrap_or(TenantId(pseudonym.0));
            (tenant, KnownTenant { pseudonym, key })
        });
        Ok(found.collect())
    }

    async fn load_tenants(
        &self,
        tenants: &[TenantId],
    ) -> Result<HashMap<TenantId, KnownTenant>, KeyringError> {
        let ids: Vec<Uuid> = tenants.iter().map(|tenant| tenant.0).collect();
        let rows = self.database.query(OF_TENANTS, &[&ids]).await?;
        let masters = self.masters.keys()?;
        let loaded = rows.iter().map(|row| {
            let tenant = TenantId(row.get(0));
            let pseudonym = Pseudonym(row.get(1));
            let key = unwrap(&masters, row, 2, Subject::Tenant(pseudonym));
            self.memory.learn(key.as_ref(), |known, key| {
                known.pseudonyms.insert(pseudonym, tenant);
                if let Some(key) = key {
                    known.tenants.insert(tenant, (pseudonym, key));
                }
            });
            let key = key.map(Some);
            (tenant, KnownTenant { pseudonym, key })
        });
        Ok(loaded.collect())
    }

    /// The keys of a day in the order they were made: the first that opens, and how many do not.
    async fn load_day(&self, day: Date) -> Result<(Option<DataKey>, Vec<Locked>), KeyringError> {
        let rows = self.database.query(OF_DAY, &[&day]).await?;
        let mut locked = Vec::new();
        if rows.is_empty() {
            return Ok((None, locked));
        }
        let masters = self.masters.keys()?;
        for row in &rows {
            let key = unwrap(&masters, row, 0, Subject::Day(day));
            self.memory.learn(key.as_ref(), |known, key| {
                if let Some(key) = key {
                    known.keep_day(day, key);
                }
            });
            match key {
                Ok(key) => return Ok((Some(key), locked)),
                Err(closed) => locked.push(closed),
            }
        }
        Ok((None, locked))
    }

    /// A new key beside those of `day` that do not open, or one of today if `day` is long past.
    async fn another_of_day(&self, day: Date, locked: &[Locked]) -> Result<DataKey, KeyringError> {
        let today = clock::now().date();
        let about_now = today.previous_day() <= Some(day) && Some(day) <= today.next_day();
        if !about_now {
            return self.of_day(today).await;
        }
        if let Some(&closed) = locked.get(DAY_KEYS_MAX - 1) {
            return Err(closed.into());
        }
        let number = i16::try_from(locked.len() + 1).unwrap_or(i16::MAX);
        self.enrol_day(day, number).await?;
        match self.load_day(day).await? {
            (Some(key), _) => Ok(key),
            (None, locked) => Err(locked
                .last()
                .map_or(KeyringError::Absent, |&key| key.into())),
        }
    }

    async fn enrol_day(&self, day: Date, number: i16) -> Result<(), KeyringError> {
        let named: [&(dyn ToSql + Sync); 2] = [&day, &number];
        self.make(Subject::Day(day), &ENROL_DAY, &named).await
    }
}

#[async_trait]
impl Keyring for PgKeyring {
    async fn of_tenants(
        &self,
        tenants: &[TenantId],
    ) -> Result<HashMap<TenantId, KnownTenant>, KeyringError> {
        let (mut found, missing) = self.memory.tenants(tenants);
        if !missing.is_empty() {
            found.extend(self.load_tenants(&missing).await?);
            let mut new = missing;
            new.retain(|tenant| !found.contains_key(tenant));
            if !new.is_empty() {
                found.extend(self.erased(&new).await?);
                new.retain(|tenant| !found.contains_key(tenant));
            }
            if !new.is_empty() {
                let masters = self.masters.keys()?;
                let erased = |tenant| masters.erased_digests(tenant).collect();
                self.enrol(&new, erased).await?;
                found.extend(self.load_tenants(&new).await?);
            }
        }
        Ok(found)
    }

    async fn known(
        &self,
        tenants: &[TenantId],
    ) -> Result<HashMap<TenantId, Pseudonym>, KeyringError> {
        let mut found = self.load_tenants(tenants).await?;
        let mut new = tenants.to_vec();
        new.retain(|tenant| !found.contains_key(tenant));
        if !new.is_empty() {
            found.extend(self.erased(&new).await?);
        }
        let pseudonym = |(tenant, known): (TenantId, KnownTenant)| (tenant, known.pseudonym);
        Ok(found.into_iter().map(pseudonym).collect())
    }

    async fn registered(&self, tenant: TenantId) -> Result<KnownTenant, KeyringError> {
        let mut found = self.load_tenants(&[tenant]).await?;
        if found.is_empty() {
            self.enrol(&[tenant], |_| Vec::new()).await?;
            found = self.load_tenants(&[tenant]).await?;
        }
        found.remove(&tenant).ok_or(KeyringError::Absent)
    }

    async fn erased_before(&self, tenant: TenantId) -> Result<Vec<Pseudonym>, KeyringError> {
        let masters = self.masters.keys()?;
        let digests: Vec<_> = masters.erased_digests(tenant).collect();
        let asked: Vec<&[u8]> = digests.iter().map(|it| it.digest.as_slice()).collect();
        let rows = self
            .database
            .query(ERASED, &[&asked, &[tenant.0].as_slice()])
            .await?;
        Ok(rows.iter().map(|row| Pseudonym(row.get(0))).collect())
    }

    async fn of_day(&self, day: Date) -> Result<DataKey, KeyringError> {
        if let Some(key) = self.memory.of_day(day) {
            return Ok(key);
        }
        match self.load_day(day).await? {
            (Some(key), _) => Ok(key),
            (None, locked) => self.another_of_day(day, &locked).await,
        }
    }

    async fn by_id(
        &self,
        keys: &[i64],
    ) -> Result<HashMap<i64, Result<DataKey, Locked>>, KeyringError> {
        let (mut found, missing) = self.memory.keys(keys);
        if missing.is_empty() {
            return Ok(found);
        }
        let rows = self.database.query(BY_ID, &[&missing]).await?;
        let masters = self.masters.keys()?;
        for row in &rows {
            let Some(subject) = subject(row) else {
                continue;
            };
            let key = unwrap(&masters, row, 0, subject);
            self.memory.learn(key.as_ref(), |_, _| {});
            found.insert(row.get(0), key);
        }
        Ok(found)
    }

    async fn tenants_of(
        &self,
        pseudonyms: &[Pseudonym],
    ) -> Result<HashMap<Pseudonym, TenantId>, KeyringError> {
        let (mut found, missing) = self.memory.pseudonyms(pseudonyms);
        if !missing.is_empty() {
            for row in self.database.query(OF_PSEUDONYMS, &[&missing]).await? {
                found.insert(Pseudonym(row.get(0)), TenantId(row.get(1)));
            }
            self.memory.learn_pseudonyms(&found);
        }
        Ok(found)
    }
}

/// Whose key a row tells of that names tenant and day in columns 3 and 4.
fn subject(row: &Row) -> Option<Subject> {
    let (tenant, day): (Option<Uuid>, Option<Date>) = (row.get(3), row.get(4));
    let tenant = tenant.map(|pseudonym| Subject::Tenant(Pseudonym(pseudonym)));
    tenant.or(day.map(Subject::Day))
}

/// Reads key id, wrapped key and master key version from `row`, starting at column `first`.
fn unwrap(
    masters: &MasterKeys,
    row: &Row,
    first: usize,
    subject: Subject,
) -> Result<DataKey, Locked> {
    let bytes = unwrapped(masters, row, first, subject)?;
    Ok(DataKey::new(row.get(first), &bytes))
}

/// The same, as the bytes that are wrapped.
fn unwrapped(
    masters: &MasterKeys,
    row: &Row,
    first: usize,
    subject: Subject,
) -> Result<Zeroizing<[u8; KEY_LEN]>, Locked> {
    let (key, wrapped, version): (i64, &[u8], i16) =
        (row.get(first), row.get(first + 1), row.get(first + 2));
    masters.unwrap(wrapped, version, subject).ok_or(Locked {
        key,
        master_key: version,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a pseudonym must not be derivable from anything"
)]
fn random_id() -> Uuid {
    Uuid::new_v4()
}
