//! The keyring: who a pseudonym stands for, and the data keys that personal data is sealed under.
//!
//! One data key per tenant; orphans, whose tenant nobody knows, share a key per UTC day. A data
//! key is stored wrapped (AES-256-GCM) by a master key that comes from a file and never enters
//! the database. The mapping from tenant to pseudonym stands outside the log: erasing a tenant
//! deletes the row and its key, and the log stays as it is.

mod master;

use std::collections::HashMap;

use async_trait::async_trait;
use schema::{Personal, Pseudonym, SealedValue, TenantId};
use time::Date;

pub use self::master::{
    CheckValue, ErasedDigest, MasterKeyError, MasterKeyFile, MasterKeys, Subject, Wrapped,
    fingerprint,
};
use crate::{
    StoreError,
    seal::{DataKey, Place},
};

/// A tenant as the log knows it.
#[derive(Debug, Clone)]
pub struct KnownTenant {
    /// What stands for the tenant in the log.
    pub pseudonym: Pseudonym,
    /// Its data key, if it opens; none once the tenant is erased.
    pub key: Result<Option<DataKey>, Locked>,
}

impl KnownTenant {
    /// The tenant with its key.
    ///
    /// # Errors
    /// The key does not open. That is a matter of this tenant alone.
    pub fn unlocked(&self) -> Result<TenantKey, Locked> {
        Ok(TenantKey {
            pseudonym: self.pseudonym,
            key: self.key.clone()?,
        })
    }
}

/// A tenant about whom can be recorded what happens.
#[derive(Debug, Clone)]
pub struct TenantKey {
    /// What stands for the tenant in the log.
    pub pseudonym: Pseudonym,
    /// Its data key. An erased tenant has none, and nothing personal of it is kept.
    pub key: Option<DataKey>,
}

impl TenantKey {
    /// `personal` sealed for `place`; nothing of an erased tenant.
    #[must_use]
    pub fn seal(&self, place: &Place<'_>, personal: &Personal) -> Option<SealedValue> {
        Some(self.key.as_ref()?.seal(place, personal))
    }
}

/// A data key that does not open under the master keys at hand. It may open later, once the file
/// is right, so whoever needs it waits; nobody else does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("data key {key} does not open under version {master_key} of the master key")]
pub struct Locked {
    /// The number of the data key.
    pub key: i64,
    /// The version that it is said to be wrapped by.
    pub master_key: i16,
}

/// A fault of the keyring.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The store behind it failed.
    #[error("reading or writing the keyring")]
    Store(#[from] StoreError),
    /// A data key does not open under the master keys at hand.
    #[error(transparent)]
    Locked(#[from] Locked),
    /// The file means another key by a version than the data keys of this database were wrapped
    /// with. A data key made under it could be opened by nobody else.
    #[error(
        "version {version} of the master key has fingerprint {fingerprint} in the master key file, \
         but this database was used with {known}"
    )]
    OtherMasterKey {
        /// The version.
        version: i16,
        /// Of the key in the file.
        fingerprint: String,
        /// Of the key that the database was used with.
        known: String,
    },
    /// This database wraps data keys by another version, which the file lacks.
    #[error("version {wraps} of the master key wraps data keys here, and the file lacks it")]
    OtherVersion {
        /// The version that wraps.
        wraps: i16,
    },
    /// The master keys cannot be read.
    #[error("reading the master keys")]
    Master(#[from] MasterKeyError),
    /// A key was enrolled and then not found.
    #[error("a data key vanished while it was enrolled")]
    Absent,
    /// The tenant was erased at the very moment when it was to be enrolled.
    #[error("the tenant was erased while it was enrolled")]
    Erased,
}

/// Hands out data keys, making one where there is none yet. What it answered once it keeps in
/// memory, so that a batch of known tenants costs no query.
#[async_trait]
pub trait Keyring: Send + Sync {
    /// These tenants as the log knows them, enrolled if they are new to it. An erased one stays the
    /// pseudonym it was, whether it is asked for by its id or by that pseudonym. One whose key is
    /// being destroyed is absent; that the key of one tenant does not open is no fault, and no matter
    /// of the others.
    ///
    /// # Errors
    /// A fault; nothing is guessed.
    async fn of_tenants(
        &self,
        tenants: &[TenantId],
    ) -> Result<HashMap<TenantId, KnownTenant>, KeyringError>;

    /// What stands for those of these tenants that the log knows, erased ones included. Nobody is
    /// enrolled.
    ///
    /// # Errors
    /// A fault.
    async fn known(
        &self,
        tenants: &[TenantId],
    ) -> Result<HashMap<TenantId, Pseudonym>, KeyringError>;

    /// One tenant, as [`Self::of_tenants`] says.
    ///
    /// # Errors
    /// A fault, or its key is being destroyed.
    async fn of_tenant(&self, tenant: TenantId) -> Result<KnownTenant, KeyringError> {
        let mut known = self.of_tenants(&[tenant]).await?;
        known.remove(&tenant).ok_or(KeyringError::Absent)
    }

    /// The tenant as somebody registers it on purpose: as it is known, but anew if it was erased.
    ///
    /// # Errors
    /// A fault, or its key is being destroyed.
    async fn registered(&self, tenant: TenantId) -> Result<KnownTenant, KeyringError>;

    /// The pseudonyms under which `tenant` was erased, in that order.
    ///
    /// # Errors
    /// A fault.
    async fn erased_before(&self, tenant: TenantId) -> Result<Vec<Pseudonym>, KeyringError>;

    /// A key for orphans received on `day`: one of that day, or, where that day is long past and
    /// has none, one of today. If one does not open, another is made beside it.
    ///
    /// # Errors
    /// A fault, or none of them opens and no more may be made.
    async fn of_day(&self, day: Date) -> Result<DataKey, KeyringError>;

    /// The keys under these numbers, as far as they open; a destroyed one is absent.
    ///
    /// # Errors
    /// A fault.
    async fn by_id(
        &self,
        keys: &[i64],
    ) -> Result<HashMap<i64, Result<DataKey, Locked>>, KeyringError>;

    /// The tenants these pseudonyms stand for; an erased one is absent.
    ///
    /// # Errors
    /// A fault.
    async fn tenants_of(
        &self,
        pseudonyms: &[Pseudonym],
    ) -> Result<HashMap<Pseudonym, TenantId>, KeyringError>;
}
