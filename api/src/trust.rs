//! Whom we trust when we call others by TLS.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::config::ConfigError;

/// TLS towards a server that an authority in the file `ca` vouches for, or one of the system's if
/// there is none. `key` is the setting that names the file.
///
/// # Errors
/// The file cannot be read or holds no certificate.
pub(crate) fn client(key: &'static str, ca: Option<&Path>) -> Result<ClientConfig, ConfigError> {
    let roots = ca.map_or_else(|| Ok(of_the_system()), |path| authorities(key, path))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        // Unwrap safety: ring's provider supports the default protocol versions.
        .expect("ring supports TLS 1.2 and 1.3");
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn of_the_system() -> RootCertStore {
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
