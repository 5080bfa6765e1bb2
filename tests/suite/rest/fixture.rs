//! A world with `tollbook billing`, and the words to tell small stories about it.

use std::{fmt, path::PathBuf, sync::Arc};

use async_nats::jetstream;
use hyper::Method;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use schema::{AccountId, OperatorId, TenantId, Timestamp};
use serde_json::{Value, json};
use tests::{
    stack::certs::{Authority, Certificate},
    world::{
        Rest, Service, World, WorldOptions,
        rest::{Answer, PLATFORM},
    },
};
use tokio::sync::OnceCell;
use tokio_postgres::Client;
use uuid::Uuid;

use super::tokens::Issuer;
use crate::fixture::{eventually, unique};

/// Part of every name and address here, and of every odd input: no log may hold it.
pub(crate) const MARK: &str = "Xaverine";
/// When every price and cost here begins.
pub(crate) const BEGIN: &str = "2026-01-01T00:00:00Z";
/// The days that hold everything charged here, as a query names them: a year until tomorrow.
pub(crate) const DAYS: Days = Days;

pub(crate) struct Days;

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: i64 = 86_400_000_000;
        let now = eventstore::clock::now().micros();
        let [from, to] = [now - 365 * DAY, now + DAY].map(|micros| {
            let time = Timestamp::from_micros(micros).expect("a time");
            time.to_string()[..10].to_owned()
        });
        write!(f, "from={from}&to={to}")
    }
}

/// A world with a service, for all tests that harm neither.
pub(crate) struct Desk {
    pub(crate) world: World,
    pub(crate) billing: Service,
    pub(crate) rest: Rest,
    pub(crate) database: Client,
    pub(crate) issuer: Issuer,
    jetstream: jetstream::Context,
    gateway: OnceCell<Gateway>,
}

/// The desk that all share.
pub(crate) async fn desk() -> &'static Desk {
    static DESK: OnceCell<Desk> = OnceCell::const_new();
    let open = async || {
        let world = World::start(WorldOptions::default()).await;
        Desk::of(world.expect("a world")).await
    };
    DESK.get_or_init(open).await
}

/// An account, and a carrier whose messages nobody else has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Customer {
    pub(crate) tenant: TenantId,
    pub(crate) account: AccountId,
    pub(crate) operator: OperatorId,
}

impl Customer {
    /// One that nobody knows.
    pub(crate) fn nobody() -> Self {
        Self {
            tenant: TenantId(unique()),
            account: AccountId(unique()),
            operator: OperatorId(unique()),
        }
    }
}

/// What an account is to be.
pub(crate) fn account_body(tenant: TenantId) -> Value {
    json!({
        "tenantId": tenant, "accountTier": "GROWTH", "currency": "EUR",
        "effectiveFrom": BEGIN, "legalName": format!("{MARK} Name"),
        "contactName": format!("{MARK} Contact"),
        "address": {
            "lines": [format!("{MARK} Street 1")], "postalCode": "10115",
            "city": format!("{MARK} Town"), "country": "DE",
        },
        "vatId": "DE123456789", "purchaseOrder": format!("{MARK} Order"),
        "paymentTermsDays": 14, "invoiceLanguage": "de",
        "tax": { "category": "S", "rate": "19.00", "country": "DE" },
    })
}

/// The tenant's own price.
pub(crate) fn price_body(of: Customer) -> Value {
    let mut body = list_price_body(of.operator);
    body["tenantId"] = json!(of.tenant);
    body
}

/// A price of the platform's list.
pub(crate) fn list_price_body(operator: OperatorId) -> Value {
    json!({
        "accountTier": "GROWTH", "operatorId": operator, "pricingModel": "PER_SEGMENT",
        "unitPrice": "0.045", "currency": "EUR", "effectiveFrom": BEGIN,
    })
}

/// What the carrier takes.
pub(crate) fn cost_body(operator: OperatorId) -> Value {
    json!({
        "operatorId": operator, "costPerSegment": "0.02", "currency": "EUR",
        "effectiveFrom": BEGIN,
    })
}

/// What one crown is in another, for a second that no other rate is for.
pub(crate) fn rate_body() -> Value {
    const BEGIN_MICROS: i64 = 2_000_000_000_000_000;
    const SECOND: i64 = 1_000_000;
    let second = i64::try_from(unique().as_u128() % 1_000_000_000).expect("small");
    let at = |second: i64| Timestamp::from_micros(BEGIN_MICROS + second * SECOND).expect("a time");
    json!({
        "baseCurrency": "NOK", "quoteCurrency": "DKK", "rate": "0.64",
        "effectiveFrom": at(second).to_string(), "effectiveTo": at(second + 1).to_string(),
    })
}

