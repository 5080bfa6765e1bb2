//! Uses a new client certificate as soon as it is there.
//!
//! The client library reads the files whenever it connects, so a rotation needs nothing but a new
//! connection before the old certificate expires. A half-written pair is waited out: we keep the
//! connection we have until certificate and key belong together.

use std::{io, path::Path, sync::Arc, time::Duration};

use async_nats::Client;
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};

use super::NatsOptions;
use crate::files::Stamps;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// Watches the files that `options` name, for ever, and reconnects when they changed.
pub async fn watch(client: &Client, options: &NatsOptions) {
    let Some((certificate, key)) = &options.certificate else {
        return std::future::pending().await;
    };
    let mut files = vec![certificate.clone(), key.clone()];
    files.extend(options.ca.clone());
    let mut used = Stamps::of(&files);
    loop {
        tokio::time::sleep(LOOK).await;
        let now = Stamps::of(&files);
        if now == used {
            continue;
        }
        if let Err(error) = pair(certificate, key) {
            tracing::warn!(event = "nats.certificate_unusable", error = %error);
            continue;
        }
        match client.force_reconnect().await {
            Ok(()) => tracing::info!(event = "nats.certificate_rotated"),
            Err(error) => tracing::error!(event = "nats.certificate_unused", error = %error),
        }
        used = now;
    }
}

/// Whether the two files hold a certificate and the key to it.
fn pair(certificate: &Path, key: &Path) -> Result<(), io::Error> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|_| wrong("the certificate cannot be read"))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|_| wrong("the key cannot be read"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    CertifiedKey::from_der(chain, key, &provider)
        .map(drop)
        .map_err(|_| wrong("certificate and key do not belong together"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_that_is_none_is_not_used() {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        assert!(pair(path, path).is_err(), "no certificate in it");
    }
}
