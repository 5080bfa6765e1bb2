//! Who we are to NATS and whom we trust there, as files say.
//!
//! What is in use stays in use, whatever becomes of the files, until something else has proven to
//! work: a connection that breaks comes back with what it had. A session is never resumed, for a
//! resumed one shows no certificate.

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use eventstore::{clock, files::Stamps};
use rustls::{
    ClientConfig, SignatureScheme,
    client::{ResolvesClientCert, Resumption, WebPkiServerVerifier},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};

use super::{NatsOptions, User};
use crate::{
    certificate as x509,
    config::ConfigError,
    trust::{self, VerifiedBy},
};

const CA: &str = "NATS_CA_FILE";
const CERT: &str = "NATS_CERT_FILE";
const KEY: &str = "NATS_KEY_FILE";

/// What a connection is made with.
#[derive(Debug)]
pub struct Credentials {
    options: NatsOptions,
    user: User,
    used: RwLock<Loaded>,
}

/// The files as they were read.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    /// What they looked like just before.
    pub(super) stamps: Stamps,
    verifier: Arc<WebPkiServerVerifier>,
    certificate: Option<Arc<CertifiedKey>>,
}

impl Loaded {
    /// How long the certificate is still good, and how long it is good in all, in seconds.
    pub(super) fn remaining(&self) -> Option<(i64, i64)> {
        let certificate = self.certificate.as_ref()?.cert.first()?;
        let (begin, end) = x509::validity(certificate)?;
        let [begin, end] = [begin, end].map(|at| i64::try_from(at.as_secs()).unwrap_or(i64::MAX));
        let now = clock::now().micros() / 1_000_000;
        Some((end.saturating_sub(now), end.saturating_sub(begin)))
    }
}

impl Credentials {
    /// Reads the files; `None` where there is no TLS.
    ///
    /// # Errors
    /// One of them cannot be used, or the certificate is another user's.
    pub fn new(options: &NatsOptions, user: User) -> Result<Option<Arc<Self>>, ConfigError> {
        if !options.tls {
            return Ok(None);
        }
        let loaded = load(options, user)?;
        Ok(Some(Arc::new(Self {
            options: options.clone(),
            user,
            used: RwLock::new(loaded),
        })))
    }

    /// What the files look like now.
    pub(super) fn stamps(&self) -> Stamps {
        stamps(&self.options)
    }

    /// What the files hold now.
    ///
    /// # Errors
    /// One of them cannot be used, or the certificate is another user's.
    pub(super) fn read(&self) -> Result<Loaded, ConfigError> {
        load(&self.options, self.user)
    }

    /// What is in use.
    pub(super) fn used(&self) -> Loaded {
        let used = self.used.read().unwrap_or_else(PoisonError::into_inner);
        used.clone()
    }

    /// From the next connection on.
    pub(super) fn use_from_now_on(&self, loaded: Loaded) {
        *self.used.write().unwrap_or_else(PoisonError::into_inner) = loaded;
    }

    /// TLS with whatever is in use when a connection is made.
    pub(super) fn tls(self: &Arc<Self>) -> ClientConfig {
        let this = Arc::clone(self);
        let verifier = VerifiedBy(move || this.used().verifier);
        let builder = ClientConfig::builder_with_provider(trust::provider())
            .with_safe_default_protocol_versions()
            // Unwrap safety: ring's provider supports the default protocol versions.
            .expect("ring supports TLS 1.2 and 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = if self.options.certificate.is_some() {
            builder.with_client_cert_resolver(Arc::<Self>::clone(self))
        } else {
            builder.with_no_client_auth()
        };
        config.resumption = Resumption::disabled();
        config
    }

    /// The same files, but `loaded` of them in use.
    pub(super) fn with(&self, loaded: Loaded) -> Arc<Self> {
        Arc::new(Self {
            options: self.options.clone(),
            user: self.user,
            used: RwLock::new(loaded),
        })
    }
}

fn stamps(options: &NatsOptions) -> Stamps {
    let pair = options.certificate.iter();
    let pair = pair.flat_map(|(certificate, key)| [certificate, key]);
    Stamps::of(pair.chain(&options.ca))
}

fn load(options: &NatsOptions, user: User) -> Result<Loaded, ConfigError> {
    // Before they are read: what changes meanwhile is read again.
    let stamps = stamps(options);
    let roots = match &options.ca {
        Some(path) => trust::authorities(CA, path)?,
        None => trust::of_the_system(),
    };
    let verifier = trust::verifier(CA, roots)?;
    let pair = options.certificate.as_ref();
    let certificate = pair.map(|(certificate, key)| pair_of(certificate, key));
    let certificate = certificate.transpose()?;
    if let (Some(certificate), None) = (&certificate, &options.login) {
        is_ours(certificate, user)?;
    }
    Ok(Loaded {
        stamps,
        verifier,
        certificate: certificate.map(Arc::new),
    })
}

/// A certificate and the key to it.
fn pair_of(certificate: &Path, key: &Path) -> Result<CertifiedKey, ConfigError> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| ConfigError::value(CERT, "holds no usable PEM certificate"))?;
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|_| ConfigError::value(KEY, "holds no usable PEM key"))?;
    CertifiedKey::from_der(chain, key, &trust::provider())
        .map_err(|_| ConfigError::value(KEY, "is not the key to the certificate"))
}

/// NATS takes us for whom the certificate names, so it must name us.
fn is_ours(certificate: &CertifiedKey, user: User) -> Result<(), ConfigError> {
    let names = certificate.cert.first().map(x509::names);
    let is_ours = names.is_some_and(|names| names.iter().any(|name| name == user.name));
    is_ours.then_some(()).ok_or_else(|| {
        let problem = format!("is not the certificate of {} (by its DNS names)", user.name);
        ConfigError::value(CERT, problem)
    })
}

impl ResolvesClientCert for Credentials {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.used().certificate
    }

    fn has_certs(&self) -> bool {
        self.options.certificate.is_some()
    }
}
