//! What is done when this process ends, by whatever cause.
//!
//! Destructors do not run on Ctrl-C or `kill -9`, and statics are never dropped. A shell that
//! reads from a pipe of ours notices our end in any case and carries out the will.

use std::{ffi::OsStr, io, process::Stdio};

use tokio::process::{Child, Command};

/// A command that runs when this value is dropped or its process ends.
pub(super) struct LastWill {
    shell: Child,
}

impl LastWill {
    /// Runs the `sh` command `will` in the end; it finds `subject` as `$1`.
    pub(super) fn new(will: &str, subject: impl AsRef<OsStr>) -> io::Result<Self> {
        let script = format!("read -r _; {will}");
        let shell = Command::new("/bin/sh")
            .args(["-c", &script, "last-will"])
            .arg(subject)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C is for us; our end is for the shell.
            .process_group(0)
            .spawn()?;
        Ok(Self { shell })
    }

    /// Nothing is to be done any more.
    pub(super) async fn revoke(&mut self) -> io::Result<()> {
        self.shell.kill().await
    }
}
