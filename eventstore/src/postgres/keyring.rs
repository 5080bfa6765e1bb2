//! [`Keyring`] in Postgres: data keys wrapped by a master key that never enters the database.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use ring::rand::{SecureRandom, SystemRandom};
use schema::{Pseudonym, TenantId};
use time::Date;
use tokio_postgres::Row;
use uuid::Uuid;

use super::Database;
use crate::{
    StoreError,
    keyring::{Keyring, KeyringError, MasterKeyFile, Subject, TenantKey},
    log::postgres_error,
    seal::{DataKey, KEY_LEN},
};

/// The keyring of one database. What it learned it keeps; a destroyed key is forgotten with
/// [`PgKeyring::forget`].
pub struct PgKeyring {
    database: Database,
    masters: MasterKeyFile,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    tenants: HashMap<TenantId, TenantKey>,
    pseudonyms: HashMap<Pseudonym, TenantId>,
    days: HashMap<Date, DataKey>,
    keys: HashMap<i64, DataKey>,
}

/// How many days' keys are kept in memory: enough for everything that may still heal.
const DAYS: usize = 32;

impl PgKeyring {
    /// A keyring in `database` under these master keys.
    #[must_use]
    pub fn new(database: Database, masters: MasterKeyFile) -> Self {
        Self {
            database,
            masters,
            known: Mutex::default(),
        }
    }

