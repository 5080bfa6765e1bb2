//! The world Tollbook lives in: one of every server, set up as an operator would set it up, and
//! as many service processes as a test wants.
//!
//! `migrate` and `provision` are the real roles of the real binary; nothing here reaches into the
//! services.

mod audit;
mod identity;
mod last_will;
pub mod rest;
mod service;
mod shown;

use std::{
    collections::BTreeMap, fs::Permissions, os::unix::fs::PermissionsExt as _, path::PathBuf,
    sync::Arc, time::Duration,
};

use async_nats::jetstream;
use schema::TenantId;
use tempfile::TempDir;
use tokio::{process::Command, sync::OnceCell};
use tokio_postgres::Client;
use uuid::Uuid;

use self::{identity::TokenDesk, last_will::LastWill};
pub use self::{
    rest::Rest,
    service::Service,
    shown::{PROJECTIONS, billing_projections},
};
use crate::{
    orchestrator,
    stack::{Nats, NatsOptions, PgOptions, PgVersion, Postgres},
};

/// The tenant of the platform's own people.
pub const PLATFORM: TenantId = TenantId(Uuid::from_u128(0x9c0f_fee0_0000_4000_8000_0000_0000_0001));

/// The database of the world.
pub const DATABASE: &str = "tollbook";
/// More calls than any test makes, so that only tests of the limit meet it.
const UNLIMITED: &str = "100000";
/// The settings that say how many.
const LIMITS: [&str; 4] = [
    "HTTP_RATE",
    "HTTP_BURST",
    "HTTP_TENANT_RATE",
    "HTTP_TENANT_BURST",
];
/// A master key for tests; the real ones come from a secret store.
const MASTER_KEY: &str = "1 AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n";

/// Something of the world that did not come to be.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// How the world is to be.
#[derive(Debug, Clone)]
pub struct WorldOptions {
    /// Which Postgres.
    pub postgres: PgVersion,
    /// Its settings.
    pub settings: PgOptions,
    /// How NATS is to be.
    pub nats: NatsOptions,
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            postgres: PgVersion::V18,
            settings: PgOptions::default(),
            nats: NatsOptions::default(),
        }
    }
}

impl WorldOptions {
    /// NATS without TLS, its users known by passwords: for comparisons of speed.
    #[must_use]
    pub fn plain() -> Self {
        Self {
            nats: NatsOptions::plain(),
            ..Self::default()
        }
    }
}

/// One of every server, ready for services.
pub struct World {
    /// Postgres.
    pub postgres: Postgres,
    /// NATS.
    pub nats: Nats,
    folder: TempDir,
    tokens: OnceCell<Arc<TokenDesk>>,
    _will: LastWill,
}

impl World {
    /// Starts the servers, migrates, provisions, and installs the orchestrator's table.
    ///
    /// # Errors
    /// Something does not start; the message says what to do.
    pub async fn start(options: WorldOptions) -> Result<Self, Fault> {
        let (postgres, nats) = tokio::try_join!(
            Postgres::start(options.postgres, options.settings),
            // Large, with a certificate for everybody.
            Box::pin(Nats::start(options.nats)),
        )?;
        postgres.create_database(DATABASE, None).await?;
        let folder = TempDir::with_prefix("tollbook-world-")?;
        let world = Self {
            postgres,
            nats,
            _will: LastWill::new("rm -rf \"$1\"", folder.path())?,
            tokens: OnceCell::new(),
            folder,
        };
        let master_key = world.path("master.key");
        std::fs::write(&master_key, MASTER_KEY)?;
        std::fs::set_permissions(&master_key, Permissions::from_mode(0o600))?;
        if let Some(ca) = world.postgres.ca_pem() {
            std::fs::write(world.path("postgres-ca.pem"), ca)?;
        }
        let mut admin = world.variables("tollbook-admin", "postgres");
        admin.insert("DATABASE_URL", world.url("postgres"));
        world.role("migrate", &admin).await?;
        world.role("provision", &admin).await?;
        world
            .postgres
            .admit(&["dlr_svc", "billing_svc", "auditor", "tollbook_admin"])
            .await?;
        let client = world.admin().await?;
        orchestrator::install(&client).await?;
        orchestrator::watch(&client).await?;
        Ok(world)
    }

