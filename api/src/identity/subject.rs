//! What a subject is called when its own name is not to be kept.
//!
//! `sub` stands in log lines and, for ever, in facts. Where identity puts a name, a number or an
//! address there, a key turns it into a name that says nothing and is always the same.

use ring::hmac;

/// The least length of a key in bytes: whoever could guess it could try out all phone numbers.
pub const KEY_MIN: usize = 32;

/// Names subjects. `Debug` does not show the key.
#[derive(Debug, Clone)]
pub struct SubjectKey(hmac::Key);

impl SubjectKey {
    /// The key of these bytes, unless they are too few.
    #[must_use]
    pub fn new(key: &[u8]) -> Option<Self> {
        let long = key.len() >= KEY_MIN;
        long.then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, key)))
    }

    /// The name of `subject`: HMAC-SHA-256 under the key, in hexadecimal.
    #[must_use]
    pub fn name(&self, subject: &str) -> String {
        let tag = hmac::sign(&self.0, subject.as_bytes());
        let digits = tag.as_ref().iter().map(|byte| format!("{byte:02x}"));
        digits.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_has_one_name_per_key_that_does_not_hold_it() {
        let key = |byte| SubjectKey::new(&[byte; KEY_MIN]).expect("long enough");
        let name = key(1).name("491721234567");
        assert_eq!(name, key(1).name("491721234567"));
        assert_ne!(name, key(2).name("491721234567"));
        assert_ne!(name, key(1).name("491721234568"));
        assert!(name.len() == 64 && !name.contains("491721234567"));
    }

    #[test]
    fn a_key_that_could_be_guessed_is_none() {
        assert!(SubjectKey::new(&[1; KEY_MIN - 1]).is_none());
        let shown = format!("{:?}", SubjectKey::new(b"0123456789abcdef0123456789abcdef"));
        assert!(!shown.contains("0123456789abcdef"), "{shown}");
    }
}
