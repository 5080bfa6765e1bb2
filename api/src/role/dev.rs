//! `tollbook dev`: keys and tokens for development. Needs no server.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use super::{RoleError, say};
use crate::{
    cli::{DevCommand, DevKeys, DevToken},
    dev::{SigningKey, TokenWish},
};

/// The key to sign with. A secret.
const KEY_FILE: &str = "signing-key.pem";
/// What to point `JWT_JWKS_FILE` at.
const JWKS_FILE: &str = "jwks.json";

/// Does what was asked.
///
/// # Errors
/// A file cannot be read or written, or is there already.
pub fn run(command: &DevCommand) -> Result<(), RoleError> {
    match command {
        DevCommand::Keys(wish) => keys(wish),
        DevCommand::Token(wish) => token(wish),
    }
}

/// Never writes over a key: tokens that it signed would die with it.
fn keys(wish: &DevKeys) -> Result<(), RoleError> {
    let key = SigningKey::generate()?;
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| RoleError::DevFile { path, source }
    };
    fs::create_dir_all(&wish.write).map_err(failed(&wish.write))?;
    let (secret, public) = (wish.write.join(KEY_FILE), wish.write.join(JWKS_FILE));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&secret)
        .map_err(failed(&secret))?;
    file.write_all(key.to_pem().as_bytes())
        .map_err(failed(&secret))?;
    say(format_args!("written   {}", secret.display()));
    fs::write(&public, format!("{:#}\n", key.jwks())).map_err(failed(&public))?;
    say(format_args!("written   {}", public.display()));
    Ok(())
}

fn token(wish: &DevToken) -> Result<(), RoleError> {
    let pem = fs::read_to_string(&wish.key).map_err(|source| RoleError::DevFile {
        path: wish.key.clone(),
        source,
    })?;
    let key = SigningKey::from_pem(&pem)?;
    let token = key.sign(
        &TokenWish {
            issuer: wish.issuer.clone(),
            audience: wish.audience.clone(),
            subject: wish.subject.clone(),
            tenant: wish.tenant_id,
            account: wish.account_id,
            roles: wish.role.clone(),
            ttl: wish.ttl,
        },
        eventstore::clock::now(),
    )?;
    say(token);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let wish = DevKeys {
            write: folder.path().join("keys"),
        };
        keys(&wish).expect("written");
        let path = wish.write.join(KEY_FILE);
        let pem = fs::read_to_string(&path).expect("reads");
        let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(&path).expect("there"));
        assert_eq!(mode & 0o777, 0o600);
        assert!(matches!(keys(&wish), Err(RoleError::DevFile { .. })));
        assert_eq!(fs::read_to_string(&path).expect("reads"), pem);

        let key = SigningKey::from_pem(&pem).expect("a key");
        assert_eq!(key.to_pem(), pem);
        let jwks = fs::read_to_string(wish.write.join(JWKS_FILE)).expect("reads");
        let jwks: serde_json::Value = serde_json::from_str(&jwks).expect("JSON");
        assert_eq!(jwks, key.jwks());
    }
}
