//! How a connection is made: from options read anew each time, encrypted unless it stays on this
//! machine, and watched by the kernel, so that a host that vanished is noticed. It must never
//! show the address, which holds a password.

use std::{net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio::task::JoinHandle;
use tokio_postgres::{
    Config, NoTls,
    config::{Host, SslMode, TargetSessionAttrs},
    tls::MakeTlsConnect,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Secret, files::Stamps};

/// How long one host may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How long what we sent may stay unacknowledged by the other kernel.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);
/// A connection this quiet is probed.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(5);
/// The pause between two probes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
/// A connection with this many unanswered probes is dead.
const KEEPALIVE_RETRIES: u32 = 3;

/// How to reach Postgres: address, trust, pool and deadline, checked by whoever reads the settings.
#[derive(Debug, Clone)]
pub struct DatabaseOptions {
    /// A `postgres://` URL; several hosts are tried in turn, and `target_session_attrs` is
    /// always `read-write`, so that a failover is followed.
    pub url: Secret,
    /// A file that holds the URL instead; read again for each new connection.
    pub url_file: Option<PathBuf>,
    /// PEM file with the certificate authorities to trust; read again for each new connection.
    pub ca_file: Option<PathBuf>,
    /// The most connections to keep.
    pub pool_max: usize,
    /// How long a statement or a transaction may take before its connection is given up.
    pub deadline: Duration,
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
        /// The file as it was named.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// No certificate in the CA file.
    #[error("{path} holds no usable PEM certificate")]
    Certificate {
        /// The file as it was named.
        path: PathBuf,
    },
    /// The URL names nobody to connect to.
    #[error("DATABASE_URL names no host")]
    NoHost,
    /// The URL asks for an unencrypted connection to another machine.
    #[error("DATABASE_URL must say sslmode=require unless it names only this machine")]
    Unencrypted,
    /// TLS without a name that the server's certificate could be for.
    #[error("DATABASE_URL must name a host beside each hostaddr with sslmode=require")]
    NoName,
    /// TLS without anyone to trust.
    #[error("DATABASE_CA_FILE is needed with sslmode=require")]
    NoAuthority,
    /// The pool cannot be built.
    #[error("building the connection pool")]
    Pool(#[source] deadpool_postgres::BuildError),
}

/// A connection, and the task that drives it.
pub(super) type Opened = (tokio_postgres::Client, JoinHandle<()>);

/// What a connection is made with.
#[derive(Clone)]
pub(super) struct Target {
    /// What the files looked like just before they were read.
    pub(super) stamps: Stamps,
    pub(super) config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Target {
    /// Connects.
    pub(super) async fn open(&self) -> Result<Opened, tokio_postgres::Error> {
        match &self.tls {
            Some(tls) => open(&self.config, tls.clone()).await,
            None => open(&self.config, NoTls).await,
        }
    }
}

/// Fails: there is no way to make a `tokio_postgres::Error` of our own, but connecting to nowhere
/// yields one.
pub(super) async fn nowhere() -> Result<Opened, tokio_postgres::Error> {
    open(&Config::new(), NoTls).await
}

/// Reads what a connection is made with, anew each time, so that a rotated password or certificate
/// authority is used without a restart.
pub(super) struct Connector {
    pub(super) options: DatabaseOptions,
}

impl Connector {
    /// What is to be connected to, and how it is encrypted.
    pub(super) fn read(&self) -> Result<Target, DatabaseOptionsError> {
        // Before they are read: what changes meanwhile is read again.
        let stamps = self.stamps();
        let url = match &self.options.url_file {
            None => self.options.url.clone(),
            Some(path) => Secret::new(read_file(path)?.trim().to_owned()),
        };
        let mut config = parse(&url)?;
        config.application_name(&self.options.application);
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.connect_timeout(CONNECT);
        config.tcp_user_timeout(UNACKNOWLEDGED);
        config.keepalives(true);
        config.keepalives_idle(KEEPALIVE_IDLE);
        config.keepalives_interval(KEEPALIVE_INTERVAL);
        config.keepalives_retries(KEEPALIVE_RETRIES);
        let tls = if config.get_ssl_mode() == SslMode::Require {
            let ca = self.options.ca_file.as_ref();
            Some(tls(ca.ok_or(DatabaseOptionsError::NoAuthority)?)?)
        } else {
            None
        };
        Ok(Target {
            stamps,
            config,
            tls,
        })
    }

    /// What the files look like now.
    pub(super) fn stamps(&self) -> Stamps {
        Stamps::of(self.options.url_file.iter().chain(&self.options.ca_file))
    }

    /// Whether there are files that may change.
    pub(super) const fn has_files(&self) -> bool {
        self.options.url_file.is_some()
    }
}

async fn open<T>(config: &Config, tls: T) -> Result<Opened, tokio_postgres::Error>
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

/// The address as the driver takes it, if it is one that may be connected to.
fn parse(url: &Secret) -> Result<Config, DatabaseOptionsError> {
    let url = plain_mode(url);
    let config: Config = url.expose().parse().map_err(DatabaseOptionsError::Url)?;
    let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
    if hosts.is_empty() && addresses.is_empty() {
        return Err(DatabaseOptionsError::NoHost);
    }
    if config.get_ssl_mode() == SslMode::Require {
        // Without a name there is nothing to verify the certificate against.
        let named = addresses.is_empty() || addresses.len() == hosts.len();
        return named.then_some(config).ok_or(DatabaseOptionsError::NoName);
    }
    // An address is what is connected to, whatever the host beside it is called.
    let stays = addresses.iter().all(IpAddr::is_loopback) && hosts.iter().all(is_this_machine);
    stays
        .then_some(config)
        .ok_or(DatabaseOptionsError::Unencrypted)
}

/// The address with `require` where it says `verify-full` or `verify-ca`, which the driver does not
/// know. Certificate and name are verified whenever TLS is on, so all three mean the strictest.
fn plain_mode(url: &Secret) -> Secret {
    let url = url.expose();
    for mode in ["sslmode=verify-full", "sslmode=verify-ca"] {
        for (at, _) in url.match_indices(mode) {
            let (before, after) = (&url[..at], &url[at + mode.len()..]);
            // A setting of its own, not a part of a password.
            let begins = before.is_empty() || before.ends_with(['?', '&', ' ', '\n', '\t']);
            let ends = after.is_empty() || after.starts_with(['&', ' ', '\n', '\t']);
            if begins && ends {
                return Secret::new(format!("{before}sslmode=require{after}"));
            }
        }
    }
    Secret::new(url.to_owned())
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> Option<String> {
        let refusal = parse(&Secret::new(url.to_owned())).err();
        refusal.map(|error| error.to_string())
    }

    #[test]
    fn an_unencrypted_connection_stays_on_this_machine_whatever_the_host_is_called() {
        for here in [
            "postgres://dlr_svc:p@localhost/t",
            "postgres://dlr_svc:p@127.0.0.1,[::1]/t",
            "postgres://dlr_svc:p@localhost/t?hostaddr=127.0.0.1",
            "host=localhost,localhost hostaddr=127.0.0.1,::1 dbname=t",
            "host=/run/postgresql dbname=t",
            "hostaddr=127.0.0.9 dbname=t",
        ] {
            assert_eq!(refused(here), None, "{here}");
        }
        for elsewhere in [
            "postgres://dlr_svc:p@db.example/t",
            "postgres://dlr_svc:p@localhost,db.example/t",
            "postgres://dlr_svc:p@localhost/t?hostaddr=192.0.2.1",
            "host=localhost,localhost hostaddr=127.0.0.1,192.0.2.1 dbname=t",
            "hostaddr=192.0.2.1 dbname=t",
            "host=db.example hostaddr=127.0.0.1 dbname=t",
        ] {
            let told = refused(elsewhere).unwrap_or_default();
            assert!(told.contains("must say sslmode=require"), "{elsewhere}");
        }
    }

    #[test]
    fn somebody_must_be_named_and_with_tls_by_name() {
        for nobody in ["postgres:///t", "user=dlr_svc dbname=t sslmode=require"] {
            let told = refused(nobody);
            assert_eq!(told.as_deref(), Some("DATABASE_URL names no host"));
        }
        let nameless = "hostaddr=192.0.2.1 dbname=t sslmode=require";
        assert!(refused(nameless).is_some_and(|told| told.contains("beside each hostaddr")));
        let named = "host=db.example hostaddr=192.0.2.1 dbname=t sslmode=verify-full";
        assert_eq!(refused(named), None);
    }

    #[test]
    fn verifying_modes_mean_require_and_a_password_that_looks_like_one_stays() {
        let read = |url: &str| parse(&Secret::new(url.to_owned())).expect("an address");
        for url in [
            "postgres://u:p@db.example/t?sslmode=verify-full",
            "postgres://u:p@db.example/t?connect_timeout=1&sslmode=verify-ca&keepalives=1",
            "host=db.example sslmode=verify-full dbname=t",
            "sslmode=verify-ca host=db.example",
        ] {
            assert_eq!(read(url).get_ssl_mode(), SslMode::Require, "{url}");
        }
        let odd = read("postgres://u:sslmode=verify-full@localhost/t");
        assert_eq!(odd.get_password(), Some(&b"sslmode=verify-full"[..]));
        assert_ne!(odd.get_ssl_mode(), SslMode::Require);
        let unknown = refused("postgres://u:p@db.example/t?sslmode=verify-fully");
        assert!(
            unknown.is_some(),
            "nobody connects by a mode that is not known"
        );
    }

    #[test]
    fn options_and_their_errors_never_show_the_password() {
        let options = DatabaseOptions {
            url: Secret::new("postgres://dlr_svc:hunter2@db.example:x/t".to_owned()),
            url_file: None,
            ca_file: None,
            pool_max: 1,
            deadline: Duration::from_secs(1),
            application: "tests".to_owned(),
        };
        let shown = format!("{options:?}");
        let error = Connector { options }.read().err().expect("no port");
        let told = format!("{error:?} {}", crate::log::chain(&error));
        assert!(!shown.contains("hunter2") && !told.contains("hunter2"));
    }
}