    /// Forgets everything learned, so that what was destroyed is not used any more.
    pub fn forget(&self) {
        *self.known() = Known::default();
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives each of these tenants a pseudonym and a key unless it has them. Two nodes may do
    /// this at once; the database keeps the first and both read that one back.
    async fn enrol(&self, tenants: &[TenantId]) -> Result<(), KeyringError> {
        const SQL: &str = "select eventlog.enrol_tenant($1, $2, $3, $4)";
        let failed = |source| KeyringError::from(postgres_error("enrolling a tenant")(source));
        let client = self.database.client("enrolling a tenant").await?;
        let statement = client.prepare_cached(SQL).await.map_err(failed)?;
        for tenant in tenants {
            let pseudonym = Pseudonym(random_id());
            let (wrapped, master) = self
                .masters
                .keys()?
                .wrap(&fresh_key(), Subject::Tenant(pseudonym));
            client
                .execute(&statement, &[&tenant.0, &pseudonym.0, &wrapped, &master])
                .await
                .map_err(failed)?;
        }
        Ok(())
    }

    async fn load_tenants(&self, tenants: &[TenantId]) -> Result<(), KeyringError> {
        const SQL: &str = include_str!("keyring_of_tenants.sql");
        let ids: Vec<Uuid> = tenants.iter().map(|tenant| tenant.0).collect();
        for row in self.query("reading tenants' keys", SQL, &[&ids]).await? {
            let tenant = TenantId(row.get(0));
            let pseudonym = Pseudonym(row.get(1));
            let key = self.unwrap(&row, 2, Subject::Tenant(pseudonym))?;
            let mut known = self.known();
            known.pseudonyms.insert(pseudonym, tenant);
            known.keys.insert(key.id(), key.clone());
            known.tenants.insert(tenant, TenantKey { pseudonym, key });
        }
        Ok(())
    }

    /// Reads key id, wrapped key and master key version from `row`, starting at column `first`.
    fn unwrap(&self, row: &Row, first: usize, subject: Subject) -> Result<DataKey, KeyringError> {
        let key: i64 = row.get(first);
        let wrapped: &[u8] = row.get(first + 1);
        let bytes = self
            .masters
            .keys()?
            .unwrap(wrapped, row.get(first + 2), subject)
            .ok_or(KeyringError::Locked { key })?;
        Ok(DataKey::new(key, &bytes))
    }

    async fn query(
        &self,
        operation: &'static str,
        sql: &str,
        params: &[&(dyn tokio_postgres::types::ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let failed = postgres_error(operation);
        let client = self.database.client(operation).await?;
        let statement = client.prepare_cached(sql).await.map_err(failed)?;
        client.query(&statement, params).await.map_err(failed)
    }
}

#[async_trait]
impl Keyring for PgKeyring {
    async fn of_tenants(
        &self,
        tenants: &[TenantId],
    ) -> Result<HashMap<TenantId, TenantKey>, KeyringError> {
        let unknown = |tenants: &[TenantId]| -> Vec<TenantId> {
            let known = self.known();
            tenants
                .iter()
                .filter(|tenant| !known.tenants.contains_key(tenant))
                .copied()
                .collect()
        };
        let missing = unknown(tenants);
        if !missing.is_empty() {
            self.load_tenants(&missing).await?;
            let new = unknown(&missing);
            if !new.is_empty() {
                self.enrol(&new).await?;
                self.load_tenants(&new).await?;
            }
        }
        let known = self.known();
        let pick = |tenant: &TenantId| Some((*tenant, known.tenants.get(tenant)?.clone()));
        Ok(tenants.iter().filter_map(pick).collect())
    }

    async fn of_day(&self, day: Date) -> Result<DataKey, KeyringError> {
        const LOAD: &str =
            "select key_id, wrapped, master_key from eventlog.data_key where day = $1";
        const ENROL: &str = "select eventlog.enrol_day($1, $2, $3)";
        if let Some(key) = self.known().days.get(&day) {
            return Ok(key.clone());
        }
        let mut rows = self.query("reading a day's key", LOAD, &[&day]).await?;
        if rows.is_empty() {
            let (wrapped, master) = self.masters.keys()?.wrap(&fresh_key(), Subject::Day(day));
            self.query("enrolling a day", ENROL, &[&day, &wrapped, &master])
                .await?;
            rows = self.query("reading a day's key", LOAD, &[&day]).await?;
        }
        let row = rows.first().ok_or(KeyringError::Absent)?;
        let key = self.unwrap(row, 0, Subject::Day(day))?;
        let mut known = self.known();
        if known.days.len() >= DAYS {
            known.days.clear();
        }
        known.days.insert(day, key.clone());
        known.keys.insert(key.id(), key.clone());
        Ok(key)
    }

    async fn by_id(&self, keys: &[i64]) -> Result<HashMap<i64, DataKey>, KeyringError> {
        const SQL: &str = include_str!("keyring_by_id.sql");
        let missing: Vec<i64> = {
            let known = self.known();
            keys.iter()
                .filter(|key| !known.keys.contains_key(key))
                .copied()
                .collect()
        };
        if !missing.is_empty() {
            for row in self.query("reading keys", SQL, &[&missing]).await? {
                let tenant: Option<Uuid> = row.get(3);
                let day: Option<Date> = row.get(4);
                let subject = match (tenant, day) {
                    (Some(pseudonym), _) => Subject::Tenant(Pseudonym(pseudonym)),
                    (None, Some(day)) => Subject::Day(day),
                    (None, None) => continue,
                };
                let key = self.unwrap(&row, 0, subject)?;
                self.known().keys.insert(key.id(), key);
            }
        }
        let known = self.known();
        Ok(keys
            .iter()
            .filter_map(|key| Some((*key, known.keys.get(key)?.clone())))
            .collect())
    }

    async fn tenants_of(
        &self,
        pseudonyms: &[Pseudonym],
    ) -> Result<HashMap<Pseudonym, TenantId>, KeyringError> {
        const SQL: &str =
            "select pseudonym, tenant_id from eventlog.tenant where pseudonym = any($1)";
        let missing: Vec<Uuid> = {
            let known = self.known();
            let unknown = |name: &&Pseudonym| !known.pseudonyms.contains_key(name);
            pseudonyms
                .iter()
                .filter(unknown)
                .map(|name| name.0)
                .collect()
        };
        if !missing.is_empty() {
            for row in self.query("reading pseudonyms", SQL, &[&missing]).await? {
                self.known()
                    .pseudonyms
                    .insert(Pseudonym(row.get(0)), TenantId(row.get(1)));
            }
        }
        let known = self.known();
        let pick = |name: &Pseudonym| Some((*name, *known.pseudonyms.get(name)?));
        Ok(pseudonyms.iter().filter_map(pick).collect())
    }
}

fn fresh_key() -> zeroize::Zeroizing<[u8; KEY_LEN]> {
    let mut key = zeroize::Zeroizing::new([0; KEY_LEN]);
    // Unwrap safety: the operating system's generator fails only where nothing works any more.
    SystemRandom::new()
        .fill(&mut *key)
        .expect("the operating system gives random bytes");
    key
}

#[expect(
    clippy::disallowed_methods,
    reason = "a pseudonym must not be derivable from anything"
)]
fn random_id() -> Uuid {
    Uuid::new_v4()
}
