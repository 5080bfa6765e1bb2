//! All endpoints behind a real edge, in front of nothing: no database answers and no actor lives.

use std::{net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use actors::{
    erasure::metrics::ErasureMetrics,
    services::billing::{Billing, BillingDeps, BillingMetrics, BillingOptions},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, request},
};
use eventstore::{
    EventStore, Feed, LogId, Secret,
    keyring::{Keyring, MasterKeyFile},
    memory::MemoryStore,
    postgres::{Database, DatabaseOptions, PgKeyring},
};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use projections::{Reader, operator_statements::comparison::Comparisons};
use schema::{AccountId, TenantId};
use serde_json::Value;
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    dev::{SigningKey, TokenWish},
    http::{
        body::BodyLimits,
        edge::Edge,
        exports::Exports,
        limits::{Allowance, RateLimits},
        metrics::HttpMetrics,
        shares::Shares,
    },
    identity::{
        Identity,
        jwks::{JwksSource, Keys},
        peer::Peer,
        token::Expected,
    },
    rest::{
        self,
        state::{AppState, Statements},
    },
    telemetry::traceparent,
    views::{CaughtUpCharges, Tables},
};

/// The tenant of everybody who asks; it is the platform's.
const TENANT: TenantId = TenantId(Uuid::from_u128(9));

pub(super) struct Stand {
    routes: Router,
    key: SigningKey,
    _folder: TempDir,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
    body: Value,
}

impl Answer {
    /// Status, code and field.
    pub(super) fn problem(&self) -> (u16, &str, &str) {
        let text = |name: &str| self.body[name].as_str().unwrap_or_default();
        (self.status, text("code"), text("field"))
    }
}

impl Stand {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = SigningKey::generate().expect("a key");
        let keys = folder.path().join("jwks.json");
        std::fs::write(&keys, key.jwks().to_string()).expect("writes");
        let many = NonZeroU32::new(1_000).expect("some");
        let allowance = Allowance {
            rate: many,
            burst: many,
        };
        let edge = Edge {
            identity: Identity {
                keys: Arc::new(keys_of(JwksSource::File(keys))),
                expected: Expected {
                    issuer: "us".into(),
                    audience: "billing".to_owned(),
                },
                gateway: None,
                platform: [TENANT].into(),
                subjects: None,
            },
            limits: RateLimits::new(allowance, allowance),
            questions: Shares::new(4),
            body: BodyLimits {
                max: 4_096,
                patience: Duration::from_secs(1),
            },
            upload: BodyLimits {
                max: 4_096,
                patience: Duration::from_secs(1),
            },
            timeout: Duration::from_secs(5),
            metrics: HttpMetrics::default(),
        };
        let master = folder.path().join("master.key");
        std::fs::write(&master, format!("1 {}=\n", "A".repeat(43))).expect("writes");
        let routes = rest::router(shared(master), &Arc::new(edge));
        Self {
            routes,
            key,
            _folder: folder,
        }
    }

    /// Asks as somebody with `role`, who acts for the account 1, with a key where one is taken.
    pub(super) async fn ask(&self, role: &str, method: &str, target: &str, body: &str) -> Answer {
        let request = self.request(role, method, target);
        self.send(request.header("idempotency-key", "k"), body)
            .await
    }

    /// The same without a key.
    pub(super) async fn ask_without_key(
        &self,
        role: &str,
        method: &str,
        target: &str,
        body: &str,
    ) -> Answer {
        self.send(self.request(role, method, target), body).await
    }

    /// Asks with a table as the body.
    pub(super) async fn ask_with_table(&self, role: &str, target: &str, table: &str) -> Answer {
        let mut request = self.request(role, "PUT", target);
        let headers = request.headers_mut().expect("a good request");
        headers.insert(
            "content-type",
            "text/csv; charset=utf-8".parse().expect("a value"),
        );
        self.send(request, table).await
    }

    fn request(&self, role: &str, method: &str, target: &str) -> request::Builder {
        let wish = TokenWish {
            issuer: "us".to_owned(),
            audience: "billing".to_owned(),
            subject: "somebody".to_owned(),
            tenant: TENANT,
            account: Some(AccountId(Uuid::from_u128(1))),
            roles: vec![role.to_owned()],
            ttl: Duration::from_mins(1),
        };
        let token = self.key.sign(&wish, eventstore::clock::now());
        Request::builder()
            .method(method)
            .uri(target)
            .header(
                "authorization",
                format!("Bearer {}", token.expect("signed")),
            )
            .header("content-type", "application/json")
            .extension(Peer::stranger(IpAddr::from([127, 0, 0, 1])))
    }

    async fn send(&self, request: request::Builder, body: &str) -> Answer {
        let request = request.body(Body::from(body.to_owned()));
        let request = request.expect("a request");
        let service = TowerToHyperService::new(self.routes.clone());
        let response = service.call(request).await.expect("answers");
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), usize::MAX).await;
        let text = String::from_utf8(bytes.expect("a body").into()).expect("UTF-8");
        let body = serde_json::from_str(&text).unwrap_or_default();
        Answer { status, text, body }
    }
}

fn shared(master: std::path::PathBuf) -> AppState {
    let database = Database::new(DatabaseOptions {
        url: Secret::new("postgres://nobody@127.0.0.1:1/nowhere".to_owned()),
        url_file: None,
        ca_file: None,
        pool_max: 1,
        deadline: Duration::from_secs(5),
        application: "test".to_owned(),
    });
    let database = database.expect("good options");
    let store: Arc<dyn EventStore> = Arc::new(MemoryStore::default());
    let keys = MasterKeyFile::new(master).expect("a key");
    let keyring: Arc<dyn Keyring> = Arc::new(PgKeyring::new(database.clone(), keys));
    let log = LogId::DEFAULT;
    let charges = CaughtUpCharges {
        reader: Reader::new(database.clone(), log),
        store: Arc::clone(&store),
    };
    let deps = BillingDeps {
        view: Arc::new(Tables(Reader::new(database.clone(), log))),
        paid: Arc::new(Tables(Reader::new(database.clone(), log))),
        costs: Arc::new(Tables(Reader::new(database.clone(), log))),
        charges: Arc::new(charges.clone()),
        account_charges: Arc::new(charges),
        store: Arc::clone(&store),
        log,
        feed: Feed::new(Arc::clone(&store)),
        keyring: Arc::clone(&keyring),
        metrics: Arc::new(BillingMetrics::default()),
        erasures: ErasureMetrics::default(),
        pulse: Arc::default(),
        adopt: traceparent::adopt,
    };
    let options = BillingOptions {
        intake: None,
        live_max: 1,
    };
    let billing = Billing::new(deps, options);
    let comparisons = Comparisons::new(database.clone(), log);
    AppState {
        questions: Reader::new(database.clone(), log),
        reader: Reader::new(database, log),
        commands: billing.commands(),
        keyring,
        store,
        exports: Arc::new(Exports::new(1, 1)),
        statements: Statements::new(comparisons),
    }
}

fn keys_of(source: JwksSource) -> Keys {
    Keys::new(source, Duration::ZERO, Duration::from_hours(1)).expect("keys")
}
