//! A NATS server with `JetStream` and the users of CONTRACTS 2.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;

use super::{
    certs::{Authority, Certificate},
    error::{Error, Result},
    leash::{Leash, Signal},
    nats_accounts::{self, USERS},
    port, probe, servers,
};

const SERVER: &str = "nats";
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// Runs a program with further variables; a leash starts programs with none of ours.
pub(super) const ENV: &str = "/usr/bin/env";
/// What secures a server of the hub, as operators include it.
const HUB: &str = include_str!("../../../k8s/nats/hub.conf");

/// How a server is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NatsOptions {
    /// Users are known by their certificates (mTLS), as in production, rather than by passwords.
    pub tls: bool,
    /// Every message is fsynced before its acknowledgement; otherwise `JetStream`'s default.
    pub sync_interval_always: bool,
}

impl NatsOptions {
    /// No TLS, users known by passwords: for comparisons of speed.
    #[must_use]
    pub const fn plain() -> Self {
        Self {
            tls: false,
            sync_interval_always: false,
        }
    }
}

impl Default for NatsOptions {
    fn default() -> Self {
        Self {
            tls: true,
            ..Self::plain()
        }
    }
}

/// The files of a client that is known by its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFiles {
    /// The authority that signed the server's certificate.
    pub ca: PathBuf,
    /// The client's certificate.
    pub cert: PathBuf,
    /// The client's private key.
    pub key: PathBuf,
}

/// A running NATS server.
#[derive(Debug)]
pub struct Nats {
    leash: Leash,
    program: PathBuf,
    port: u16,
    leaf_port: u16,
    options: NatsOptions,
    password: String,
    authority: Option<Box<Authority>>,
    files: BTreeMap<&'static str, ClientFiles>,
}

impl Nats {
    /// Starts a server with an empty store.
    ///
    /// # Errors
    /// The server was not fetched, or does not start; its log is in the error.
    pub async fn start(options: NatsOptions) -> Result<Self> {
        let leash = Leash::new(SERVER, Signal::Kill)?;
        let program = servers::NATS.programs(&leash).await?.join("nats-server");
        leash.subfolder("store")?;
        let (mut authority, mut files) = (None, BTreeMap::new());
        if options.tls {
            let made = authority.insert(Box::new(Authority::new("tollbook test nats")?));
            let server = made.server()?;
            put(&leash, "server", made, &server)?;
            for user in USERS {
                let certificate = made.client(user.name)?;
                files.insert(user.name, put(&leash, user.name, made, &certificate)?);
            }
        }
        let password = port::password();
        let mut nats = Self {
            leash,
            program,
            port: 0,
            leaf_port: 0,
            options,
            password,
            authority,
            files,
        };
        for last in [false, false, true] {
            nats.port = port::free()?;
            nats.leaf_port = port::free()?;
            nats.configure()?;
            match nats.go().await {
                // Somebody was faster; take another port.
                Err(Error::Server { log, .. }) if !last && log.contains("already in use") => {}
                Err(error) => return Err(error),
                Ok(()) => break,
            }
        }
        Ok(nats)
    }

    /// The address for a user: with its password, or `tls://` without (see [`Self::client_files`]).
    pub fn url(&self, user: &str) -> String {
        if self.options.tls {
            format!("tls://127.0.0.1:{}", self.port)
        } else {
            format!("nats://{user}:{}@127.0.0.1:{}", self.password, self.port)
        }
    }

    /// The files a user connects with; `None` without TLS, or for a stranger.
    pub fn client_files(&self, user: &str) -> Option<&ClientFiles> {
        self.files.get(user)
    }

    /// Whoever signs the certificates; `None` without TLS.
    pub fn authority(&self) -> Option<&Authority> {
        self.authority.as_deref()
    }

    /// The port of the clients.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where leaf nodes connect.
    pub(super) fn leaf_url(&self) -> String {
        format!("tls://127.0.0.1:{}", self.leaf_port)
    }

