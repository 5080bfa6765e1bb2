//! Where secrets come from, so that they are read again when they rotate.

use std::{fs, path::PathBuf};

use eventstore::Secret;
use zeroize::Zeroize;

use super::ConfigError;

/// Where a secret comes from.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// The environment or the configuration file; it does not change while we run.
    Value(Secret),
    /// A file, as a Vault agent or a Kubernetes secret mounts it; read again at each use.
    File {
        /// The variable that names the file.
        key: &'static str,
        /// The file.
        path: PathBuf,
    },
}

impl SecretSource {
    /// The source, given a variable `key` and the one named `<key>_FILE`, and proof that it can be
    /// read now.
    ///
    /// # Errors
    /// Both are set, or the file cannot be read.
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
            (None, Some(path)) => Self::File {
                key: file_key,
                path: path.clone(),
            },
            (None, None) => return Ok(None),
        };
        source.read()?;
        Ok(Some(source))
    }

    /// The secret as it is now, without the newline that editors put at the end of a file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&self) -> Result<Secret, ConfigError> {
        match self {
            Self::Value(secret) => Ok(secret.clone()),
            Self::File { key, path } => {
                let mut text = fs::read_to_string(path)
                    .map_err(|source| ConfigError::unreadable(*key, path, &source))?;
                let secret = Secret::new(text.trim_end_matches(['\r', '\n']).to_owned());
                text.zeroize();
                Ok(secret)
            }
        }
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
        let error = source.read().expect_err("it is gone").to_string();
        assert!(error.starts_with("TOKEN_FILE: "), "{error}");
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
