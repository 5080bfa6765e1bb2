//! A Postgres server, as durable as a real one.

use std::{
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio_postgres::{Client, NoTls};

use super::{
    certs::{Authority, Certificate},
    error::{Error, Result},
    leash::{Leash, Signal},
    port, servers,
};

const SERVER: &str = "postgres";
const SUPERUSER: &str = "postgres";
/// Recovery after an immediate stop may take its time.
const PATIENCE: Duration = Duration::from_mins(3);
/// A longer path to a socket does not fit into the system's address structure.
const SOCKET_PATH_MAX: usize = 107;

/// Which Postgres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PgVersion {
    /// The wheel, built without TLS.
    V18,
    /// Debian's, with TLS turned on.
    V15,
}

impl PgVersion {
    /// Whether it can be started here. 18 is always at hand (`./dev` fetches it).
    #[must_use]
    pub fn available(self) -> bool {
        match self {
            Self::V18 => true,
            Self::V15 => servers::exists(&debian_programs(), "initdb"),
        }
    }

    async fn programs(self, leash: &Leash) -> Result<PathBuf> {
        match self {
            Self::V18 => servers::POSTGRES.programs(leash).await,
            Self::V15 if self.available() => Ok(debian_programs()),
            Self::V15 => Err(Error::NotInstalled {
                what: "postgresql 15",
                advice: "apt-get install postgresql-15 (the tests without it still run)",
            }),
        }
    }
}

/// How a server is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PgOptions {
    /// `shared_buffers`, in MiB.
    pub shared_buffers_mib: u32,
    /// Further settings, name and value as in postgresql.conf; they win over ours.
    pub settings: Vec<(String, String)>,
}

impl Default for PgOptions {
    fn default() -> Self {
        Self {
            shared_buffers_mib: 512,
            settings: Vec::new(),
        }
    }
}

impl PgOptions {
    /// No TLS, whatever the server can: for comparisons of speed.
    #[must_use]
    pub fn without_tls() -> Self {
        Self {
            settings: vec![("ssl".to_owned(), "off".to_owned())],
            ..Self::default()
        }
    }

    fn turn_tls_off(&self) -> bool {
        let settings = &mut self.settings.iter();
        settings.any(|(name, value)| name == "ssl" && value == "off")
    }
}

/// A running Postgres server.
#[derive(Debug)]
pub struct Postgres {
    leash: Leash,
    programs: PathBuf,
    port: u16,
    password: String,
    ca: Option<Box<Authority>>,
}

impl Postgres {
    /// Makes an empty cluster and starts it.
    ///
    /// # Errors
    /// The server is not there, or does not start; its log is in the error.
    pub async fn start(version: PgVersion, options: PgOptions) -> Result<Self> {
        let leash = Leash::new(SERVER, Signal::Quit)?;
        let programs = version.programs(&leash).await?;
        let password = port::password();
        initdb(&leash, &programs, &password).await?;
        let ca = match version {
            PgVersion::V15 if !options.turn_tls_off() => Some(Box::new(certificates(&leash)?)),
            PgVersion::V15 | PgVersion::V18 => None,
        };
        let mut postgres = Self {
            leash,
            programs,
            port: 0,
            password,
            ca,
        };
        for last in [false, false, true] {
            postgres.port = port::free()?;
            postgres.configure(&options)?;
            match postgres.go().await {
                // Somebody was faster; take another port.
                Err(Error::Server { log, .. }) if !last && log.contains("already in use") => {}
                Err(error) => return Err(error),
                Ok(()) => break,
            }
        }
        Ok(postgres)
    }

    /// The address of a database for a role. Roles get their password by [`Self::admit`].
    pub fn url(&self, user: &str, database: &str) -> String {
        format!(
            "postgres://{user}:{}@127.0.0.1:{}/{database}",
            self.password, self.port
        )
    }

    /// The address of a database for the superuser.
    pub fn admin_url(&self, database: &str) -> String {
        self.url(SUPERUSER, database)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The one password of this run, for all roles.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The authority of the server's certificate, PEM; `None` where TLS is off.
    pub fn ca_pem(&self) -> Option<&str> {
        self.authority().map(Authority::pem)
    }

    /// The authority itself, to have it sign other certificates.
    pub fn authority(&self) -> Option<&Authority> {
        self.ca.as_deref()
    }

    /// The folder of the Unix socket; `None` where its path would be too long.
    pub fn socket_folder(&self) -> Option<&Path> {
        let longest = self.leash.folder().as_os_str().as_bytes().len() + "/.s.PGSQL.65535".len();
        (longest <= SOCKET_PATH_MAX).then(|| self.leash.folder())
    }

    /// Connects as the superuser.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn admin(&self, database: &str) -> Result<Client> {
        let connecting = tokio_postgres::connect(&self.admin_url(database), NoTls).await;
        let attempt = || format!("connecting to {database} as the superuser");
        let (client, connection) = connecting.map_err(|source| Error::Database {
            attempt: attempt(),
            source,
        })?;
        // It ends with the client; a broken connection shows in the client's next call.
        tokio::spawn(connection);
        Ok(client)
    }

    /// Makes a database, empty or as a copy of another that nobody is connected to. In a copy nobody
    /// may make temporary objects, as after our bootstrap: rights on a database are not copied.
    ///
    /// # Errors
    /// The name is taken or not plain, or somebody is connected to the template.
    pub async fn create_database(&self, name: &str, template: Option<&str>) -> Result<()> {
        let name = plain(name)?;
        let Some(template) = template else {
            return self.administer(&format!("CREATE DATABASE {name}")).await;
        };
        let template = plain(template)?;
        self.administer(&format!("CREATE DATABASE {name} TEMPLATE {template}"))
            .await?;
        self.administer(&format!("REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC"))
            .await
    }

