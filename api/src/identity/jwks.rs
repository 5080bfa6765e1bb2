//! The keys that tokens are verified with, from a file or from the issuer's web address.
//!
//! A key is looked up by its id in memory and nowhere else. An id that is not there may be a new
//! key, so the set is read again, but at most once in [`PAUSE`] whatever callers send. What a set
//! says is obeyed, also when it says that no key is good any more. If it cannot be read, the keys
//! we have stay, but not for ever: whoever could withdraw one must be heard once in a while, so
//! keys that nobody has confirmed for a time end.

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
use serde_json::{Map, Value};
use tokio::{sync::Mutex, time::timeout};

use super::{crypto, token::Key};
use crate::{config::ConfigError, trust};

/// The shortest time between two readings because of an unknown key.
pub const PAUSE: Duration = Duration::from_secs(5);
/// How often the issuer is asked without a reason, so that a withdrawn key does not stay.
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
    /// It is not a set of keys.
    #[error("it is not a set of keys")]
    Malformed,
}

type Set = HashMap<String, Arc<Key>>;

/// A set as it was read.
#[derive(Debug, Clone)]
struct Confirmed {
    keys: Arc<Set>,
    at: Instant,
}

/// How reading went, and what of it was told.
#[derive(Debug, Default)]
struct Tries {
    /// The last one.
    last: Option<Instant>,
    told: Told,
}

/// What the log was told last.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Told {
    #[default]
    Nothing,
    Read,
    Unreadable,
    Ended,
}

/// All keys by their ids.
#[derive(Debug)]
pub struct Keys {
    reader: Reader,
    pause: Duration,
    /// How long a set is good after it was read.
    max_age: Duration,
    begun: Instant,
    set: RwLock<Option<Confirmed>>,
    tries: Mutex<Tries>,
}

impl Keys {
    /// Reads a file at once; asks an issuer when first needed. Keys that could not be read again
    /// for `max_age` verify nothing any more.
    ///
    /// # Errors
    /// The file, or that of the authorities to trust, cannot be used.
    pub fn new(
        source: JwksSource,
        pause: Duration,
        max_age: Duration,
    ) -> Result<Self, ConfigError> {
        crypto::install();
        let reader = Reader::new(source)?;
        let begun = Instant::now();
        let set = match &reader {
            Reader::File(path) => {
                let keys = read(path).and_then(|bytes| usable(&bytes));
                let chain = |error: JwksError| eventstore::log::chain(&error);
                let keys =
                    keys.map_err(|error| ConfigError::value("JWT_JWKS_FILE", chain(error)))?;
                Some(Confirmed {
                    keys: Arc::new(keys),
                    at: begun,
                })
            }
            Reader::Web(_) => None,
        };
        Ok(Self {
            reader,
            pause,
            max_age,
            begun,
            set: RwLock::new(set),
            tries: Mutex::default(),
        })
    }

    /// How long ago the set was read, or since when it could not be.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.current().map_or(self.begun, |set| set.at).elapsed()
    }

    /// How many keys verify tokens now.
    #[must_use]
    pub fn count(&self) -> usize {
        self.good().map_or(0, |keys| keys.len())
    }

    /// The key of that name, if need be after reading the set again.
    pub async fn find(&self, kid: &str) -> Option<Arc<Key>> {
        if let Some(key) = self.known(kid) {
            return Some(key);
        }
        self.refresh_if_due(kid).await;
        self.known(kid)
    }

    /// Reads the set again and again, for ever.
    pub async fn look_after(&self) -> Infallible {
        loop {
            let wait = match self.current() {
                Some(_) => self.reader.wait().min(self.max_age / 2),
                None => self.pause,
            };
            tokio::time::sleep(wait).await;
            self.refresh(&mut *self.tries.lock().await).await;
        }
    }

    /// One reads; whoever wants the same meanwhile waits for it and finds what it found.
    async fn refresh_if_due(&self, kid: &str) {
        let mut tries = self.tries.lock().await;
        let due = tries.last.is_none_or(|last| last.elapsed() >= self.pause);
        if due && self.known(kid).is_none() {
            self.refresh(&mut tries).await;
        }
    }

    async fn refresh(&self, tries: &mut Tries) {
        tries.last = Some(Instant::now());
        match self.reader.read().await.and_then(|bytes| usable(&bytes)) {
            Ok(keys) => self.confirm(keys, tries),
            Err(error) => self.doubt(&error, tries),
        }
    }

    /// The set is this one now.
    fn confirm(&self, keys: Set, tries: &mut Tries) {
        let count = keys.len();
        let confirmed = Confirmed {
            keys: Arc::new(keys),
            at: Instant::now(),
        };
        let mut set = self.set.write().unwrap_or_else(PoisonError::into_inner);
        let before = set.replace(confirmed.clone());
        drop(set);
        let same = |before: Confirmed| {
            let known = |kid| confirmed.keys.contains_key(kid);
            before.keys.len() == count && before.keys.keys().all(known)
        };
        let told = std::mem::replace(&mut tries.told, Told::Read);
        let is_news = !before.is_some_and(same) || matches!(told, Told::Unreadable | Told::Ended);
        if is_news && count == 0 {
            tracing::warn!(event = "identity.keys_withdrawn");
        } else if is_news {
            tracing::info!(event = "identity.keys_read", keys = count);
        }
    }

    /// The set could not be read; what was read before counts for a while.
    fn doubt(&self, error: &JwksError, tries: &mut Tries) {
        let ended = self.current().is_some() && self.good().is_none();
        let now = if ended { Told::Ended } else { Told::Unreadable };
        let told = std::mem::replace(&mut tries.told, now);
        let error = eventstore::log::chain(error);
        if ended && told != Told::Ended {
            tracing::error!(event = "identity.keys_ended", error);
        } else if !ended && told != Told::Unreadable {
            tracing::warn!(event = "identity.keys_unreadable", error);
        }
    }

    fn known(&self, kid: &str) -> Option<Arc<Key>> {
        self.good()?.get(kid).cloned()
    }

    /// The set, while it counts.
    fn good(&self) -> Option<Arc<Set>> {
        let set = self.current()?;
        (set.at.elapsed() < self.max_age).then_some(set.keys)
    }

    fn current(&self) -> Option<Confirmed> {
        let set = self.set.read().unwrap_or_else(PoisonError::into_inner);
        set.clone()
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

/// The keys of a set that we can use; others in it are for somebody else. There may be none:
/// whoever publishes such a set has withdrawn all.
fn usable(bytes: &[u8]) -> Result<Set, JwksError> {
    #[derive(Deserialize)]
    struct Jwks {
        keys: Vec<Map<String, Value>>,
    }
    let jwks: Jwks = serde_json::from_slice(bytes).map_err(|_| JwksError::Malformed)?;
    let keys = jwks.keys.into_iter().take(KEYS_MAX);
    Ok(keys.filter_map(usable_key).collect())
}

fn usable_key(jwk: Map<String, Value>) -> Option<(String, Arc<Key>)> {
    let jwk: Jwk = serde_json::from_value(jwk.into()).ok()?;
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
