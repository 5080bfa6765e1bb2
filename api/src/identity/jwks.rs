//! The keys that tokens are verified with, from a file or from the issuer's web address.
//!
//! A key is looked up by its id in memory and nowhere else. An id that is not there may be a new
//! key, so the set is read again, but at most once in [`PAUSE`] whatever callers send. If that
//! fails, the keys we have stay.

use std::{
    collections::HashMap,
    convert::Infallible,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use axum::http::Uri;
use bytes::Bytes;
use http_body_util::{BodyExt, Collected, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;
use tokio::{sync::Mutex, time::timeout};

use super::{crypto, token::Key};
use crate::{config::ConfigError, files::Stamps, trust};

/// The shortest time between two readings because of an unknown key.
pub const PAUSE: Duration = Duration::from_secs(5);
/// How often the set is read without a reason, so that a withdrawn key does not stay.
const REFRESH: Duration = Duration::from_mins(5);
/// How long the issuer may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most bytes of a set of keys.
const LENGTH_MAX: usize = 256 * 1024;
/// The most keys in a set.
const KEYS_MAX: usize = 100;

/// Where the keys come from.
#[derive(Debug, Clone)]
pub enum JwksSource {
    /// A file, read again when it changes.
    File(PathBuf),
    /// The issuer's web address.
    Url {
        /// The address.
        url: Uri,
        /// Whom to trust there; the system's authorities if none.
        ca: Option<PathBuf>,
    },
}

/// Why a set of keys was not taken.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// The file cannot be read.
    #[error("reading the file of keys")]
    File(#[source] std::io::Error),
    /// The issuer cannot be reached.
    #[error("asking the issuer for its keys")]
    Unreachable(#[source] hyper_util::client::legacy::Error),
    /// The issuer said no.
    #[error("asking the issuer for its keys: status {0}")]
    Status(u16),
    /// The issuer's answer broke off, or is too long.
    #[error("reading the issuer's keys")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The issuer did not answer in time.
    #[error("asking the issuer for its keys: no answer in time")]
    TooSlow,
    /// It is not a set of keys, or none of them is one we can use.
    #[error("the set holds no key for RS256, ES256 or EdDSA")]
    NoKeys,
}

type Set = HashMap<String, Arc<Key>>;

/// All keys by their ids.
#[derive(Debug)]
pub struct Keys {
    reader: Reader,
    pause: Duration,
    set: RwLock<Arc<Set>>,
    /// When the set was read last, or tried to be.
    tried: Mutex<Option<Instant>>,
}

impl Keys {
    /// Reads a file at once; asks an issuer when first needed.
    ///
    /// # Errors
    /// The file, or that of the authorities to trust, cannot be used.
    pub fn new(source: JwksSource, pause: Duration) -> Result<Self, ConfigError> {
        crypto::install();
        let reader = Reader::new(source)?;
        let set = match &reader {
            Reader::File(path) => {
                let set = read(path).and_then(|bytes| usable(&bytes));
                let chain = |error: JwksError| eventstore::log::chain(&error);
                set.map_err(|error| ConfigError::value("JWT_JWKS_FILE", chain(error)))?
            }
            Reader::Web(_) => Set::default(),
        };
        Ok(Self {
            reader,
            pause,
            set: RwLock::new(Arc::new(set)),
            tried: Mutex::new(None),
        })
    }

    /// The key of that name, if need be after reading the set again.
    pub async fn find(&self, kid: &str) -> Option<Arc<Key>> {
        if let Some(key) = self.known(kid) {
            return Some(key);
        }
        self.refresh_if_due(kid).await;
        self.known(kid)
    }

    /// Reads the set again when the file changes or [`REFRESH`] has passed, for ever.
    pub async fn look_after(&self) -> Infallible {
        let mut used = self.reader.stamps();
        loop {
            let wait = if self.is_empty() {
                self.pause
            } else {
                self.reader.wait()
            };
            tokio::time::sleep(wait).await;
            let now = self.reader.stamps();
            if now.is_some() && now == used {
                continue;
            }
            let mut tried = self.tried.lock().await;
            *tried = Some(Instant::now());
            self.refresh().await;
            used = now;
        }
    }

    /// One reads; whoever wants the same meanwhile waits for it and finds what it found.
    async fn refresh_if_due(&self, kid: &str) {
        let mut tried = self.tried.lock().await;
        let due = tried.is_none_or(|tried| tried.elapsed() >= self.pause);
        if due && self.known(kid).is_none() {
            *tried = Some(Instant::now());
            self.refresh().await;
        }
    }

    async fn refresh(&self) {
        let set = self.reader.read().await.and_then(|bytes| usable(&bytes));
        match set {
            Ok(set) => {
                tracing::info!(event = "identity.keys_read", keys = set.len());
                *self.set.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set);
            }
            Err(error) => {
                let error = eventstore::log::chain(&error);
                tracing::warn!(event = "identity.keys_unreadable", error);
            }
        }
    }

    fn known(&self, kid: &str) -> Option<Arc<Key>> {
        self.current().get(kid).cloned()
    }

    fn is_empty(&self) -> bool {
        self.current().is_empty()
    }

    fn current(&self) -> Arc<Set> {
        Arc::clone(&self.set.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Reads the bytes of a set.
#[derive(Debug)]
enum Reader {
    File(PathBuf),
    Web(Box<Web>),
}

/// Where the issuer is and how to reach it.
#[derive(Debug)]
struct Web {
    url: Uri,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

impl Reader {
    fn new(source: JwksSource) -> Result<Self, ConfigError> {
        let (url, ca) = match source {
            JwksSource::File(path) => return Ok(Self::File(path)),
            JwksSource::Url { url, ca } => (url, ca),
        };
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(trust::client("JWT_JWKS_CA_FILE", ca.as_deref())?)
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self::Web(Box::new(Web { url, client })))
    }

    /// What the file looks like.
    fn stamps(&self) -> Option<Stamps> {
        match self {
            Self::File(path) => Some(Stamps::of([path])),
            Self::Web(_) => None,
        }
    }

    const fn wait(&self) -> Duration {
        match self {
            Self::File(_) => PAUSE,
            Self::Web(_) => REFRESH,
        }
    }

    async fn read(&self) -> Result<Bytes, JwksError> {
        match self {
            Self::File(path) => read(path),
            Self::Web(web) => {
                let fetched = timeout(PATIENCE, web.fetch()).await;
                fetched.unwrap_or(Err(JwksError::TooSlow))
            }
        }
    }
}

fn read(path: &PathBuf) -> Result<Bytes, JwksError> {
    std::fs::read(path)
        .map(Bytes::from)
        .map_err(JwksError::File)
}

impl Web {
    /// Asks once, and follows no redirect.
    async fn fetch(&self) -> Result<Bytes, JwksError> {
        let answer = self.client.get(self.url.clone()).await;
        let answer = answer.map_err(JwksError::Unreachable)?;
        if !answer.status().is_success() {
            return Err(JwksError::Status(answer.status().as_u16()));
        }
        let body = Limited::new(answer.into_body(), LENGTH_MAX).collect().await;
        body.map(Collected::to_bytes).map_err(JwksError::Body)
    }
}

/// The keys of a set that we can use; others in it are for somebody else.
fn usable(bytes: &[u8]) -> Result<Set, JwksError> {
    #[derive(Deserialize)]
    struct Jwks {
        keys: Vec<Value>,
    }
    let jwks: Jwks = serde_json::from_slice(bytes).map_err(|_| JwksError::NoKeys)?;
    let keys = jwks.keys.into_iter().take(KEYS_MAX);
    let set: Set = keys.filter_map(usable_key).collect();
    if set.is_empty() {
        return Err(JwksError::NoKeys);
    }
    Ok(set)
}

fn usable_key(jwk: Value) -> Option<(String, Arc<Key>)> {
    let jwk: Jwk = serde_json::from_value(jwk).ok()?;
    let common = &jwk.common;
    let signs = common
        .public_key_use
        .as_ref()
        .is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    let (algorithm, name) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        _ => return None,
    };
    if !signs || common.key_algorithm.is_some_and(|named| named != name) {
        return None;
    }
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    let kid = jwk.common.key_id?;
    Some((kid, Arc::new(Key { algorithm, key })))
}