    /// The inbox prefix that a user's permissions name.
    pub fn inbox_prefix(&self, user: &str) -> &'static str {
        let known = USERS.iter().find(|known| known.name == user);
        known.map_or("_INBOX", |known| known.inbox)
    }

    /// What an `async-nats` client needs to be this user: login or certificate, inbox prefix.
    pub fn connect_options(&self, user: &str) -> async_nats::ConnectOptions {
        let options = async_nats::ConnectOptions::new()
            .name(format!("test {user}"))
            .custom_inbox_prefix(self.inbox_prefix(user));
        match self.client_files(user) {
            Some(files) => options
                .require_tls(true)
                .add_root_certificates(files.ca.clone())
                .add_client_certificate(files.cert.clone(), files.key.clone()),
            // The client library does not read the login out of the address.
            None => options.user_and_password(user.into(), self.password.clone()),
        }
    }

    /// Ends the server politely and starts it again, on the same port and store.
    ///
    /// # Errors
    /// It does not start again.
    pub async fn restart(&self) -> Result<()> {
        self.leash.halt(Signal::Term).await?;
        self.go().await
    }

    /// Shows this certificate from now on; starts again for it.
    ///
    /// # Errors
    /// It does not start again.
    pub async fn show(&self, certificate: &Certificate) -> Result<()> {
        self.leash.write("server/tls.crt", &certificate.cert)?;
        self.leash.write("server/tls.key", &certificate.key)?;
        self.restart().await
    }

    /// Trusts these authorities, PEM, from now on; starts again for it.
    ///
    /// # Errors
    /// It does not start again.
    pub async fn trust(&self, authorities: &str) -> Result<()> {
        self.leash.write("server/ca.pem", authorities)?;
        self.restart().await
    }

    /// Ends the server the hard way; see [`Self::start_again`].
    ///
    /// # Errors
    /// The leash is gone.
    pub async fn kill(&self) -> Result<()> {
        self.leash.halt(Signal::Kill).await
    }

    /// Starts a killed server on the same port and store.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start_again(&self) -> Result<()> {
        self.go().await
    }

    /// The server's process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.leash.pid()
    }

    /// The leash, for signals and the log.
    pub fn leash(&self) -> &Leash {
        &self.leash
    }

    /// Ends the server and waits until nothing of it is left. Dropping does it without waiting.
    ///
    /// # Errors
    /// The leash could not be waited for.
    pub async fn stop(&self) -> Result<()> {
        self.leash.stop().await
    }

    async fn go(&self) -> Result<()> {
        let name = self.name();
        let ready = async |_| greets(self.port, &name).await;
        let program = self.program.display().to_string();
        let leaves = format!("NATS_LEAF_LISTEN=127.0.0.1:{}", self.leaf_port);
        let args = [leaves.as_str(), &program, "--config", "nats.conf"];
        let (env, patience) = (Path::new(ENV), PATIENCE);
        self.leash.start(env, &args, patience, ready).await
    }

    /// A name nobody else's server has, so that we cannot mistake it for ours.
    fn name(&self) -> String {
        let folder = self.leash.folder().file_name().unwrap_or_default();
        format!("tollbook-{}", folder.to_string_lossy())
    }

    fn configure(&self) -> Result<()> {
        let password = (!self.options.tls).then_some(self.password.as_str());
        let accounts = nats_accounts::config(password);
        self.leash.write("accounts.conf", &accounts)?;
        let sync = if self.options.sync_interval_always {
            "sync_interval: always"
        } else {
            ""
        };
        let rest = if self.options.tls {
            self.leash.write("hub.conf", HUB)?;
            "hub.conf"
        } else {
            "accounts.conf"
        };
        let store = json!(self.leash.folder().join("store"));
        let config = format!(
            "server_name: {name}\nhost: 127.0.0.1\nport: {port}\nmax_payload: 1048576\n\
             jetstream {{ store_dir: {store}, max_memory_store: 256MB, max_file_store: 20GB\n{sync} }}\n\
             include \"{rest}\"\n",
            name = self.name(),
            port = self.port,
        );
        self.leash.write("nats.conf", &config)?;
        Ok(())
    }
}

/// Puts a certificate, its key and its authority into a folder of this name.
pub(super) fn put(
    leash: &Leash,
    name: &str,
    authority: &Authority,
    certificate: &Certificate,
) -> Result<ClientFiles> {
    leash.subfolder(name)?;
    Ok(ClientFiles {
        ca: leash.write(&format!("{name}/ca.pem"), authority.pem())?,
        cert: leash.write(&format!("{name}/tls.crt"), &certificate.cert)?,
        key: leash.write(&format!("{name}/tls.key"), &certificate.key)?,
    })
}

/// Whether our server greets on this port. It listens only once `JetStream` is up.
pub(super) async fn greets(port: u16, name: &str) -> bool {
    let greeting = probe::first_line(port, "").await;
    greeting.starts_with("INFO ") && greeting.contains(&format!("\"server_name\":\"{name}\""))
}
