//! Master keys: they wrap data keys, come from a file and never enter the database.
//!
//! What the database keeps of a version is its [`CheckValue`], which tells whether two files mean
//! the same key by it and nothing else.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use schema::{Pseudonym, TenantId};
use time::Date;
use zeroize::{Zeroize, Zeroizing};

use crate::{log::chain, seal::KEY_LEN};

/// What names the file.
const SETTING: &str = "MASTER_KEY_FILE";

/// Whose data key is wrapped. The wrapping is bound to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A tenant's.
    Tenant(Pseudonym),
    /// The orphans' of a UTC day.
    Day(Date),
}

impl Subject {
    fn additional_data(self) -> Vec<u8> {
        match self {
            Self::Tenant(pseudonym) => [b"tenant\0", pseudonym.0.as_bytes().as_slice()].concat(),
            Self::Day(day) => format!("day\0{day}").into_bytes(),
        }
    }
}

/// Tells one master key from another without telling anything about either: an HMAC-SHA-256 of a
/// fixed text under the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckValue(pub [u8; 32]);

impl CheckValue {
    fn of(key: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let mut value = [0; 32];
        value.copy_from_slice(hmac::sign(&key, b"tollbook/v1 master key check").as_ref());
        Self(value)
    }

    /// What people compare: its first eight bytes.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.0)
    }
}

/// The first eight bytes of a check value, in hexadecimal.
#[must_use]
pub fn fingerprint(check_value: &[u8]) -> String {
    let first = check_value.first_chunk().copied().unwrap_or_default();
    format!("{:016x}", u64::from_be_bytes(first))
}

/// A data key wrapped for the database.
#[derive(Debug, Clone)]
pub struct Wrapped {
    /// Nonce, ciphertext and tag.
    pub bytes: Vec<u8>,
    /// The version of the master key.
    pub version: i16,
    /// Which key that version means.
    pub check: CheckValue,
}

/// What is kept of an erased tenant's id: whoever has the master key can tell whether a tenant is the
/// one meant, and nobody can tell from it alone who that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErasedDigest {
    /// The version of the master key that it takes.
    pub version: i16,
    /// HMAC-SHA-256 of the id under a key derived from that master key.
    pub digest: [u8; 32],
}

struct MasterKey {
    key: LessSafeKey,
    check: CheckValue,
    erased: hmac::Key,
}

/// Every master key at hand, by version. All of them unwrap; which one wraps the database says.
pub struct MasterKeys {
    versions: BTreeMap<i16, MasterKey>,
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "MasterKeys{:?}",
            self.versions.keys().collect::<Vec<_>>()
        )
    }
}

/// A master key file that cannot be used. Never repeats its content.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// It cannot be read.
    #[error("reading the master key file {path}")]
    File {
        /// The file as it was named.
        path: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A line is not a version and a key.
    #[error("line {line} of the master key file is not `<version> <base64 of 32 bytes>`")]
    Line {
        /// From 1.
        line: usize,
    },
    /// It says a version twice, and one of the two keys would be lost.
    #[error("line {line} of the master key file gives version {version} a second time")]
    Twice {
        /// From 1.
        line: usize,
        /// The version.
        version: i16,
    },
    /// It holds no key.
    #[error("the master key file holds no key")]
    Empty,
}

/// The file that holds the master keys. It is read for each data key that is wrapped or unwrapped,
/// which is rare, so that a rotated file counts at once and no master key stays in memory.
#[derive(Debug, Clone)]
pub struct MasterKeyFile {
    path: PathBuf,
    /// Whether the log was told that it cannot be used.
    told: Arc<AtomicBool>,
}

impl MasterKeyFile {
    /// Names the file and makes sure that it can be used.
    ///
    /// # Errors
    /// It cannot be read or holds no key.
    pub fn new(path: PathBuf) -> Result<Self, MasterKeyError> {
        MasterKeys::read(&path)?;
        Ok(Self {
            path,
            told: Arc::default(),
        })
    }

    /// The keys in it now. That they cannot be read is told once, however often they are needed.
    ///
    /// # Errors
    /// It cannot be read or holds no key.
    pub fn keys(&self) -> Result<MasterKeys, MasterKeyError> {
        let keys = MasterKeys::read(&self.path);
        let told = self.told.swap(keys.is_err(), Ordering::Relaxed);
        match &keys {
            Err(error) if !told => {
                let error = chain(error);
                tracing::warn!(event = "secret.unreadable", setting = SETTING, error);
            }
            Ok(_) if told => tracing::info!(event = "secret.readable", setting = SETTING),
            _ => {}
        }
        keys
    }

    /// The file's permissions if everybody on this machine may read or write it.
    ///
    /// # Errors
    /// It cannot be looked at.
    pub fn open_to_others(&self) -> Result<Option<u32>, MasterKeyError> {
        let found = std::fs::metadata(&self.path).map_err(|source| MasterKeyError::File {
            path: self.path.display().to_string(),
            source,
        })?;
        let mode = found.permissions().mode() & 0o777;
        Ok((mode & 0o006 != 0).then_some(mode))
    }
}

