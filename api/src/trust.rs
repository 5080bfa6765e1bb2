//! Whom we trust when we call others by TLS.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use eventstore::files::Stamps;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};

use crate::config::ConfigError;

/// TLS towards a server that an authority in the file `ca` vouches for, or one of the system's if
/// there is none. `key` is the setting that names the file; it is looked at for each connection.
///
/// # Errors
/// The file cannot be read or holds no certificate.
pub(crate) fn client(key: &'static str, ca: Option<&Path>) -> Result<ClientConfig, ConfigError> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        // Unwrap safety: ring's provider supports the default protocol versions.
        .expect("ring supports TLS 1.2 and 1.3");
    let Some(path) = ca else {
        let builder = builder.with_root_certificates(of_the_system());
        return Ok(builder.with_no_client_auth());
    };
    let followed = Followed::new(key, path)?;
    let verifier = VerifiedBy(move || followed.now());
    let builder = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    Ok(builder.with_no_client_auth())
}

/// Authorities in a file that may change. While it cannot be used, what it held last counts.
struct Followed {
    key: &'static str,
    path: PathBuf,
    known: Mutex<Known>,
}

struct Known {
    verifier: Arc<WebPkiServerVerifier>,
    /// What the file looked like when it was last read.
    seen: Stamps,
}

impl Followed {
    fn new(key: &'static str, path: &Path) -> Result<Self, ConfigError> {
        let path = path.to_owned();
        let seen = Stamps::of([&path]);
        let verifier = verifier(key, authorities(key, &path)?)?;
        Ok(Self {
            key,
            path,
            known: Mutex::new(Known { verifier, seen }),
        })
    }

    fn now(&self) -> Arc<WebPkiServerVerifier> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = Stamps::of([&self.path]);
        if seen != known.seen {
            known.seen = seen;
            let read = authorities(self.key, &self.path);
            match read.and_then(|roots| verifier(self.key, roots)) {
                Ok(verifier) => {
                    known.verifier = verifier;
                    tracing::info!(event = "trust.authorities_replaced", setting = self.key);
                }
                Err(error) => {
                    tracing::warn!(event = "trust.authorities_unusable", setting = self.key, error = %error);
                }
            }
        }
        Arc::clone(&known.verifier)
    }
}

/// Verifies servers as these authorities say.
///
/// # Errors
/// They cannot be verified with; `key` is the setting that names them.
pub(crate) fn verifier(
    key: &'static str,
    roots: RootCertStore,
) -> Result<Arc<WebPkiServerVerifier>, ConfigError> {
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider());
    let built = builder.build();
    built.map_err(|_| ConfigError::value(key, "cannot be verified with"))
}

/// Verifies each server with what it is given for that handshake.
pub(crate) struct VerifiedBy<F>(pub(crate) F);

impl<F> fmt::Debug for VerifiedBy<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifiedBy")
    }
}

impl<F: Fn() -> Arc<WebPkiServerVerifier> + Send + Sync> ServerCertVerifier for VerifiedBy<F> {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verifier = (self.0)();
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        (self.0)().verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        (self.0)().verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        (self.0)().supported_verify_schemes()
    }
}

/// The one library that does cryptography here.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// What this system trusts.
pub(crate) fn of_the_system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// The authorities in a PEM file that the setting `key` names.
///
/// # Errors
/// The file cannot be read or holds no certificate.
pub(crate) fn authorities(key: &'static str, path: &Path) -> Result<RootCertStore, ConfigError> {
    let pem = std::fs::read(path).map_err(|source| ConfigError::unreadable(key, path, &source))?;
    let unusable = || ConfigError::value(key, "holds no usable PEM certificate");
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| unusable())?;
        roots.add(certificate).map_err(|_| unusable())?;
    }
    if roots.is_empty() {
        return Err(unusable());
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn authority() -> String {
        let params = CertificateParams::new(["authority".to_owned()]).expect("a name");
        let key = KeyPair::generate().expect("a key");
        params.self_signed(&key).expect("signed").pem()
    }

    #[test]
    fn authorities_are_read_again_when_their_file_changes_and_kept_while_it_is_of_no_use() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, authority()).expect("written");
        let followed = Followed::new("CA", &path).expect("usable");
        let first = followed.now();
        assert!(Arc::ptr_eq(&first, &followed.now()), "nothing changed");
        std::fs::write(&path, "-----BEGIN CERT").expect("written");
        assert!(Arc::ptr_eq(&first, &followed.now()), "half written");
        std::fs::remove_file(&path).expect("removed");
        assert!(Arc::ptr_eq(&first, &followed.now()), "gone");
        std::fs::write(&path, authority()).expect("written");
        assert!(!Arc::ptr_eq(&first, &followed.now()), "another one");
    }
}
