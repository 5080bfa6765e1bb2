//! The identity provider of a world: keys and tokens, made by the binary as a developer makes
//! them (`tollbook dev keys`, `tollbook dev token`).

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use tokio::{process::Command, sync::Mutex};

use super::{Fault, PLATFORM, binary};

/// Who makes the tokens.
pub(crate) const ISSUER: &str = "https://identity.tollbook.test";
/// Whom they are meant for.
pub(crate) const AUDIENCE: &str = "tollbook-billing";
/// The file that `tollbook dev keys` writes the secret key to.
const KEY_FILE: &str = "signing-key.pem";
/// The file with the public one.
const JWKS_FILE: &str = "jwks.json";

/// Makes tokens, each only once.
pub(crate) struct TokenDesk {
    folder: PathBuf,
    made: Mutex<HashMap<Vec<String>, String>>,
}

impl TokenDesk {
    /// Makes the keys.
    pub(super) async fn open(folder: &Path) -> Result<Self, Fault> {
        run(&["dev", "keys", "--write", &folder.display().to_string()]).await?;
        Ok(Self {
            folder: folder.to_owned(),
            made: Mutex::default(),
        })
    }

    /// What `tollbook billing` must be told to believe the tokens.
    pub(super) fn settings(&self) -> [(&'static str, String); 4] {
        let jwks = self.folder.join(JWKS_FILE).display().to_string();
        [
            ("JWT_JWKS_FILE", jwks),
            ("JWT_ISSUER", ISSUER.to_owned()),
            ("JWT_AUDIENCE", AUDIENCE.to_owned()),
            ("JWT_PLATFORM_TENANTS", PLATFORM.to_string()),
        ]
    }

    /// The file with the secret key.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.folder.join(KEY_FILE)
    }

    /// A token with these further words of `tollbook dev token`.
    pub(super) async fn token(&self, words: &[String]) -> Result<String, Fault> {
        let mut made = self.made.lock().await;
        if let Some(token) = made.get(words) {
            return Ok(token.clone());
        }
        let key = self.key_file().display().to_string();
        let mut args = vec!["dev", "token", "--key", &key, "--ttl", "1h"];
        args.extend(["--issuer", ISSUER, "--audience", AUDIENCE]);
        args.extend(words.iter().map(String::as_str));
        let token = run(&args).await?.trim().to_owned();
        made.insert(words.to_vec(), token.clone());
        Ok(token)
    }
}

async fn run(args: &[&str]) -> Result<String, Fault> {
    let mut command = Command::new(binary()?);
    command.args(args).env_clear().kill_on_drop(true);
    let output = command.output().await?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(format!("tollbook {} failed: {error}", args[..2].join(" ")).into())
}
