//! NATS spoken by hand, because client libraries hide what a server refuses.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tests::stack::ClientFiles;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::fixture::PATIENCE;

/// A connection to a server, TLS and greeting done.
pub(crate) struct Raw {
    stream: TlsStream<TcpStream>,
    unread: Vec<u8>,
}

impl Raw {
    /// Connects to `port` as whom the certificate names.
    pub(crate) async fn connect(port: u16, files: &ClientFiles) -> Self {
        let mut plain = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("there");
        // The server says who it is before anything is encrypted.
        let mut greeting = Vec::with_capacity(4_096);
        plain.read_buf(&mut greeting).await.expect("a greeting");
        let name = ServerName::try_from("localhost").expect("a name");
        let connector = TlsConnector::from(Arc::new(tls(files)));
        let stream = connector.connect(name, plain).await.expect("encrypted");
        let mut raw = Self {
            stream,
            unread: Vec::new(),
        };
        let hello = "CONNECT {\"verbose\":false,\"pedantic\":false,\"tls_required\":true,\
                     \"headers\":true,\"no_responders\":true,\"protocol\":1,\"lang\":\"test\",\
                     \"version\":\"1\"}\r\n";
        raw.send(hello).await;
        let told = raw.told().await;
        assert!(!told.contains("-ERR"), "let in: {told}");
        raw
    }

    /// Publishes on `subject`.
    pub(crate) async fn publish(&mut self, subject: &str, payload: &str) {
        let line = format!("PUB {subject} {}\r\n{payload}\r\n", payload.len());
        self.send(&line).await;
    }

    /// Subscribes to `subject`.
    pub(crate) async fn subscribe(&mut self, subject: &str, number: usize) {
        self.send(&format!("SUB {subject} {number}\r\n")).await;
    }

    /// Everything the server has said since, up to its answer to a ping of ours: what it refused
    /// and what it delivered before.
    pub(crate) async fn told(&mut self) -> String {
        const PONG: &[u8] = b"PONG\r\n";
        self.send("PING\r\n").await;
        loop {
            let found = self.unread.windows(PONG.len()).position(|it| it == PONG);
            if let Some(end) = found {
                let told = self.unread.drain(..end + PONG.len()).collect::<Vec<_>>();
                return String::from_utf8_lossy(&told).into_owned();
            }
            let reading = timeout(PATIENCE, self.stream.read_buf(&mut self.unread)).await;
            let count = reading.expect("in time").expect("readable");
            assert!(count > 0, "the server hung up");
        }
    }

    async fn send(&mut self, text: &str) {
        let sending = self.stream.write_all(text.as_bytes());
        sending.await.expect("sent");
        self.stream.flush().await.expect("flushed");
    }
}

fn tls(files: &ClientFiles) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_file(&files.ca).expect("an authority");
    roots.add(ca).expect("usable");
    let chain = CertificateDer::from_pem_file(&files.cert).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(&files.key).expect("a key");
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring can")
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![chain], key)
        .expect("they belong together")
}