/// Calls the API at `rest` as the platform's billing admin, who gets what they want.
pub(crate) async fn done(rest: &Rest, method: Method, path: &str, body: Option<&Value>) -> Value {
    let answer = rest.as_billing_admin().call(method, path, body).await;
    answer.expect("an answer").made().expect("done")
}

/// The id of a version that was just opened.
pub(crate) async fn opened(rest: &Rest, path: &str, body: &Value) -> Uuid {
    let version = done(rest, Method::POST, path, Some(body)).await;
    let id = version.get("pricingTableId");
    let id = id.or(version.get("operatorCostId"));
    let id = id.or(version.get("exchangeRateId")).expect("an id");
    serde_json::from_value(id.clone()).expect("a uuid")
}

impl Desk {
    /// A service in this world.
    pub(crate) async fn of(world: World) -> Self {
        let billing = world.billing(&[]).await.expect("a service");
        Self {
            rest: world.rest(&billing).await.expect("reached"),
            database: world.admin().await.expect("postgres"),
            jetstream: world.jetstream("dlr-processor").await.expect("nats"),
            issuer: Issuer::of(&world),
            gateway: OnceCell::const_new(),
            billing,
            world,
        }
    }

    /// A registered account.
    pub(crate) async fn customer(&self) -> Customer {
        let customer = Customer::nobody();
        let path = format!("/v1/admin/accounts/{}", customer.account);
        let body = account_body(customer.tenant);
        done(&self.rest, Method::PUT, &path, Some(&body)).await;
        customer
    }

    /// Announces a delivered message of two segments, now. Says which.
    pub(crate) async fn settle(&self, of: Customer) -> Uuid {
        let (message, now) = (unique(), eventstore::clock::now());
        let settlement = json!({
            "eventId": unique(), "eventType": "DLR_TERMINAL", "schemaVersion": "1.0",
            "messageId": message, "tenantId": of.tenant, "accountId": of.account,
            "operatorId": of.operator, "direction": "MT", "segmentCount": 2,
            "dlrStatus": "DELIVERED", "occurredAt": now, "chargedAt": now,
        });
        let subject = "billing.events";
        let sent = self
            .jetstream
            .publish(subject, settlement.to_string().into());
        sent.await.expect("sent").await.expect("stored");
        message
    }

    /// The row of a charge, once it is shown: price, cost, version of the price.
    pub(crate) async fn charge(&self, message: Uuid) -> (String, String, Uuid) {
        let sql = include_str!("fixture/charge.sql");
        eventually("the charge is shown", async || {
            let row = self.database.query_opt(sql, &[&message]).await;
            let row = row.expect("reads")?;
            Some((row.get(0), row.get(1), row.get(2)))
        })
        .await
    }

    /// A charge as the projection would show it, written below the first position. Says of which
    /// message.
    pub(crate) async fn charged(&self, of: Customer) -> Uuid {
        let (sql, message) = (include_str!("fixture/charged.sql"), unique());
        let (tenant, account, operator) = (of.tenant.0, of.account.0, of.operator.0);
        let written = self
            .database
            .execute(sql, &[&message, &tenant, &account, &operator])
            .await;
        assert_eq!(written.expect("a superuser may"), 1);
        message
    }

    /// Until usage has counted so many messages of the account.
    pub(crate) async fn counted(&self, of: Customer, messages: i64) {
        let path = format!("/v1/billing/usage?{DAYS}&granularity=month");
        let caller = self.rest.as_customer(of.tenant, of.account);
        eventually("usage has counted", async || {
            let usage = caller.get(&path).await.expect("an answer").made();
            let usage = usage.expect("their own");
            (usage["byCurrency"][0]["totals"]["messageCount"] == messages).then_some(())
        })
        .await;
    }

    /// The looks at other accounts that the log has of this request: type, account, code.
    pub(crate) async fn looks(&self, request: &str) -> Vec<(String, String, Option<String>)> {
        let sql = include_str!("fixture/looks.sql");
        let rows = self.database.query(sql, &[&request]).await.expect("reads");
        let look = |row: &tokio_postgres::Row| (row.get(0), row.get(1), row.get(2));
        rows.iter().map(look).collect()
    }

