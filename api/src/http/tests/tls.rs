//! TLS: who we are, who they are, and new certificates without a restart.

use std::{path::Path, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;
use crate::http::tls::{Tls, TlsFiles};

/// An authority that vouches for whom the test wants.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("signed"))
    }

    /// Certificate and key of somebody on this machine called `name`, as PEM.
    fn vouch(&self, name: &str) -> (String, String) {
        let names = ["localhost", name].map(str::to_owned);
        let params = CertificateParams::new(names).expect("names");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("signed");
        (certificate.pem(), key.serialize_pem())
    }

    /// Writes what a server needs.
    fn write(&self, folder: &Path) -> TlsFiles {
        let files = TlsFiles {
            certificate: folder.join("cert.pem"),
            key: folder.join("key.pem"),
            client_ca: Some(folder.join("ca.pem")),
        };
        let (certificate, key) = self.vouch("server");
        std::fs::write(&files.certificate, certificate).expect("writes");
        std::fs::write(&files.key, key).expect("writes");
        std::fs::write(folder.join("ca.pem"), self.0.pem()).expect("writes");
        files
    }

    /// Connects as somebody with this certificate, or with none.
    async fn connect(
        &self,
        stand: &Stand,
        identity: Option<(String, String)>,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).expect("an authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let certificate = CertificateDer::from_pem_slice(certificate.as_bytes());
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
                let chain = vec![certificate.expect("a certificate")];
                builder.with_client_auth_cert(chain, key).expect("a pair")
            }
        };
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = stand.connect().await;
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await
    }
}

const KEY: &str = "X-Api-Key-Id: k\r\nX-Scopes: billing:read\r\n\
    X-Tenant-Id: 00000000-0000-4000-8000-000000000001\r\n\
    X-Account-Id: 00000000-0000-4000-8000-000000000002\r\n";

#[tokio::test]
async fn the_gateways_certificate_makes_its_word_count() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    let files = authority.write(folder.path());
    let tls = Arc::new(Tls::new(files).expect("usable"));
    let stand = Stand::with(|options| options.tls = Some(tls), 1_000).await;
    let head = format!("GET {THING}?count=1 HTTP/1.1\r\n{KEY}");
    for (name, status) in [(Some("kong"), 200), (Some("other"), 401), (None, 401)] {
        let identity = name.map(|name| authority.vouch(name));
        let stream = authority.connect(&stand, identity).await.expect("TLS");
        assert_eq!(exchange(stream, &head, "").await.status, status, "{name:?}");
    }
    let forged = Authority::new().vouch("kong");
    // In TLS 1.3 a client learns only when it reads that its certificate was refused.
    if let Ok(mut stream) = authority.connect(&stand, Some(forged)).await {
        let _ = stream.write_all(head.as_bytes()).await;
        assert!(stream.read_u8().await.is_err());
    }
}

#[tokio::test]
async fn plain_http_is_not_spoken_where_tls_is() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    let files = authority.write(folder.path());
    let tls = Arc::new(Tls::new(files).expect("usable"));
    let stand = Stand::with(|options| options.tls = Some(tls), 1_000).await;
    let mut plain = stand.connect().await;
    let request = b"GET / HTTP/1.1\r\n\r\n";
    plain.write_all(request).await.expect("writes");
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"));
    // Nor is a handshake waited for that never comes.
    let mut silent = stand.connect().await;
    let mut nothing = Vec::new();
    let _ = silent.read_to_end(&mut nothing).await;
    assert!(nothing.is_empty());
}

#[tokio::test]
async fn new_files_are_used_once_they_fit_together() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    let files = authority.write(folder.path());
    let tls = Arc::new(Tls::new(files.clone()).expect("usable"));
    let every = Duration::from_millis(5);
    let watch = Arc::clone(&tls);
    let watching = tokio::spawn(async move { watch.look_after(every).await });
    let used = || Arc::as_ptr(tls.acceptor().config());
    let first = used();
    // The watch has begun when it has slept once.
    tokio::time::sleep(every * 4).await;

    let (certificate, key) = authority.vouch("second");
    std::fs::write(&files.certificate, certificate).expect("writes");
    tokio::time::sleep(every * 10).await;
    assert_eq!(used(), first, "half of a pair is waited out");
    std::fs::write(&files.key, key).expect("writes");
    let changed = async {
        while used() == first {
            tokio::time::sleep(every).await;
        }
    };
    let changed = tokio::time::timeout(Duration::from_secs(5), changed).await;
    changed.expect("the new pair is used");
    watching.abort();
}

#[test]
fn a_file_that_cannot_be_used_is_named_by_its_setting() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    for (name, key) in [
        ("cert.pem", "BILLING_TLS_CERT_FILE: "),
        ("key.pem", "BILLING_TLS_KEY_FILE: "),
        ("ca.pem", "BILLING_TLS_CLIENT_CA_FILE: "),
    ] {
        let files = authority.write(folder.path());
        std::fs::write(folder.path().join(name), "junk").expect("writes");
        let error = Tls::new(files).expect_err("refused").to_string();
        assert!(error.starts_with(key), "{error}");
    }
}
