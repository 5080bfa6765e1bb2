//! Making a data key: wrapped by the version of the master key that the database says wraps, so that
//! every process can open what any of them made.
//!
//! That version is not simply the newest of the file: a new one reaches the files of some processes
//! before those of others, and wraps nothing until `tollbook keys rewrap` has begun it for all.

use std::sync::atomic::Ordering;

use ring::rand::{SecureRandom, SystemRandom};
use tokio_postgres::types::ToSql;
use zeroize::Zeroizing;

use super::{super::Statement, PgKeyring};
use crate::{
    StoreError,
    keyring::{CheckValue, KeyringError, MasterKeys, Subject, Wrapped},
    seal::KEY_LEN,
};

/// How often another version is tried because the database has said so. Once is enough unless the
/// next one begins at that moment.
const TRIES: usize = 3;

impl PgKeyring {
    /// Makes a data key for `subject`. `statement` stores it: it takes what it is stored under, then
    /// the wrapped key, the version and its check value.
    ///
    /// # Errors
    /// A fault, or the file lacks the version that wraps or means another key by it.
    pub(super) async fn make(
        &self,
        subject: Subject,
        statement: &Statement,
        named: &[&(dyn ToSql + Sync)],
    ) -> Result<(), KeyringError> {
        let mut refusal = KeyringError::Absent;
        for _ in 0..TRIES {
            let made = self.wrapped(&self.masters.keys()?, subject);
            let check = made.check.0.as_slice();
            let wrapped: [&(dyn ToSql + Sync); 3] = [&made.bytes, &made.version, &check];
            let parameters = [named, &wrapped].concat();
            match self.database.query(*statement, &parameters).await {
                Ok(_) => return Ok(()),
                Err(error) => refusal = refused(error, made.version, &made.check),
            }
            match refusal {
                KeyringError::OtherVersion { wraps } => self.wraps.store(wraps, Ordering::Relaxed),
                fault => return Err(fault),
            }
        }
        Err(refusal)
    }

    /// A fresh data key under the version that wraps as far as we know, else under the newest.
    fn wrapped(&self, masters: &MasterKeys, subject: Subject) -> Wrapped {
        let (key, wraps) = (fresh_key(), self.wraps.load(Ordering::Relaxed));
        let known = masters.wrap_under(wraps, &key, subject);
        known.unwrap_or_else(|| masters.wrap(&key, subject))
    }
}

/// What it means that the database did not take a wrapped key.
pub(super) fn refused(error: StoreError, version: i16, check: &CheckValue) -> KeyringError {
    if let StoreError::Postgres { source, .. } = &error
        && let Some(said) = source.as_db_error()
    {
        let detail = said.detail().unwrap_or_default();
        match (said.code().code(), detail.parse()) {
            ("TBKEY", _) => return other_master_key(version, check, detail.to_owned()),
            ("TBVER", Ok(wraps)) => return KeyringError::OtherVersion { wraps },
            ("TBERA", _) => return KeyringError::Erased,
            _ => {}
        }
    }
    error.into()
}

pub(super) fn other_master_key(version: i16, check: &CheckValue, known: String) -> KeyringError {
    KeyringError::OtherMasterKey {
        version,
        fingerprint: check.fingerprint(),
        known,
    }
}

fn fresh_key() -> Zeroizing<[u8; KEY_LEN]> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    // Unwrap safety: the operating system's generator fails only where nothing works any more.
    SystemRandom::new()
        .fill(&mut *key)
        .expect("the operating system gives random bytes");
    key
}
