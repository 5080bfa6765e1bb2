//! Sealing of personal data: AES-256-GCM, bound to its place.
//!
//! The additional data names log, stream, version and field, so a ciphertext cannot be moved to
//! another place. The nonce is synthetic (HMAC-SHA-256 of place and plaintext under a key derived
//! from the data key): sealing is a pure function, a repeated append carries the same bytes, and
//! the log can compare repeats by content (L4) without seeing the plaintext.
//! See `docs/adr/0003-sealed-personal-data.md`.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};
use schema::{Personal, SealedValue, StreamId, StreamVersion};

use crate::LogId;

/// The length of a data key and of a master key, in bytes.
pub const KEY_LEN: usize = 32;

/// Where a sealed value lives. It opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The log.
    pub log: LogId,
    /// The stream of the event.
    pub stream: StreamId,
    /// The version of the event in its stream.
    pub version: StreamVersion,
    /// The field of [`schema::Sealed`].
    pub field: &'a str,
}

impl Place<'_> {
    fn additional_data(&self) -> Vec<u8> {
        let mut data = Vec::with_capacity(64);
        data.extend_from_slice(b"tollbook/v1\0");
        data.extend_from_slice(&self.log.0.to_be_bytes());
        data.extend_from_slice(self.stream.category.as_str().as_bytes());
        data.push(0);
        data.extend_from_slice(self.stream.id.as_bytes());
        data.extend_from_slice(&self.version.0.to_be_bytes());
        data.extend_from_slice(self.field.as_bytes());
        data
    }
}

/// A data key: seals and opens the values of one tenant, or the orphans of one day.
#[derive(Clone)]
pub struct DataKey {
    id: i64,
    inner: Arc<(LessSafeKey, hmac::Key)>,
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({})", self.id)
    }
}

/// A sealed value that does not open. Says nothing of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not of the form `<key id>.<base64url>`.
    #[error("sealed value is malformed")]
    Malformed,
    /// Sealed under another key than the one at hand.
    #[error("sealed under another key")]
    OtherKey,
    /// Changed, or moved from another place.
    #[error("sealed value does not belong here")]
    Forged,
}

impl DataKey {
    /// A key under its number in the keyring.
    #[must_use]
    pub fn new(id: i64, bytes: &[u8; KEY_LEN]) -> Self {
        // Unwrap safety: AES-256 takes any 32 bytes.
        let aead = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).expect("32 bytes"));
        let derivation = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let nonce_key = hmac::sign(&derivation, b"tollbook/v1 synthetic nonce");
        let nonces = hmac::Key::new(hmac::HMAC_SHA256, nonce_key.as_ref());
        Self {
            id,
            inner: Arc::new((aead, nonces)),
        }
    }

    /// Its number in the keyring.
    #[must_use]
    pub const fn id(&self) -> i64 {
        self.id
    }

    /// Seals `personal` for `place`. The same input gives the same output.
    #[must_use]
    pub fn seal(&self, place: &Place<'_>, personal: &Personal) -> SealedValue {
        let (aead, nonces) = &*self.inner;
        let place = place.additional_data();
        let mut mac = hmac::Context::with_key(nonces);
        mac.update(&(place.len() as u64).to_be_bytes());
        mac.update(&place);
        mac.update(personal.expose().as_bytes());
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&mac.sign().as_ref()[..NONCE_LEN]);
        let mut sealed = nonce.to_vec();
        let mut text = personal.expose().as_bytes().to_vec();
        // Unwrap safety: sealing fails only for texts beyond 64 GiB.
        let tag = aead
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place),
                &mut text,
            )
            .expect("a short text seals");
        sealed.extend_from_slice(&text);
        sealed.extend_from_slice(tag.as_ref());
        SealedValue(format!("{}.{}", self.id, URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Opens what was sealed for `place` under this key.
    ///
    /// # Errors
    /// It is malformed, under another key, changed, or from another place.
    pub fn open(&self, place: &Place<'_>, value: &SealedValue) -> Result<Personal, OpenError> {
        let (id, sealed) = split(value)?;
        if id != self.id {
            return Err(OpenError::OtherKey);
        }
        let mut sealed = URL_SAFE_NO_PAD
            .decode(sealed)
            .map_err(|_| OpenError::Malformed)?;
        let (nonce, text) = sealed.split_first_chunk_mut().ok_or(OpenError::Malformed)?;
        let opened = self
            .inner
            .0
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(place.additional_data()),
                text,
            )
            .map_err(|_| OpenError::Forged)?;
        let text = String::from_utf8(opened.to_vec()).map_err(|_| OpenError::Forged)?;
        Ok(Personal::new(text))
    }
}

