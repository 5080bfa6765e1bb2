//! Run folders: one for each server, owned by the user the server runs as.

use std::{
    fs::{self, DirBuilder, Permissions},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use super::{
    account::Account,
    error::{Attempt, Error, Result},
};

/// Numbers the run folders of this process.
static NEXT: AtomicU32 = AtomicU32::new(1);

/// A fresh folder, `<pid>-<n>-<server>`. It goes when this is dropped, unless a leash took over.
#[derive(Debug)]
pub(super) struct RunFolder {
    path: PathBuf,
    account: Account,
    leashed: bool,
}

impl RunFolder {
    /// Makes the folder below `.dev/run` of the checkout, or below the temporary folder when the
    /// servers' user cannot get there (a checkout below /root, say).
    pub(super) fn make(server: &str, account: Account) -> Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}-{server}", process::id());
        let in_checkout = shared_base(account).map(|base| base.join(&name));
        let path = in_checkout.unwrap_or_else(|| temp_base().join(format!("tollbook-{name}")));
        if path.exists() {
            // Left behind by a process of the same number, long gone.
            fs::remove_dir_all(&path).attempt(|| format!("removing {}", path.display()))?;
        }
        let attempt = || format!("making the run folder {}", path.display());
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .attempt(attempt)?;
        let folder = Self {
            path,
            account,
            leashed: false,
        };
        account.give(&folder.path)?;
        Ok(folder)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whose it is.
    pub(super) fn account(&self) -> Account {
        self.account
    }

    /// Writes a file for the servers' user alone, whole or not at all.
    pub(super) fn write(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        let fresh = self.path.join(format!("{name}.fresh"));
        let attempt = || format!("writing {}", path.display());
        fs::write(&fresh, content).attempt(attempt)?;
        fs::set_permissions(&fresh, Permissions::from_mode(0o600)).attempt(attempt)?;
        self.account.give(&fresh)?;
        fs::rename(&fresh, &path).attempt(attempt)?;
        Ok(path)
    }

    /// Makes a folder for the servers' user alone.
    pub(super) fn subfolder(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        let attempt = || format!("making {}", path.display());
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .attempt(attempt)?;
        self.account.give(&path)?;
        Ok(path)
    }

    /// The leash removes the folder from now on.
    pub(super) fn leashed(&mut self) {
        self.leashed = true;
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if !self.leashed {
            // Nothing can be done about a failure here, and the next run sweeps the name.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// The checkout this was built from.
pub(super) fn checkout() -> Result<PathBuf> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .map(Path::to_path_buf)
        .ok_or_else(|| Error::Io {
            attempt: format!("finding the checkout above {}", tests.display()),
            source: std::io::ErrorKind::NotFound.into(),
        })
}

/// `.dev/run`, sticky and open like /tmp, because each leash removes its own folder there.
fn shared_base(account: Account) -> Option<PathBuf> {
    let base = checkout().ok()?.join(".dev/run");
    if !base.is_dir() {
        fs::create_dir_all(&base).ok()?;
        fs::set_permissions(&base, Permissions::from_mode(0o1777)).ok()?;
    }
    (account.may("-w", &base) && account.may("-x", &base)).then_some(base)
}

/// A temporary folder on a real disk, so that durable writes are durable and cost what they cost.
fn temp_base() -> PathBuf {
    std::env::var_os("TMPDIR").map_or_else(|| PathBuf::from("/var/tmp"), PathBuf::from)
}
