//! The pool of connections: TLS, secrets that rotate, several hosts, transactions as closures.

use std::{path::PathBuf, sync::Arc, time::Duration};

use deadpool_postgres::{
    Client, Connect, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Transaction,
};
use futures::future::BoxFuture;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio::task::JoinHandle;
use tokio_postgres::{
    Config, NoTls,
    config::{Host, SslMode},
    tls::MakeTlsConnect,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::StoreError;

/// How to reach Postgres.
#[derive(Debug, Clone)]
pub struct DatabaseOptions {
    /// A `postgres://` URL; several hosts are tried in turn, and `target_session_attrs` is
    /// always `read-write`, so that a failover is followed.
    pub url: String,
    /// A file that holds the URL instead; read again for each new connection.
    pub url_file: Option<PathBuf>,
    /// PEM file with the certificate authorities to trust; read again for each new connection.
    pub ca_file: Option<PathBuf>,
    /// The most connections to keep.
    pub pool_max: usize,
    /// What Postgres shows in `pg_stat_activity`.
    pub application: String,
}

/// A mistake in [`DatabaseOptions`]. Never repeats the URL, which holds a password.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseOptionsError {
    /// Not a Postgres URL.
    #[error("DATABASE_URL is not a postgres url")]
    Url(#[source] tokio_postgres::Error),
    /// A file cannot be read.
    #[error("reading {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// No certificate in the CA file.
    #[error("{path} holds no usable PEM certificate")]
    Certificate {
        /// Which.
        path: PathBuf,
    },
    /// The URL asks for an unencrypted connection to another machine.
    #[error("DATABASE_URL must say sslmode=require unless it names only this machine")]
    Unencrypted,
    /// TLS without anyone to trust.
    #[error("DATABASE_CA_FILE is needed with sslmode=require")]
    NoAuthority,
    /// The pool cannot be built.
    #[error("building the connection pool")]
    Pool(#[source] deadpool_postgres::BuildError),
}

/// A pool of connections to one database.
#[derive(Clone)]
pub struct Database {
    pool: Pool,
}

impl Database {
    /// A pool that connects when first used.
    ///
    /// # Errors
    /// The options are wrong; nothing has been connected yet.
    pub fn new(options: DatabaseOptions) -> Result<Self, DatabaseOptionsError> {
        let connector = Connector { options };
        let (config, _) = connector.read()?;
        let size = connector.options.pool_max;
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_connect(config, connector, recycling);
        let pool = Pool::builder(manager)
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(Duration::from_secs(10)))
            .create_timeout(Some(Duration::from_secs(10)))
            .build()
            .map_err(DatabaseOptionsError::Pool)?;
        Ok(Self { pool })
    }

    /// A connection for single statements.
    ///
    /// # Errors
    /// None could be had in ten seconds.
    pub async fn client(&self, operation: &'static str) -> Result<Client, StoreError> {
        self.pool
            .get()
            .await
            .map_err(|source| StoreError::Pool { operation, source })
    }

    /// Runs `work` in a transaction named `operation` and commits it if it succeeds. The
    /// transaction runs to its end in a task of its own even if the caller goes away; `work` may
    /// run again only if the caller calls again.
    ///
    /// # Errors
    /// What `work` says, or a fault of Postgres. On any error the transaction is rolled back.
    pub async fn transaction<T, E, F>(&self, operation: &'static str, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'a> FnOnce(&'a Transaction<'a>) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
    {
        let database = self.clone();
        let failed = move |source| StoreError::Postgres { operation, source };
        let task = tokio::spawn(async move {
            let mut client = database.client(operation).await?;
            let transaction = client.transaction().await.map_err(failed)?;
            let answer = work(&transaction).await?;
            transaction.commit().await.map_err(failed)?;
            Ok(answer)
        });
        match task.await {
            Ok(answer) => answer,
            Err(died) => Err(StoreError::Died {
                operation,
                source: died,
            }
            .into()),
        }
    }
}

/// Makes connections from options that are read anew each time, so that a rotated password or
/// certificate authority is used without a restart.
struct Connector {
    options: DatabaseOptions,
}

impl Connector {
    fn read(&self) -> Result<(Config, Option<MakeRustlsConnect>), DatabaseOptionsError> {
        let url = match &self.options.url_file {
            None => self.options.url.clone(),
            Some(path) => read_file(path)?.trim().to_owned(),
        };
        // The server's certificate and name are verified whenever TLS is on, so these mean the same.
        let url = url
            .replace("sslmode=verify-full", "sslmode=require")
            .replace("sslmode=verify-ca", "sslmode=require");
        let mut config: Config = url.parse().map_err(DatabaseOptionsError::Url)?;
        config.application_name(&self.options.application);
        config.target_session_attrs(tokio_postgres::config::TargetSessionAttrs::ReadWrite);
        config.connect_timeout(Duration::from_secs(5));
        config.tcp_user_timeout(Duration::from_secs(10));
        if config.get_ssl_mode() == SslMode::Require {
            let ca = self
                .options
                .ca_file
                .as_ref()
                .ok_or(DatabaseOptionsError::NoAuthority)?;
            return Ok((config, Some(tls(ca)?)));
        }
        if !config.get_hosts().iter().all(is_this_machine) {
            return Err(DatabaseOptionsError::Unencrypted);
        }
        Ok((config, None))
    }
}

impl Connect for Connector {
    fn connect(
        &self,
        _: &Config,
    ) -> BoxFuture<'_, Result<(tokio_postgres::Client, JoinHandle<()>), tokio_postgres::Error>>
    {
        Box::pin(async move {
            match self.read() {
                Ok((config, Some(tls))) => open(&config, tls).await,
                Ok((config, None)) => open(&config, NoTls).await,
                Err(error) => {
                    tracing::error!(event = "database.options_error", error = %crate::log::chain(&error));
                    // There is no way to make a tokio_postgres::Error of our own; connecting to
                    // nowhere yields one.
                    open(&Config::new(), NoTls).await
                }
            }
        })
    }
}

async fn open<T>(
    config: &Config,
    tls: T,
) -> Result<(tokio_postgres::Client, JoinHandle<()>), tokio_postgres::Error>
where
    T: MakeTlsConnect<tokio_postgres::Socket> + Send,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as tokio_postgres::tls::TlsConnect<tokio_postgres::Socket>>::Future: Send,
{
    let (client, connection) = config.connect(tls).await?;
    let driver = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(event = "database.connection_lost", error = %crate::log::chain(&error));
        }
    });
    Ok((client, driver))
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse()
                    .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
    }
}

fn read_file(path: &PathBuf) -> Result<String, DatabaseOptionsError> {
    std::fs::read_to_string(path).map_err(|source| DatabaseOptionsError::File {
        path: path.clone(),
        source,
    })
}

fn tls(ca: &PathBuf) -> Result<MakeRustlsConnect, DatabaseOptionsError> {
    let pem = read_file(ca)?;
    let unusable = || DatabaseOptionsError::Certificate { path: ca.clone() };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| unusable())?;
        roots.add(certificate).map_err(|_| unusable())?;
    }
    if roots.is_empty() {
        return Err(unusable());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    // Unwrap safety: ring's provider supports the default protocol versions.
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