    /// Removes a database and throws out whoever is connected to it.
    ///
    /// # Errors
    /// The name is not plain, or there is no such database.
    pub async fn drop_database(&self, name: &str) -> Result<()> {
        self.administer(&format!("DROP DATABASE {} WITH (FORCE)", plain(name)?))
            .await
    }

    /// Gives existing roles the password that [`Self::url`] tells.
    ///
    /// # Errors
    /// A role does not exist, or its name is not plain.
    pub async fn admit(&self, roles: &[&str]) -> Result<()> {
        for role in roles {
            let role = plain(role)?;
            let statement = format!("ALTER ROLE {role} LOGIN PASSWORD '{}'", self.password);
            self.administer(&statement).await?;
        }
        Ok(())
    }

    /// Stops the server as a power cut would (`pg_ctl stop -m immediate`).
    ///
    /// # Errors
    /// The leash is gone.
    pub async fn stop_immediate(&self) -> Result<()> {
        self.leash.halt(Signal::Quit).await
    }

    /// Starts a stopped server on the same port and data, and waits for its recovery.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start_again(&self) -> Result<()> {
        self.go().await
    }

    /// Ends the server and starts it with another certificate.
    ///
    /// # Errors
    /// It does not start.
    pub async fn present(&self, certificate: &Certificate) -> Result<()> {
        self.stop_immediate().await?;
        self.leash.write("server.pem", &certificate.cert)?;
        self.leash.write("server.key", &certificate.key)?;
        self.start_again().await
    }

    /// Keeps a copy of the data folder as it is on disk. The server must be stopped.
    ///
    /// # Errors
    /// It cannot be copied.
    pub async fn keep_copy(&self) -> Result<()> {
        self.leash
            .run(Path::new("cp"), &["-a", "data", "copy"])
            .await
    }

    /// Puts that copy in the place of the data folder: what was written since is lost, as by a
    /// failover to a standby that was behind. The server must be stopped.
    ///
    /// # Errors
    /// It cannot be moved.
    pub async fn go_back_to_copy(&self) -> Result<()> {
        self.leash.run(Path::new("mv"), &["data", "lost"]).await?;
        self.leash.run(Path::new("mv"), &["copy", "data"]).await
    }

    /// Stops it so and starts it again.
    ///
    /// # Errors
    /// It does not start.
    pub async fn restart_immediate(&self) -> Result<()> {
        self.stop_immediate().await?;
        self.start_again().await
    }

    /// The postmaster's process id, while it runs.
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
        let status = self.leash.folder().join("data/postmaster.pid");
        let ready = async |pid| says_ready(&fs::read_to_string(&status).unwrap_or_default(), pid);
        let program = self.programs.join("postgres");
        self.leash
            .start(&program, &["-D", "data"], PATIENCE, ready)
            .await
    }

    async fn administer(&self, statement: &str) -> Result<()> {
        let client = self.admin("postgres").await?;
        // The words up to the password, if there is one.
        let attempt = statement
            .split(" PASSWORD")
            .next()
            .unwrap_or_default()
            .to_owned();
        let done = client.batch_execute(statement).await;
        done.map_err(|source| Error::Database { attempt, source })
    }

    /// Replaces the configuration that initdb left: ours is the whole truth.
    fn configure(&self, options: &PgOptions) -> Result<()> {
        let socket = self
            .socket_folder()
            .map_or_else(String::new, |at| at.display().to_string());
        let ssl = if self.ca.is_some() { "on" } else { "off" };
        let settings = format!(
            "listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{socket}'
max_connections = 100
ssl = {ssl}
{certificate}
timezone = 'UTC'
log_timezone = 'UTC'

# As durable as in production; nothing here may flatter a measurement.
fsync = on
synchronous_commit = on
full_page_writes = on
wal_level = replica
max_wal_size = 4GB
checkpoint_timeout = 15min
shared_buffers = {shared}MB
jit = off
",
            port = self.port,
            shared = options.shared_buffers_mib,
            certificate = if self.ca.is_some() {
                "ssl_cert_file = '../server.pem'\nssl_key_file = '../server.key'"
            } else {
                ""
            },
        );
        let own = options
            .settings
            .iter()
            .map(|(name, value)| format!("{name} = '{value}'\n"));
        let settings: String = std::iter::once(settings).chain(own).collect();
        self.leash.write("data/postgresql.conf", &settings)?;
        Ok(())
    }
}

/// Makes the data folder. Its own fsync is skipped: nothing of value is in it yet.
async fn initdb(leash: &Leash, programs: &Path, password: &str) -> Result<()> {
    leash.write("password", password)?;
    let args = [
        "--pgdata=data",
        "--username=postgres",
        "--pwfile=password",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    ];
    leash.run(&programs.join("initdb"), &args).await
}

/// Writes the server's certificate and returns its authority.
fn certificates(leash: &Leash) -> Result<Authority> {
    let authority = Authority::new("tollbook test postgres")?;
    let server = authority.server()?;
    leash.write("server.pem", &server.cert)?;
    leash.write("server.key", &server.key)?;
    Ok(authority)
}

/// The status file says, line by line: pid first, and `ready` in the eighth line.
fn says_ready(status: &str, pid: u32) -> bool {
    let mut lines = status.lines().map(str::trim);
    lines.next() == Some(&pid.to_string()) && lines.nth(6) == Some("ready")
}

fn debian_programs() -> PathBuf {
    Path::new(servers::DEBIAN_15).join("bin")
}

/// A name that means the same with and without quotes.
fn plain(name: &str) -> Result<&str> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let starts = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if starts && name.bytes().all(fits) {
        Ok(name)
    } else {
        Err(Error::BadName {
            name: name.to_owned(),
        })
    }
}
