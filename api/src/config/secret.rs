//! Where secrets come from, so that they are read again when they rotate.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use eventstore::Secret;
use zeroize::Zeroize;

use super::ConfigError;

/// Where a secret comes from.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// The environment or the configuration file; it does not change while we run.
    Value(Secret),
    /// A file, as a Vault agent or a Kubernetes secret mounts it.
    File(SecretFile),
}

/// A file with a secret, read again at each use. While it cannot be read or is empty, as in the
/// middle of a rotation, what it held last is used.
#[derive(Debug, Clone)]
pub struct SecretFile {
    /// The variable that names the file.
    key: &'static str,
    path: PathBuf,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    last: Option<Secret>,
    /// Whether the log was told that the file cannot be used.
    told: bool,
}

impl SecretSource {
    /// The source, given a variable `key` and the one named `<key>_FILE`, and proof that it can be
    /// read now.
    ///
    /// # Errors
    /// Both are set, or the file cannot be read or is empty.
    pub fn of(
        key: &'static str,
        file_key: &'static str,
        value: Option<&Secret>,
        file: Option<&PathBuf>,
    ) -> Result<Option<Self>, ConfigError> {
        let source = match (value, file) {
            (Some(_), Some(_)) => {
                return Err(ConfigError::value(
                    key,
                    format!("{file_key} is set as well"),
                ));
            }
            (Some(value), None) => Self::Value(value.clone()),
            (None, Some(path)) => Self::File(SecretFile {
                key: file_key,
                path: path.clone(),
                known: Arc::default(),
            }),
            (None, None) => return Ok(None),
        };
        source.read()?;
        Ok(Some(source))
    }

    /// The secret as it is now, without the newline that editors put at the end of a file.
    ///
    /// # Errors
    /// The file has never been readable.
    pub fn read(&self) -> Result<Secret, ConfigError> {
        match self {
            Self::Value(secret) => Ok(secret.clone()),
            Self::File(file) => file.read(),
        }
    }
}

impl SecretFile {
    fn read(&self) -> Result<Secret, ConfigError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match self.content() {
            Ok(secret) => {
                if std::mem::take(&mut known.told) {
                    tracing::info!(event = "secret.readable", setting = self.key);
                }
                known.last = Some(secret.clone());
                Ok(secret)
            }
            Err(error) => {
                let Some(last) = known.last.clone() else {
                    return Err(error);
                };
                if !std::mem::replace(&mut known.told, true) {
                    tracing::warn!(event = "secret.unreadable", setting = self.key, error = %error);
                }
                Ok(last)
            }
        }
    }

    fn content(&self) -> Result<Secret, ConfigError> {
        let mut text = fs::read_to_string(&self.path)
            .map_err(|source| ConfigError::unreadable(self.key, &self.path, &source))?;
        let secret = Secret::new(text.trim_end_matches(['\r', '\n']).to_owned());
        text.zeroize();
        if secret.expose().is_empty() {
            return Err(ConfigError::value(self.key, "names an empty file"));
        }
        Ok(secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_says_nothing() {
        let secret = Secret::new("hunter2".into());
        let source = SecretSource::Value(secret.clone());
        assert!(!format!("{secret:?}{source:?}").contains("hunter2"));
    }

    #[test]
    fn a_file_is_read_again_and_loses_its_last_newline() {
        let path = std::env::temp_dir().join(format!("tollbook-secret-{}", std::process::id()));
        fs::write(&path, "first\n").expect("writes");
        let source = SecretSource::of("TOKEN", "TOKEN_FILE", None, Some(&path));
        let source = source.expect("readable").expect("given");
        assert_eq!(source.read().expect("reads").expose(), "first");
        fs::write(&path, "second").expect("writes");
        assert_eq!(source.read().expect("reads").expose(), "second");
        fs::remove_file(&path).expect("removes");
    }

    #[test]
    fn a_file_that_is_gone_or_empty_counts_as_what_it_held_last_and_never_at_the_start() {
        let path = std::env::temp_dir().join(format!("tollbook-gone-{}", std::process::id()));
        let of = || SecretSource::of("TOKEN", "TOKEN_FILE", None, Some(&path));
        let error = of().expect_err("it is not there").to_string();
        assert!(error.starts_with("TOKEN_FILE: cannot read "), "{error}");
        fs::write(&path, "\n").expect("writes");
        let error = of().expect_err("it is empty").to_string();
        assert_eq!(error, "TOKEN_FILE: names an empty file");
        fs::write(&path, "first").expect("writes");
        let source = of().expect("readable").expect("given");
        let again = source.clone();
        fs::write(&path, "").expect("writes");
        assert_eq!(again.read().expect("known").expose(), "first");
        fs::remove_file(&path).expect("removes");
        assert_eq!(source.read().expect("known").expose(), "first");
        fs::write(&path, "second").expect("writes");
        assert_eq!(source.read().expect("reads").expose(), "second");
        fs::remove_file(&path).expect("removes");
    }

    #[test]
    fn value_and_file_together_are_refused() {
        let (secret, path) = (Secret::new("x".into()), PathBuf::from("/y"));
        let both = SecretSource::of("TOKEN", "TOKEN_FILE", Some(&secret), Some(&path));
        assert_eq!(
            both.expect_err("both").to_string(),
            "TOKEN: TOKEN_FILE is set as well"
        );
    }
}
