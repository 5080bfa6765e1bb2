//! Who stands between us and Postgres, or in its place, learns nothing: a certificate that is not the
//! server's ends the connection before anybody has said who they are (R7, B14).

use std::{collections::BTreeMap, sync::Arc};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tempfile::TempDir;
use tests::stack::{
    PgOptions, PgVersion, Postgres,
    certs::{Authority, Certificate, self_signed_server},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::fixture::{Ended, PATIENCE, run, tollbook};

/// What a client asks before anything else, whether TLS is spoken.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
/// Asks for the password in clear text (`AuthenticationCleartextPassword`).
const GIVE_PASSWORD: [u8; 9] = [b'R', 0, 0, 0, 8, 0, 0, 0, 3];

/// How a client of ours ends that is to trust `authority`. It connects first of all.
async fn client(port: u16, login: &str, authority: &str, mode: &str) -> Ended {
    let folder = TempDir::new().expect("a folder");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, authority).expect("written");
    let url = format!("postgres://{login}@127.0.0.1:{port}/postgres?sslmode={mode}");
    let variables = BTreeMap::from([
        ("DATABASE_URL", url),
        ("DATABASE_CA_FILE", ca.display().to_string()),
    ]);
    tollbook(&["migrate"], &variables).await
}

async fn server(settings: &[(&str, &str)]) -> Option<Postgres> {
    if !PgVersion::V15.available() {
        eprintln!("skipped: apt-get install postgresql-15 lets this run");
        return None;
    }
    let settings = settings.iter();
    let settings = settings.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let options = PgOptions {
        shared_buffers_mib: 32,
        settings: settings.collect(),
    };
    let server = Postgres::start(PgVersion::V15, options).await;
    Some(server.expect("postgres"))
}

/// A login of the superuser.
fn login(server: &Postgres) -> String {
    format!("postgres:{}", server.password())
}

#[test]
fn a_server_whose_certificate_is_not_its_own_is_refused_by_name_of_the_fault() {
    run(async {
        let Some(server) = server(&[("log_connections", "on")]).await else {
            return;
        };
        let ca = server.ca_pem().expect("TLS is on").to_owned();
        let authority = server.authority().expect("TLS is on");
        let another = Authority::new("another authority").expect("made");
        let wrong: [(Certificate, &str); 4] = [
            (
                self_signed_server().expect("made"),
                "invalid peer certificate",
            ),
            (another.server().expect("made"), "UnknownIssuer"),
            (authority.expired_server().expect("made"), "expired"),
            (
                authority.server_called("db.example").expect("made"),
                "not valid for name",
            ),
        ];
        for (certificate, fault) in &wrong {
            server.present(certificate).await.expect("starts again");
            for mode in ["verify-full", "verify-ca", "require"] {
                let ended = client(server.port(), &login(&server), &ca, mode).await;
                assert_eq!(ended.code, Some(1), "{fault}: {ended:?}");
                assert!(ended.err.contains(fault), "{mode}, {fault}: {ended:?}");
                assert!(!ended.err.contains(server.password()), "{ended:?}");
            }
            let log = server.leash().log_tail();
            assert!(!log.contains("connection authenticated"), "{fault}: {log}");
        }
        let good = authority.server().expect("made");
        server.present(&good).await.expect("starts again");
        for mode in ["verify-full", "verify-ca", "require"] {
            let ended = client(server.port(), &login(&server), &ca, mode).await;
            assert_eq!(ended.code, Some(0), "{mode}: {ended:?}");
        }
    });
}

#[test]
fn nothing_older_than_tls_1_2_is_spoken_to_postgres() {
    run(async {
        for (newest, code) in [("TLSv1.1", 1), ("TLSv1.2", 0)] {
            let settings = [
                ("ssl_min_protocol_version", "TLSv1"),
                ("ssl_max_protocol_version", newest),
                // Lets the server speak what it is told to.
                ("ssl_ciphers", "ALL:@SECLEVEL=0"),
            ];
            let Some(server) = server(&settings).await else {
                return;
            };
            let ca = server.ca_pem().expect("TLS is on").to_owned();
            let ended = client(server.port(), &login(&server), &ca, "verify-full").await;
            assert_eq!(ended.code, Some(code), "{newest}: {ended:?}");
            if code == 1 {
                assert!(ended.err.to_lowercase().contains("tls"), "{ended:?}");
            }
        }
    });
}

