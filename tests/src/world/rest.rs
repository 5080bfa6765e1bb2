//! The REST API as its callers use it.
//!
//! ```text
//! let rest = world.rest(&billing).await?;
//! rest.as_billing_admin().open_price(&price).await?.made()?;
//! let usage = rest.as_customer(tenant, account).usage(&of).await?.made()?;
//! ```

mod table;

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Method, Request,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore};
use schema::{AccountId, Status, TenantId, Timestamp};
use serde_json::{Value, json};
use time::Date;
use uuid::Uuid;

pub use super::PLATFORM;
use super::{Fault, identity::TokenDesk};
use crate::{
    money::Millionths,
    traffic::agreement::{Account, Cost, Price},
};

/// The API at one address. Connections are kept and shared by all callers.
#[derive(Clone)]
pub struct Rest {
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: String,
    tokens: Arc<TokenDesk>,
}

impl Rest {
    /// The API at `base`, `http://…` without a path.
    pub(super) fn new(base: String, tokens: Arc<TokenDesk>) -> Self {
        let nobody =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                // Unwrap safety: ring can do what rustls does by default.
                .expect("the default versions")
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth();
        Self::with_tls(base, tokens, nobody)
    }

    /// The same, `https://…` included.
    fn with_tls(base: String, tokens: Arc<TokenDesk>, tls: ClientConfig) -> Self {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .build();
        Self {
            http: Client::builder(TokioExecutor::new()).build(connector),
            base,
            tokens,
        }
    }

    /// The same API reached another way: over TLS, with or without a certificate.
    #[must_use]
    pub fn reached(&self, base: String, tls: ClientConfig) -> Self {
        Self::with_tls(base, Arc::clone(&self.tokens), tls)
    }

    /// The same API for callers whose tokens are signed with a key made in `folder`.
    ///
    /// # Errors
    /// The key cannot be made.
    pub async fn with_keys(&self, folder: &Path) -> Result<Self, Fault> {
        Ok(Self {
            tokens: Arc::new(TokenDesk::open(folder).await?),
            ..self.clone()
        })
    }

    /// Where it is.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sets prices, costs and accounts.
    #[must_use]
    pub fn as_billing_admin(&self) -> RestClient {
        self.as_role("platform.billing_admin", PLATFORM, None)
    }

    /// Reads everybody's usage.
    #[must_use]
    pub fn as_platform_admin(&self) -> RestClient {
        self.as_role("platform.admin", PLATFORM, None)
    }

    /// Reads the usage of an account of their own.
    #[must_use]
    pub fn as_customer(&self, tenant: TenantId, account: AccountId) -> RestClient {
        self.as_role("account.viewer", tenant, Some(account))
    }

    /// Somebody with this role.
    #[must_use]
    pub fn as_role(&self, role: &str, tenant: TenantId, account: Option<AccountId>) -> RestClient {
        self.named(&format!("test-{role}"), role, tenant, account)
    }

    /// Somebody of this name with this role.
    #[must_use]
    pub fn named(
        &self,
        subject: &str,
        role: &str,
        tenant: TenantId,
        account: Option<AccountId>,
    ) -> RestClient {
        let mut words = vec!["--role".to_owned(), role.to_owned()];
        words.extend(["--tenant-id".to_owned(), tenant.to_string()]);
        words.extend(["--subject".to_owned(), subject.to_owned()]);
        if let Some(account) = account {
            words.extend(["--account-id".to_owned(), account.to_string()]);
        }
        self.caller(Credential::Made(words))
    }

    /// Somebody with this very token, whatever it is.
    #[must_use]
    pub fn with_token(&self, token: &str) -> RestClient {
        self.caller(Credential::Token(token.to_owned()))
    }

    /// Somebody without any token.
    #[must_use]
    pub fn as_nobody(&self) -> RestClient {
        self.caller(Credential::None)
    }

    fn caller(&self, credential: Credential) -> RestClient {
        RestClient {
            rest: self.clone(),
            credential,
            headers: Vec::new(),
        }
    }
}

#[derive(Clone)]
enum Credential {
    None,
    Token(String),
    Made(Vec<String>),
}

/// Somebody who calls.
#[derive(Clone)]
pub struct RestClient {
    rest: Rest,
    credential: Credential,
    headers: Vec<(String, String)>,
}

/// Which usage is asked for.
#[derive(Debug, Clone, Copy)]
pub struct UsageOf {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// `hour`, `day` or `month`.
    pub granularity: &'static str,
    /// Another account than the caller's own.
    pub account: Option<AccountId>,
}

impl RestClient {
    /// The same caller, sending one more header.
    #[must_use]
    pub fn saying(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The bearer token, if there is one.
    ///
    /// # Errors
    /// It cannot be made.
    pub async fn token(&self) -> Result<Option<String>, Fault> {
        Ok(match &self.credential {
            Credential::None => None,
            Credential::Token(token) => Some(token.clone()),
            Credential::Made(words) => Some(self.rest.tokens.token(words).await?),
        })
    }

    /// Calls.
    ///
    /// # Errors
    /// There is no answer, or one that is not HTTP.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Fault> {
        let json = body.map(|body| ("application/json", body.to_string().into()));
        self.send(method, path, json).await
    }

