//! The user the servers run as: ourselves, or `nobody` when we are root, because Postgres refuses
//! to be root and the others need not be.

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::Path,
    process::{Command, Stdio},
};

use super::error::{Attempt, Error, Result};

/// The user the servers run as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    /// We are an ordinary user; the servers run as the same one.
    Own,
    /// We are root; the servers run as this user and group.
    Other { uid: u32, gid: u32 },
}

impl Account {
    /// Finds out who we are, and who the servers are to be.
    pub(super) fn find() -> Result<Self> {
        let own = fs::metadata("/proc/self")
            .attempt(|| "reading /proc/self".into())?
            .uid();
        if own != 0 {
            return Ok(Self::Own);
        }
        let passwd = fs::read_to_string("/etc/passwd").attempt(|| "reading /etc/passwd".into())?;
        passwd.lines().find_map(nobody).ok_or(Error::NoAccount)
    }

    /// Gives a file or folder to the servers' user.
    pub(super) fn give(self, path: &Path) -> Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { uid, gid } => chown(path, Some(uid), Some(gid))
                .attempt(|| format!("giving {} to the servers' user", path.display())),
        }
    }

    /// Lets a command run as the servers' user.
    pub(super) fn apply(self, command: &mut Command) {
        use std::os::unix::process::CommandExt;
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
    }

    /// Asks the system itself whether the servers' user passes a `test` (such as `-x`) of a path;
    /// the folders above it and their modes all count.
    pub(super) fn may(self, test: &str, path: &Path) -> bool {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", r#"test "$1" "$2""#, "sh", test])
            .arg(path)
            .current_dir("/");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.apply(&mut command);
        command.status().is_ok_and(|status| status.success())
    }
}

/// Reads a line of the password file, `name:x:uid:gid:…`.
fn nobody(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    if fields.next()? != "nobody" {
        return None;
    }
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Account::Other { uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_found_by_name() {
        let line = "nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin";
        assert_eq!(
            nobody(line),
            Some(Account::Other {
                uid: 65534,
                gid: 65533
            })
        );
        assert_eq!(nobody("root:x:0:0:root:/root:/bin/bash"), None);
    }
}
