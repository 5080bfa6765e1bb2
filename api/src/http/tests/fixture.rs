//! A whole server for one test, and a client that sends exactly what it is told.

use std::{net::SocketAddr, num::NonZeroU32, sync::Arc, time::Duration};

use axum::Router;
use schema::TenantId;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};
use uuid::Uuid;

use super::{Shelf, endpoints};
use crate::{
    dev::{SigningKey, TokenWish},
    http::{
        body::BodyLimits,
        edge::Edge,
        limits::{Allowance, RateLimits},
        metrics::HttpMetrics,
        router::router,
        server::{Server, ServerOptions},
        shares::Shares,
    },
    identity::{
        Identity,
        jwks::{JwksSource, Keys},
        token::Expected,
    },
    shutdown::Shutdown,
};

/// The tenant of everybody who calls; it is the platform's.
pub(super) const TENANT: TenantId = TenantId(Uuid::from_u128(9));

/// A running server that ends with the test.
pub(super) struct Stand {
    pub(super) address: SocketAddr,
    pub(super) edge: Arc<Edge>,
    key: SigningKey,
    pub(super) shutdown: Shutdown,
    pub(super) task: JoinHandle<()>,
    _folder: TempDir,
}

impl Stand {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}, 1_000).await
    }

    /// A server with other options, on which each caller may make `calls` at once.
    pub(super) async fn with(change: impl FnOnce(&mut ServerOptions), calls: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = SigningKey::generate().expect("a key");
        let file = folder.path().join("jwks.json");
        std::fs::write(&file, key.jwks().to_string()).expect("writes");
        let allowance = Allowance {
            rate: NonZeroU32::MIN,
            burst: NonZeroU32::new(calls).expect("some"),
        };
        let edge = Edge {
            identity: Identity {
                keys: Arc::new(keys_of(JwksSource::File(file))),
                expected: Expected {
                    issuer: "tollbook-dev".into(),
                    audience: "tollbook".to_owned(),
                },
                gateway: Some("kong".into()),
                platform: [TENANT].into(),
                subjects: None,
            },
            limits: RateLimits::new(allowance, allowance),
            questions: Shares::new(4),
            body: BodyLimits {
                max: 1_024,
                patience: Duration::from_millis(300),
            },
            upload: BodyLimits {
                max: 1_024,
                patience: Duration::from_millis(300),
            },
            timeout: Duration::from_millis(600),
            metrics: HttpMetrics::default(),
        };
        let mut options = ServerOptions {
            setting: "BILLING_PORT",
            address: "127.0.0.1:0".parse().expect("an address"),
            tls: None,
            connections_max: 10,
            connections_per_address: 10,
            life: Duration::from_mins(10),
            patience: Duration::from_millis(400),
        };
        change(&mut options);
        let server = Server::bind(options).await.expect("a port");
        let (address, shutdown) = (server.address, Shutdown::default());
        let stop = shutdown.clone();
        let edge = Arc::new(edge);
        let routes: Router = router(endpoints(), Shelf { colour: "blue" }, &edge);
        let task = tokio::spawn(async move { server.serve(routes, &stop).await });
        Self {
            address,
            edge,
            key,
            shutdown,
            task,
            _folder: folder,
        }
    }

    /// A header that names a caller with `role`.
    pub(super) fn bearer(&self, role: &str) -> String {
        let wish = TokenWish {
            issuer: "tollbook-dev".to_owned(),
            audience: "tollbook".to_owned(),
            subject: "somebody".to_owned(),
            tenant: TENANT,
            account: None,
            roles: vec![role.to_owned()],
            ttl: Duration::from_mins(1),
        };
        let token = self.key.sign(&wish, eventstore::clock::now());
        format!("Authorization: Bearer {}\r\n", token.expect("signed"))
    }

    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connects")
    }

    /// Sends a request without a body as somebody who may read.
    pub(super) async fn get(&self, target: &str) -> Answer {
        let bearer = self.bearer("account.viewer");
        self.send(&format!("GET {target} HTTP/1.1\r\n{bearer}"), "")
            .await
    }

    /// Sends a body as somebody who may write.
    pub(super) async fn post(&self, headers: &str, body: &str) -> Answer {
        let bearer = self.bearer("platform.billing_admin");
        let head = format!("POST /v1/things HTTP/1.1\r\n{bearer}{headers}");
        let head = format!("{head}Content-Length: {}\r\n", body.len());
        self.send(&head, body).await
    }

    pub(super) async fn send(&self, head: &str, body: &str) -> Answer {
        exchange(self.connect().await, head, body).await
    }
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn of(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Self {
            status: status.expect("a status"),
            head: head.to_lowercase(),
            body: serde_json::from_str(body).unwrap_or(Value::Null),
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let line = |line: &str| line.starts_with(&format!("{name}: "));
        let line = self.head.lines().find(|text| line(text))?;
        line.split_once(": ").map(|(_, value)| value)
    }

    /// Status, code and field of a well-formed problem.
    pub(super) fn problem(&self) -> (u16, &str, &str) {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let text = |name: &str| self.body[name].as_str().unwrap_or_default();
        assert_eq!(
            self.header("x-request-id"),
            Some(text("requestId").to_lowercase().as_str())
        );
        assert_eq!(self.body["status"], self.status);
        assert_eq!(
            text("type"),
            format!("urn:tollbook:problem:{}", text("code"))
        );
        (self.status, text("code"), text("field"))
    }
}

/// Sends one request and reads until the other side closes.
pub(super) async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    head: &str,
    body: &str,
) -> Answer {
    let request = format!("{head}Host: x\r\nConnection: close\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.expect("writes");
    let mut answer = Vec::new();
    // A server that refuses a body may close before it has read it all.
    let _ = stream.read_to_end(&mut answer).await;
    Answer::of(&String::from_utf8_lossy(&answer))
}

fn keys_of(source: JwksSource) -> Keys {
    Keys::new(source, Duration::ZERO, Duration::from_hours(1)).expect("keys")
}