    /// Calls with a body of any kind, which may be a wrong one.
    ///
    /// # Errors
    /// There is no answer, or one that is not HTTP.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, Bytes)>,
    ) -> Result<Answer, Fault> {
        let (kind, bytes) = body.unzip();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.rest.base));
        if let Some(kind) = kind {
            request = request.header(CONTENT_TYPE, kind);
        }
        if let Some(token) = self.token().await? {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(bytes.unwrap_or_default()))?;
        let answer = self.rest.http.request(request).await?;
        let (head, body) = answer.into_parts();
        let text = body.collect().await?.to_bytes();
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: serde_json::from_slice(&text).unwrap_or(Value::Null),
            text: String::from_utf8_lossy(&text).into_owned(),
        })
    }

    /// Reads.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn get(&self, path: &str) -> Result<Answer, Fault> {
        self.call(Method::GET, path, None).await
    }

    /// Registers an account, or changes it.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn register(&self, id: AccountId, account: &Account) -> Result<Answer, Fault> {
        let body = json!({
            "tenantId": account.tenant, "accountTier": account.tier,
            "currency": account.currency, "effectiveFrom": account.from,
            "legalName": account.name,
            "address": { "lines": [account.address], "city": account.address, "country": "DE" },
            "tax": { "category": "S", "rate": "19.00", "country": "DE" },
        });
        let path = format!("/v1/admin/accounts/{id}");
        self.call(Method::PUT, &path, Some(&body)).await
    }

    /// Opens a version of a price.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn open_price(&self, price: &Price) -> Result<Answer, Fault> {
        let mut body = json!({
            "accountTier": price.tier, "operatorId": price.operator, "direction": "MT",
            "pricingModel": price.model, "unitPrice": price.unit, "currency": price.currency,
            "effectiveFrom": price.from,
        });
        if let Some(tenant) = price.tenant {
            body["tenantId"] = json!(tenant);
        }
        if let Some(to) = price.to {
            body["effectiveTo"] = json!(to);
        }
        if let Some(statuses) = price.billable {
            let words: Vec<_> = statuses.iter().copied().map(Status::as_str).collect();
            body["billableStatuses"] = json!(words);
        }
        self.call(Method::POST, "/v1/admin/pricing", Some(&body))
            .await
    }

    /// From `at` on, another unit price.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn change_price(
        &self,
        id: Uuid,
        unit: Millionths,
        at: Timestamp,
    ) -> Result<Answer, Fault> {
        let body = json!({ "unitPrice": unit, "effectiveFrom": at });
        let path = format!("/v1/admin/pricing/{id}");
        self.call(Method::PATCH, &path, Some(&body)).await
    }

    /// Opens a version of a cost.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn open_cost(&self, cost: &Cost) -> Result<Answer, Fault> {
        let mut body = json!({
            "operatorId": cost.operator, "direction": "MT", "currency": cost.currency,
            "costPerSegment": cost.per_segment, "effectiveFrom": cost.from,
        });
        if let Some(to) = cost.to {
            body["effectiveTo"] = json!(to);
        }
        self.call(Method::POST, "/v1/admin/operator-costs", Some(&body))
            .await
    }

    /// Asks for usage.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn usage(&self, of: &UsageOf) -> Result<Answer, Fault> {
        let mut path = format!(
            "/v1/billing/usage?from={}&to={}&granularity={}",
            of.from, of.to, of.granularity
        );
        if let Some(account) = of.account {
            path = format!("{path}&accountId={account}");
        }
        self.get(&path).await
    }

    /// Every charge that waits, page by page.
    ///
    /// # Errors
    /// There is no answer, or it is a refusal.
    pub async fn held_charges(&self) -> Result<Vec<Value>, Fault> {
        let (mut all, mut path) = (Vec::new(), "/v1/admin/held-charges?limit=50".to_owned());
        loop {
            let page = self.get(&path).await?.made()?;
            all.extend(page["data"].as_array().into_iter().flatten().cloned());
            match page["nextCursor"].as_str() {
                None => return Ok(all),
                Some(cursor) => {
                    path = format!("/v1/admin/held-charges?limit=50&cursor={cursor}");
                }
            }
        }
    }
}

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null if it is not JSON.
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

impl Answer {
    /// The body of an answer that says yes.
    ///
    /// # Errors
    /// It says no; the message is what it says.
    pub fn made(self) -> Result<Value, Fault> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        Err(format!("the API answers {}: {}", self.status, self.text).into())
    }

    /// The code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.body["code"].as_str()
    }

    /// A header, if it is there and readable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