/// A server that answers the question for TLS so, and then takes down whatever is said to it.
async fn takes_down(answer: &'static [u8]) -> (u16, tokio::task::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let mut asked = [0; 8];
        stream.read_exact(&mut asked).await.expect("a question");
        assert_eq!(asked, SSL_REQUEST, "TLS is asked for first");
        stream.write_all(answer).await.expect("answered");
        rest(stream).await
    });
    (port, heard)
}

async fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut heard = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut heard)).await;
    // A client that closes in a hurry resets the connection; what it said counts.
    drop(read.expect("the client goes away"));
    heard
}

#[test]
fn a_server_that_will_not_speak_tls_hears_nobody_and_no_password() {
    run(async {
        let ca = Authority::new("ours").expect("made").pem().to_owned();
        // `N` is no. After it, and instead of it, whoever stands there asks for the password.
        let ways: [&'static [u8]; 3] = [b"N", b"NR\0\0\0\x08\0\0\0\x03", &GIVE_PASSWORD];
        for answer in ways {
            let (port, heard) = takes_down(answer).await;
            let ended = client(port, "dlr_svc:hunter2", &ca, "verify-full").await;
            assert_eq!(ended.code, Some(1), "{answer:?}: {ended:?}");
            assert!(!ended.err.contains("hunter2"), "{ended:?}");
            assert_eq!(heard.await.expect("read"), [0_u8; 0], "{answer:?}");
        }
    });
}

/// Speaks TLS with this certificate.
fn acceptor(certificate: &Certificate) -> TlsAcceptor {
    let chain = CertificateDer::pem_slice_iter(certificate.cert.as_bytes());
    let chain = chain.collect::<Result<Vec<_>, _>>().expect("PEM");
    let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).expect("PEM");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks them")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a pair");
    TlsAcceptor::from(Arc::new(config))
}

/// Takes down what a client says first, asks for its password, and takes that down too.
async fn asks(mut client: impl AsyncRead + AsyncWrite + Unpin) -> Vec<u8> {
    let mut heard = Vec::new();
    for question in [&GIVE_PASSWORD[..], &[]] {
        let mut said = [0; 4096];
        let length = client.read(&mut said).await.unwrap_or(0);
        heard.extend(&said[..length]);
        if length > 0 {
            client.write_all(question).await.expect("asked");
        }
    }
    heard
}

#[test]
fn a_server_with_a_foreign_certificate_that_asks_for_the_password_hears_only_an_alert() {
    run(async {
        let ours = Authority::new("ours").expect("made");
        let foreign = Authority::new("foreign").expect("made");
        for (of, hears) in [(&foreign, false), (&ours, true)] {
            let certificate = of.server().expect("made");
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let port = listener.local_addr().expect("bound").port();
            let heard = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.expect("a client");
                let mut asked = [0; 8];
                stream.read_exact(&mut asked).await.expect("a question");
                stream.write_all(b"S").await.expect("answered");
                match acceptor(&certificate).accept(stream).await {
                    Ok(tls) => asks(tls).await,
                    Err(_) => Vec::new(),
                }
            });
            let ended = client(port, "dlr_svc:hunter2", ours.pem(), "verify-full").await;
            assert_eq!(ended.code, Some(1), "{ended:?}");
            let heard = heard.await.expect("read");
            let told = String::from_utf8_lossy(&heard).into_owned();
            assert_eq!(told.contains("dlr_svc"), hears, "who it is: {told}");
            // This server would have heard it: the attack works where the certificate is right.
            assert_eq!(told.contains("hunter2"), hears, "its password: {told}");
        }
    });
}