/// The number of the key that `value` is sealed under.
///
/// # Errors
/// The value is malformed.
pub fn key_of(value: &SealedValue) -> Result<i64, OpenError> {
    split(value).map(|(id, _)| id)
}

fn split(value: &SealedValue) -> Result<(i64, &str), OpenError> {
    let (id, sealed) = value.0.split_once('.').ok_or(OpenError::Malformed)?;
    Ok((id.parse().map_err(|_| OpenError::Malformed)?, sealed))
}

#[cfg(test)]
mod tests {
    use schema::{Category, Sealed};
    use uuid::Uuid;

    use super::*;

    fn place(number: u128, version: i32, field: &str) -> Place<'_> {
        let stream = StreamId {
            category: Category::Message,
            id: Uuid::from_u128(number),
        };
        Place {
            log: LogId::DEFAULT,
            stream,
            version: StreamVersion(version),
            field,
        }
    }

    fn number() -> Personal {
        Personal::new("+4915112345678".into())
    }

    #[test]
    fn a_sealed_value_opens_at_its_place() {
        let key = DataKey::new(7, &[1; KEY_LEN]);
        let sealed = key.seal(&place(1, 1, Sealed::TO), &number());
        assert_eq!(key_of(&sealed), Ok(7));
        assert_eq!(key.open(&place(1, 1, Sealed::TO), &sealed), Ok(number()));
        assert!(!sealed.0.contains("4915112345678"));
    }

    #[test]
    fn it_opens_nowhere_else_and_under_no_other_key() {
        let key = DataKey::new(7, &[1; KEY_LEN]);
        let sealed = key.seal(&place(1, 1, Sealed::TO), &number());
        for moved in [
            place(2, 1, Sealed::TO),
            place(1, 2, Sealed::TO),
            place(1, 1, Sealed::DEST_ADDR),
        ] {
            assert_eq!(key.open(&moved, &sealed), Err(OpenError::Forged));
        }
        let other = DataKey::new(7, &[2; KEY_LEN]);
        assert_eq!(
            other.open(&place(1, 1, Sealed::TO), &sealed),
            Err(OpenError::Forged)
        );
        let named = DataKey::new(8, &[1; KEY_LEN]);
        assert_eq!(
            named.open(&place(1, 1, Sealed::TO), &sealed),
            Err(OpenError::OtherKey)
        );
    }

    #[test]
    fn sealing_is_a_pure_function_and_places_do_not_share_ciphertexts() {
        let key = DataKey::new(7, &[1; KEY_LEN]);
        let once = key.seal(&place(1, 1, Sealed::TO), &number());
        assert_eq!(once, key.seal(&place(1, 1, Sealed::TO), &number()));
        assert_ne!(once, key.seal(&place(2, 1, Sealed::TO), &number()));
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let key = DataKey::new(7, &[1; KEY_LEN]);
        let sealed = key.seal(&place(1, 1, Sealed::TO), &number());
        for broken in ["", "7", "x.AAAA", "7.AA", "7.****"] {
            let value = SealedValue(broken.into());
            assert!(
                key.open(&place(1, 1, Sealed::TO), &value).is_err(),
                "{broken}"
            );
        }
        let mut text = sealed.0.clone().into_bytes();
        text[10] = if text[10] == b'A' { b'B' } else { b'A' };
        let changed = SealedValue(String::from_utf8(text).expect("ascii"));
        assert_eq!(
            key.open(&place(1, 1, Sealed::TO), &changed),
            Err(OpenError::Forged)
        );
    }
}