    /// What the environment of a Tollbook process must say: NATS as `user`, Postgres as `role`.
    #[must_use]
    pub fn variables(&self, user: &str, role: &str) -> BTreeMap<&'static str, String> {
        let mut variables = BTreeMap::from([
            ("DATABASE_URL", self.url(role)),
            ("NATS_URL", self.nats.url(user)),
            (
                "MASTER_KEY_FILE",
                self.path("master.key").display().to_string(),
            ),
            ("PROBE_ADDRESS", "127.0.0.1".to_owned()),
            ("LOG_LEVEL", "info".to_owned()),
        ]);
        if let Some(path) = self.postgres_ca() {
            variables.insert("DATABASE_CA_FILE", path.display().to_string());
        }
        if let Some(files) = self.nats.client_files(user) {
            variables.insert("NATS_CA_FILE", files.ca.display().to_string());
            variables.insert("NATS_CERT_FILE", files.cert.display().to_string());
            variables.insert("NATS_KEY_FILE", files.key.display().to_string());
        }
        variables
    }

    /// The file with the authority of Postgres' certificate; `None` where TLS is off.
    #[must_use]
    pub fn postgres_ca(&self) -> Option<PathBuf> {
        self.postgres.ca_pem()?;
        Some(self.path("postgres-ca.pem"))
    }

    /// The address of the database for `role`, encrypted where the server can.
    #[must_use]
    pub fn url(&self, role: &str) -> String {
        let url = self.postgres.url(role, DATABASE);
        match self.postgres.ca_pem() {
            Some(_) => format!("{url}?sslmode=verify-full"),
            None => url,
        }
    }

    /// Runs a role of the binary that ends by itself.
    ///
    /// # Errors
    /// It fails; the message is what it said.
    pub async fn role(
        &self,
        role: &str,
        variables: &BTreeMap<&'static str, String>,
    ) -> Result<String, Fault> {
        self.command(&[role], variables).await
    }

    /// The same with further words on the command line.
    ///
    /// # Errors
    /// It fails; the message is what it said.
    pub async fn command(
        &self,
        words: &[&str],
        variables: &BTreeMap<&'static str, String>,
    ) -> Result<String, Fault> {
        let output = Command::new(binary()?)
            .args(words)
            .env_clear()
            .envs(variables)
            .kill_on_drop(true)
            .output()
            .await?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(said);
        }
        let error = String::from_utf8_lossy(&output.stderr);
        let role = words.join(" ");
        Err(format!("tollbook {role} failed ({}): {error}{said}", output.status).into())
    }

    /// A running `tollbook dlr` that is ready.
    ///
    /// # Errors
    /// It does not become ready; the message is the end of its log.
    pub async fn service(&self, more: &[(&'static str, &str)]) -> Result<Service, Fault> {
        let variables = self.variables("dlr-processor", "dlr_svc");
        self.spawn("dlr", variables, more).await
    }

    /// A running `tollbook billing` that is ready.
    ///
    /// # Errors
    /// It does not become ready; the message is the end of its log.
    pub async fn billing(&self, more: &[(&'static str, &str)]) -> Result<Service, Fault> {
        self.spawn("billing", self.billing_variables().await?, more)
            .await
    }

    /// The same without one of its usual settings.
    ///
    /// # Errors
    /// It does not become ready; the message is the end of its log.
    pub async fn billing_without(
        &self,
        setting: &str,
        more: &[(&'static str, &str)],
    ) -> Result<Service, Fault> {
        let mut variables = self.billing_variables().await?;
        variables.remove(setting);
        self.spawn("billing", variables, more).await
    }

    /// What the environment of `tollbook billing` must say.
    ///
    /// # Errors
    /// The keys for tokens cannot be made.
    pub async fn billing_variables(&self) -> Result<BTreeMap<&'static str, String>, Fault> {
        let tokens = self.tokens().await?;
        let mut variables = self.variables("billing-service", "billing_svc");
        variables.insert("BILLING_ADDRESS", "127.0.0.1".to_owned());
        for limit in LIMITS {
            variables.insert(limit, UNLIMITED.to_owned());
        }
        variables.extend(tokens.settings());
        Ok(variables)
    }

    /// Whoever makes the tokens of this world.
    pub(crate) async fn tokens(&self) -> Result<&Arc<TokenDesk>, Fault> {
        let made = async || TokenDesk::open(&self.path("keys")).await.map(Arc::new);
        self.tokens.get_or_try_init(made).await
    }

    /// The REST API of a running `tollbook billing`.
    ///
    /// # Errors
    /// The keys for tokens cannot be made.
    pub async fn rest(&self, billing: &Service) -> Result<Rest, Fault> {
        let tokens = Arc::clone(self.tokens().await?);
        Ok(Rest::new(
            format!("http://{}", billing.rest_address()),
            tokens,
        ))
    }

    /// A `tollbook dlr` that was started and need not be ready.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn starting(&self, more: &[(&'static str, &str)]) -> Result<Service, Fault> {
        let mut variables = self.variables("dlr-processor", "dlr_svc");
        for (name, value) in more {
            variables.insert(name, (*value).to_owned());
        }
        Service::spawn(&binary()?, "dlr", variables, self.folder.path())
    }

    /// A running service with this environment and no other, that is ready.
    ///
    /// # Errors
    /// It does not become ready; the message is the end of its log.
    pub async fn running(
        &self,
        role: &str,
        variables: BTreeMap<&'static str, String>,
    ) -> Result<Service, Fault> {
        self.spawn(role, variables, &[]).await
    }

    async fn spawn(
        &self,
        role: &str,
        mut variables: BTreeMap<&'static str, String>,
        more: &[(&'static str, &str)],
    ) -> Result<Service, Fault> {
        for (name, value) in more {
            variables.insert(name, (*value).to_owned());
        }
        let service = Service::spawn(&binary()?, role, variables, self.folder.path())?;
        service.ready(Duration::from_secs(30)).await?;
        Ok(service)
    }

    /// A superuser's connection.
    ///
    /// # Errors
    /// Postgres is away.
    pub async fn admin(&self) -> Result<Client, Fault> {
        Ok(self.postgres.admin(DATABASE).await?)
    }

    /// `JetStream` as this user.
    ///
    /// # Errors
    /// NATS is away.
    pub async fn jetstream(&self, user: &str) -> Result<jetstream::Context, Fault> {
        let options = self.nats.connect_options(user);
        Ok(jetstream::new(options.connect(self.nats.url(user)).await?))
    }

    /// A file of this world.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Stops the servers and waits until nothing is left of them.
    ///
    /// # Errors
    /// A server does not stop.
    pub async fn stop(self) -> Result<(), Fault> {
        tokio::try_join!(self.postgres.stop(), self.nats.stop())?;
        Ok(())
    }
}

/// The built `tollbook`: it lies where this program lies, or, for tests, one folder above.
///
/// # Errors
/// It is not built.
pub fn binary() -> Result<PathBuf, Fault> {
    let program = std::env::current_exe()?;
    let folders = program.ancestors().skip(1).take(2);
    let mut candidates = folders.map(|folder| folder.join("tollbook"));
    candidates
        .find(|path| path.is_file())
        .ok_or_else(|| "no tollbook binary; `cargo build --release --bins` makes it".into())
}
