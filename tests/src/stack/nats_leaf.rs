//! A leaf node before a hub, with the configuration that operators include.

use std::path::{Path, PathBuf};

use super::{
    certs::Authority,
    error::{Error, Result},
    leash::{Leash, Signal},
    nats::{self, ENV, Nats, PATIENCE, greets},
    port, servers,
};

/// The file that a leaf node of a deployment includes.
const COMMITTED: &str = include_str!("../../../k8s/nats/leaf.conf");
/// Where its accounts begin.
const ACCOUNTS: &str = "\naccounts {";
/// Accounts that let everything through.
const LAX: &str = "\naccounts {
  DLR { users: [ { user: dlr-processor } ] }
  BILLING { users: [ { user: billing-service } ] }
}
";
/// Whose links it has.
const LINKED: [&str; 2] = ["dlr-processor", "billing-service"];

/// A running leaf node.
#[derive(Debug)]
pub struct Leaf {
    leash: Leash,
    program: PathBuf,
    port: u16,
    hub: String,
}

impl Leaf {
    /// Starts one that is linked to `hub`, which has TLS.
    ///
    /// # Errors
    /// It does not start; its log is in the error.
    pub async fn start(hub: &Nats) -> Result<Self> {
        Self::with(hub, COMMITTED).await
    }

    /// The same in the hands of somebody who strikes every permission from its configuration.
    ///
    /// # Errors
    /// It does not start; its log is in the error.
    pub async fn lax(hub: &Nats) -> Result<Self> {
        let (links, _) = COMMITTED.split_once(ACCOUNTS).unwrap_or((COMMITTED, ""));
        Self::with(hub, &format!("{links}{LAX}")).await
    }

    async fn with(hub: &Nats, config: &str) -> Result<Self> {
        let leash = Leash::new("nats-leaf", Signal::Kill)?;
        let program = servers::NATS.programs(&leash).await?.join("nats-server");
        if let Some(authority) = hub.authority() {
            certificates(&leash, authority)?;
        }
        leash.write("leaf.conf", config)?;
        let mut leaf = Self {
            leash,
            program,
            port: 0,
            hub: hub.leaf_url(),
        };
        for last in [false, false, true] {
            leaf.port = port::free()?;
            let (name, port) = (leaf.name(), leaf.port);
            let config = format!(
                "server_name: {name}\nhost: 127.0.0.1\nport: {port}\ninclude \"leaf.conf\"\n"
            );
            leaf.leash.write("nats.conf", &config)?;
            match leaf.go().await {
                // Somebody was faster; take another port.
                Err(Error::Server { log, .. }) if !last && log.contains("already in use") => {}
                Err(error) => return Err(error),
                Ok(()) => break,
            }
        }
        Ok(leaf)
    }

    /// Its address for clients, who are known by their certificates.
    #[must_use]
    pub fn url(&self) -> String {
        format!("tls://127.0.0.1:{}", self.port)
    }

    /// Its port for clients.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it the hard way and starts it again on the same port.
    ///
    /// # Errors
    /// It does not start again.
    pub async fn restart(&self) -> Result<()> {
        self.leash.halt(Signal::Kill).await?;
        self.go().await
    }

    async fn go(&self) -> Result<()> {
        let name = self.name();
        let ready = async |_| greets(self.port, &name).await;
        let program = self.program.display().to_string();
        let hub = format!("NATS_HUB_URL={}", self.hub);
        let args = [hub.as_str(), &program, "--config", "nats.conf"];
        self.leash
            .start(Path::new(ENV), &args, PATIENCE, ready)
            .await
    }

    fn name(&self) -> String {
        let folder = self.leash.folder().file_name().unwrap_or_default();
        format!("leaf-{}", folder.to_string_lossy())
    }
}

/// Its own certificate, and those of the users it links.
fn certificates(leash: &Leash, authority: &Authority) -> Result<()> {
    nats::put(leash, "server", authority, &authority.server()?)?;
    for user in LINKED {
        nats::put(leash, user, authority, &authority.client(user)?)?;
    }
    Ok(())
}