    /// Another process of the service in this world.
    pub(crate) async fn node(&self, more: &[(&'static str, &str)]) -> (Service, Rest) {
        let node = self.world.billing(more).await.expect("a service");
        let rest = self.world.rest(&node).await.expect("reached");
        (node, rest)
    }

    /// The process that Kong talks to.
    pub(crate) async fn gateway(&self) -> &Gateway {
        let open = async || Gateway::open(self, "tls").await;
        self.gateway.get_or_init(open).await
    }

    /// Holds the shared service's log to [`calm`].
    pub(crate) fn is_calm(&self) {
        calm(&self.billing);
    }
}

/// Where somebody with this role belongs: the platform's people to the platform, others to
/// `tenant`.
pub(crate) fn home(role: &str, tenant: TenantId) -> TenantId {
    if role.starts_with("platform.") {
        PLATFORM
    } else {
        tenant
    }
}

/// Nothing in the log of a service is an error, an answer that its document does not promise, a
/// line that is not JSON, or personal.
pub(crate) fn calm(service: &Service) {
    let log = service.log();
    // The last line may be half written.
    let whole = log.rfind('\n').map_or("", |end| &log[..end]);
    assert!(!whole.is_empty(), "it has said something");
    for line in whole.lines() {
        let told: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        assert_ne!(told["level"], "ERROR", "{line}");
        assert_ne!(told["event"], "http.undocumented_answer", "{line}");
    }
    assert!(!log.contains(MARK), "something personal is in the log");
}

/// What every refusal is: a problem document of this request, without the words that were sent.
/// Says its code and the field at fault.
pub(crate) fn problem(answer: &Answer) -> (u16, &str, &str) {
    let (body, status) = (&answer.body, answer.status);
    let kind = answer.header("content-type");
    assert_eq!(kind, Some("application/problem+json"), "{answer:?}");
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    assert_eq!(body["status"], status, "{answer:?}");
    assert_eq!(
        text("type"),
        format!("urn:tollbook:problem:{}", text("code"))
    );
    assert!(!text("title").is_empty() && !text("requestId").is_empty());
    assert_eq!(answer.header("x-request-id"), Some(text("requestId")));
    assert!(!answer.text.contains(MARK), "it echoes: {}", answer.text);
    assert!(status < 500, "a mistake of ours: {answer:?}");
    (status, text("code"), text("field"))
}

/// A process that speaks TLS, asks for client certificates, and believes Kong's.
pub(crate) struct Gateway {
    pub(crate) service: Service,
    pub(crate) authority: Authority,
    /// The file with the authorities of client certificates.
    pub(crate) client_ca: PathBuf,
    /// Reached with Kong's certificate.
    pub(crate) kong: Rest,
    /// Reached with another certificate of the same authority.
    pub(crate) other: Rest,
    /// Reached with none.
    pub(crate) bare: Rest,
}

impl Gateway {
    /// One whose files are called `name`.
    pub(crate) async fn open(desk: &Desk, name: &str) -> Self {
        let authority = Authority::new("the platform").expect("an authority");
        let [cert, key, client_ca] =
            [".crt", ".key", "-ca.crt"].map(|end| desk.world.path(&format!("{name}{end}")));
        write_pair(&authority, &cert, &key);
        std::fs::write(&client_ca, authority.pem()).expect("written");
        let [cert, key, ca] = [&cert, &key, &client_ca].map(|path| path.display().to_string());
        let more = [
            ("BILLING_TLS_CERT_FILE", cert.as_str()),
            ("BILLING_TLS_KEY_FILE", key.as_str()),
            ("BILLING_TLS_CLIENT_CA_FILE", ca.as_str()),
            ("BILLING_KONG_SUBJECT", "kong"),
        ];
        let (service, _) = desk.node(&more).await;
        let base = format!("https://{}", service.rest_address());
        let known_as = |name: Option<&str>| {
            let certificate = name.map(|name| authority.client(name).expect("a certificate"));
            desk.rest
                .reached(base.clone(), trusting(&authority, certificate))
        };
        Self {
            kong: known_as(Some("kong")),
            other: known_as(Some("kong2")),
            bare: known_as(None),
            service,
            authority,
            client_ca,
        }
    }
}

/// Writes a certificate of the service and its key. The key goes first, as half a pair is waited
/// out either way.
pub(crate) fn write_pair(authority: &Authority, cert: &std::path::Path, key: &std::path::Path) {
    let made = authority.server().expect("a certificate");
    std::fs::write(key, made.key).expect("written");
    std::fs::write(cert, made.cert).expect("written");
}

/// A client that trusts this authority and shows this certificate.
pub(crate) fn trusting(authority: &Authority, shown: Option<Certificate>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(authority.pem().as_bytes()).expect("PEM");
    roots.add(ca).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let Some(shown) = shown else {
        return builder.with_no_client_auth();
    };
    let chain = CertificateDer::from_pem_slice(shown.cert.as_bytes()).expect("PEM");
    let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).expect("PEM");
    builder
        .with_client_auth_cert(vec![chain], key)
        .expect("a pair")
}
