//! Our side of TLS: 1.2 or newer, with client certificates for those who have one.
//!
//! Certificate, key and authorities are read again when their files change. A half-written pair
//! is waited out with the one we have. Connections that are open learn of other authorities through
//! [`Tls::authorities_replaced`]; a new certificate of our own leaves them as they are.

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use eventstore::files::Stamps;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::{config::ConfigError, trust};

const CERT_FILE: &str = "BILLING_TLS_CERT_FILE";
const KEY_FILE: &str = "BILLING_TLS_KEY_FILE";
const CLIENT_CA_FILE: &str = "BILLING_TLS_CLIENT_CA_FILE";

/// Where everything is, as PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// Our certificate and what is between it and its authority.
    pub certificate: PathBuf,
    /// The key to it.
    pub key: PathBuf,
    /// The authorities that client certificates are verified with. Without them none is asked
    /// for.
    pub client_ca: Option<PathBuf>,
}

/// What connections are accepted with.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    config: RwLock<Arc<ServerConfig>>,
    /// The authorities of client certificates, as their file holds them.
    client_ca: watch::Sender<Vec<u8>>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// One of them cannot be read or used; the key of the setting is named.
    pub fn new(files: TlsFiles) -> Result<Self, ConfigError> {
        let config = RwLock::new(Arc::new(config(&files)?));
        let client_ca = watch::Sender::new(authorities(&files));
        Ok(Self {
            files,
            config,
            client_ca,
        })
    }

    /// Ends when the authorities of client certificates are others than at this call.
    pub fn authorities_replaced(&self) -> impl Future<Output = ()> + use<> {
        let mut client_ca = self.client_ca.subscribe();
        async move {
            // The sender lives as long as the server, and then the connection ends anyway.
            let _ = client_ca.changed().await;
        }
    }

    /// Accepts with what the files said last.
    #[must_use]
    pub fn acceptor(&self) -> TlsAcceptor {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&config))
    }

    /// Looks at the files so often, for ever, and uses what is new.
    pub async fn look_after(&self, every: Duration) -> Infallible {
        let files = || {
            let files = [&self.files.certificate, &self.files.key];
            files.into_iter().chain(&self.files.client_ca)
        };
        let mut used = Stamps::of(files());
        let mut told = None;
        loop {
            tokio::time::sleep(every).await;
            let now = Stamps::of(files());
            if now == used {
                continue;
            }
            match config(&self.files) {
                Ok(config) => {
                    let mut place = self.config.write().unwrap_or_else(PoisonError::into_inner);
                    *place = Arc::new(config);
                    drop(place);
                    used = now;
                    tracing::info!(event = "http.certificate_rotated");
                    let new = authorities(&self.files);
                    if self.client_ca.send_if_modified(|known| {
                        let other = *known != new;
                        *known = new;
                        other
                    }) {
                        tracing::info!(event = "http.authorities_replaced");
                    }
                }
                Err(error) if told.as_ref() != Some(&now) => {
                    tracing::warn!(event = "http.certificate_unusable", error = %error);
                    told = Some(now);
                }
                Err(_) => {}
            }
        }
    }
}

/// What the file of the authorities of client certificates holds; nothing without such a file.
fn authorities(files: &TlsFiles) -> Vec<u8> {
    let read = files.client_ca.as_ref().map(std::fs::read);
    read.and_then(Result::ok).unwrap_or_default()
}

fn config(files: &TlsFiles) -> Result<ServerConfig, ConfigError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        // Unwrap safety: ring's provider supports the default protocol versions.
        .expect("ring supports TLS 1.2 and 1.3");
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let roots = Arc::new(trust::authorities(CLIENT_CA_FILE, path)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
                .allow_unauthenticated()
                .build()
                .map_err(|_| ConfigError::value(CLIENT_CA_FILE, "cannot be verified with"))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let (chain, key) = pair(&files.certificate, &files.key)?;
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|_| ConfigError::value(KEY_FILE, "is not the key to the certificate"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if files.client_ca.is_some() {
        // A session that is resumed keeps what a certificate proved when it began.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}

type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn pair(certificate: &Path, key: &Path) -> Result<Pair, ConfigError> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| ConfigError::value(CERT_FILE, "holds no usable PEM certificate"))?;
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|_| ConfigError::value(KEY_FILE, "holds no usable PEM key"))?;
    Ok((chain, key))
}
