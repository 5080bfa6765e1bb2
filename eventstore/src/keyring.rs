//! The keyring: who a pseudonym stands for, and the data keys that personal data is sealed under.
//!
//! One data key per tenant; orphans, whose tenant nobody knows, share a key per UTC day. A data
//! key is stored wrapped (AES-256-GCM) by a master key that comes from a file and never enters
//! the database. The mapping from tenant to pseudonym stands outside the log: erasing a tenant
//! deletes the row and its key, and the log stays as it is.

mod master;

use std::collections::HashMap;

use async_trait::async_trait;
use schema::{Pseudonym, TenantId};
use time::Date;

pub use self::master::{MasterKeyError, MasterKeyFile, MasterKeys, Subject};
use crate::{StoreError, seal::DataKey};

/// A tenant as the log knows it.
#[derive(Debug, Clone)]
pub struct TenantKey {
    /// What stands for the tenant in the log.
    pub pseudonym: Pseudonym,
    /// Its data key.
    pub key: DataKey,
}

/// A fault of the keyring.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The store behind it failed.
    #[error("reading or writing the keyring")]
    Store(#[from] StoreError),
    /// A data key does not open under the master keys at hand.
    #[error("data key {key} is wrapped by a master key that is not in the master key file")]
    Locked {
        /// The number of the data key.
        key: i64,
    },
    /// The master keys cannot be read.
    #[error("reading the master keys")]
    Master(#[from] MasterKeyError),
    /// A key was enrolled and then not found.
    #[error("a data key vanished while it was enrolled")]
    Absent,
}

/// Hands out data keys, making one where there is none yet. What it answered once it keeps in
/// memory, so that a batch of known tenants costs no query.
#[async_trait]
pub trait Keyring: Send + Sync {
    /// The keys of these tenants.
    ///
    /// # Errors
    /// A fault; nothing is guessed.
    async fn of_tenants(
        &self,
        tenants: &[TenantId],
    ) -> Result<HashMap<TenantId, TenantKey>, KeyringError>;

    /// The key of orphans received on `day`.
    ///
    /// # Errors
    /// A fault.
    async fn of_day(&self, day: Date) -> Result<DataKey, KeyringError>;

    /// The keys under these numbers; a destroyed one is absent.
    ///
    /// # Errors
    /// A fault.
    async fn by_id(&self, keys: &[i64]) -> Result<HashMap<i64, DataKey>, KeyringError>;

    /// The tenants these pseudonyms stand for; an erased one is absent.
    ///
    /// # Errors
    /// A fault.
    async fn tenants_of(
        &self,
        pseudonyms: &[Pseudonym],
    ) -> Result<HashMap<Pseudonym, TenantId>, KeyringError>;
}