impl MasterKeys {
    /// Reads a file with a line `<version> <base64 of 32 bytes>` per key; `#` starts a comment.
    ///
    /// # Errors
    /// The file cannot be read or is not of that form.
    pub fn read(path: &Path) -> Result<Self, MasterKeyError> {
        let text = std::fs::read_to_string(path).map_err(|source| MasterKeyError::File {
            path: path.display().to_string(),
            source,
        })?;
        Self::parse(&Zeroizing::new(text))
    }

    /// Reads the content of such a file.
    ///
    /// # Errors
    /// It is not of that form.
    pub fn parse(text: &str) -> Result<Self, MasterKeyError> {
        let mut versions = BTreeMap::new();
        for (line, content) in (1..).zip(text.lines().map(str::trim)) {
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let (version, key) = read_line(content).ok_or(MasterKeyError::Line { line })?;
            match versions.entry(version) {
                Entry::Vacant(entry) => entry.insert(key),
                Entry::Occupied(_) => return Err(MasterKeyError::Twice { line, version }),
            };
        }
        if versions.is_empty() {
            Err(MasterKeyError::Empty)
        } else {
            Ok(Self { versions })
        }
    }

    /// Which key each version means.
    pub fn checks(&self) -> impl Iterator<Item = (i16, CheckValue)> {
        let versions = self.versions.iter();
        versions.map(|(version, master)| (*version, master.check))
    }

    /// The newest version, with its check value.
    #[must_use]
    pub fn newest(&self) -> (i16, CheckValue) {
        // Unwrap safety: `parse` refuses an empty set.
        let newest = self.versions.last_key_value().expect("a master key");
        (*newest.0, newest.1.check)
    }

    /// What may be kept of `tenant` once it is erased, by each version; the newest comes last.
    pub fn erased_digests(&self, tenant: TenantId) -> impl Iterator<Item = ErasedDigest> {
        self.versions.iter().map(move |(&version, master)| {
            let mut digest = [0; 32];
            let signed = hmac::sign(&master.erased, tenant.0.as_bytes());
            digest.copy_from_slice(signed.as_ref());
            ErasedDigest { version, digest }
        })
    }

    /// Wraps a data key under the newest master key.
    #[must_use]
    pub fn wrap(&self, key: &[u8; KEY_LEN], subject: Subject) -> Wrapped {
        // Unwrap safety: `parse` refuses an empty set.
        self.wrap_under(self.newest().0, key, subject)
            .expect("the newest is there")
    }

    /// Wraps a data key under this version, if it is there.
    #[must_use]
    pub fn wrap_under(
        &self,
        version: i16,
        key: &[u8; KEY_LEN],
        subject: Subject,
    ) -> Option<Wrapped> {
        let master = self.versions.get(&version)?;
        let mut nonce = [0; NONCE_LEN];
        // Unwrap safety: the operating system's generator fails only where nothing works.
        SystemRandom::new()
            .fill(&mut nonce)
            .expect("the operating system gives random bytes");
        let mut wrapped = nonce.to_vec();
        let mut bytes = key.to_vec();
        // Unwrap safety: 32 bytes are within what AES-GCM seals.
        let tag = master
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(subject.additional_data()),
                &mut bytes,
            )
            .expect("32 bytes seal");
        wrapped.extend_from_slice(&bytes);
        wrapped.extend_from_slice(tag.as_ref());
        Some(Wrapped {
            bytes: wrapped,
            version,
            check: master.check,
        })
    }

    /// Unwraps a data key, or nothing if it is not under this master key or not for `subject`.
    #[must_use]
    pub fn unwrap(
        &self,
        wrapped: &[u8],
        version: i16,
        subject: Subject,
    ) -> Option<Zeroizing<[u8; KEY_LEN]>> {
        let master = self.versions.get(&version)?;
        let mut wrapped = Zeroizing::new(wrapped.to_vec());
        let (nonce, sealed) = wrapped.split_first_chunk_mut()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = master
            .key
            .open_in_place(nonce, Aad::from(subject.additional_data()), sealed)
            .ok()?;
        let key = <[u8; KEY_LEN]>::try_from(&*opened).ok()?;
        Some(Zeroizing::new(key))
    }
}

fn read_line(line: &str) -> Option<(i16, MasterKey)> {
    let (version, key) = line.split_once(char::is_whitespace)?;
    let mut bytes = STANDARD.decode(key.trim()).ok()?;
    let key = UnboundKey::new(&AES_256_GCM, &bytes).ok();
    let key = key.map(|key| MasterKey {
        key: LessSafeKey::new(key),
        check: CheckValue::of(&bytes),
        erased: derived(&bytes, b"tollbook/v1 erased tenants"),
    });
    bytes.zeroize();
    Some((version.parse().ok().filter(|version| *version > 0)?, key?))
}

/// A key for one purpose, derived from a master key.
fn derived(master: &[u8], purpose: &[u8]) -> hmac::Key {
    let master = hmac::Key::new(hmac::HMAC_SHA256, master);
    hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&master, purpose).as_ref())
}

#[cfg(test)]
mod tests;
