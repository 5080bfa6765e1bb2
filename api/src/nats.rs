//! The connection to NATS: who we are, how we come back, and what must be there.

pub mod credentials;
pub mod plan;
pub mod provision;
pub mod replay;
pub mod rotation;
pub mod watch;

use std::{error::Error, io, path::PathBuf, sync::Arc, time::Duration};

use actors::runtime::pulse::Pulse;
use async_nats::{
    Client, ConnectError, ConnectErrorKind, ConnectOptions, Event,
    jetstream::{
        self,
        consumer::PullConsumer,
        stream::{ConsumerError, ConsumerErrorKind},
    },
};
use prometheus_client::{metrics::gauge::Gauge, registry::Registry};
use tokio::time::timeout;

use self::credentials::Credentials;
use crate::{
    config::{ConfigError, SecretSource, values::NatsServers},
    health::Health,
};

/// The longest pause between two attempts to connect again.
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// The first one.
const BACKOFF_MIN: Duration = Duration::from_millis(50);
/// How long one attempt may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the server may take to answer a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Where a person should look when TLS refuses.
const TLS_ADVICE: &str = "look at NATS_CA_FILE, NATS_CERT_FILE and NATS_KEY_FILE";
/// How often the server is asked whether it is there; two unanswered pings end the connection.
const PING_INTERVAL: Duration = Duration::from_secs(4);

/// How to reach NATS, checked.
#[derive(Debug, Clone)]
pub struct NatsOptions {
    /// The servers.
    pub servers: NatsServers,
    /// Whom to trust; the system's authorities if none.
    pub ca: Option<PathBuf>,
    /// Certificate and key.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// User and password.
    pub login: Option<(String, SecretSource)>,
    /// Whether to refuse a connection without TLS.
    pub tls: bool,
}

/// A user of CONTRACTS 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: &'static str,
    /// The prefix of the subjects on which it hears answers; its permissions name it.
    pub inbox: &'static str,
}

/// Makes streams and consumers.
pub const ADMIN: User = User {
    name: "tollbook-admin",
    inbox: "_INBOX_admin",
};

/// Why we do not work with this NATS.
#[derive(Debug, thiserror::Error)]
pub enum NatsError {
    /// A certificate or an authority cannot be used.
    #[error(transparent)]
    Credentials(#[from] ConfigError),
    /// No server could be reached, or none lets us in.
    #[error("connecting to nats at NATS_URL as {user} ({advice})")]
    Connect {
        /// The user we meant to be.
        user: &'static str,
        /// Where a person should look first.
        advice: &'static str,
        /// What the client says: no address, no server, no TLS, or no entry.
        source: ConnectError,
    },
    /// The stream or its consumer is not there.
    #[error("consumer {consumer} of stream {stream} is missing; `tollbook provision` makes it")]
    NoConsumer {
        /// The stream.
        stream: String,
        /// The consumer.
        consumer: &'static str,
    },
    /// The server did not answer in time.
    #[error("no answer about consumer {consumer} of stream {stream}")]
    Silent {
        /// The stream.
        stream: String,
        /// The consumer.
        consumer: &'static str,
    },
    /// The server did not say.
    #[error("looking for consumer {consumer} of stream {stream}")]
    Consumer {
        /// The stream.
        stream: String,
        /// The consumer.
        consumer: &'static str,
        /// What the server says.
        source: ConsumerError,
    },
}

impl NatsError {
    /// Whether it is worth trying again, because NATS is merely away. What a person must mend is
    /// not: a login or a certificate that is refused, a stream or a consumer that is missing.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Connect { source, .. } => {
                !is_refused_by_tls(source)
                    && matches!(
                        source.kind(),
                        ConnectErrorKind::Dns | ConnectErrorKind::TimedOut | ConnectErrorKind::Io
                    )
            }
            Self::NoConsumer { .. } | Self::Credentials(_) => false,
            Self::Silent { .. } | Self::Consumer { .. } => true,
        }
    }
}

/// A user's way to NATS: where, who, and with which certificates now.
#[derive(Debug, Clone)]
pub struct Access {
    options: NatsOptions,
    user: User,
    /// None where there is no TLS.
    credentials: Option<Arc<Credentials>>,
    /// How long our certificate is still good, in seconds.
    remaining: Gauge<i64>,
}

impl Access {
    /// Reads the files that `options` name.
    ///
    /// # Errors
    /// One of them cannot be used, or the certificate is another user's.
    pub fn new(options: NatsOptions, user: User) -> Result<Self, ConfigError> {
        let credentials = Credentials::new(&options, user)?;
        Ok(Self {
            options,
            user,
            credentials,
            remaining: Gauge::default(),
        })
    }

    /// Shows how long our certificate is still good, where there is one.
    pub fn register(&self, registry: &mut Registry) {
        if self.options.certificate.is_some() {
            let help = "seconds until our certificate at NATS ends";
            let name = "nats_certificate_remaining_seconds";
            registry.register(name, help, self.remaining.clone());
        }
    }

    /// Opens a connection, with what `more` says besides.
    async fn open(
        &self,
        more: impl FnOnce(ConnectOptions) -> ConnectOptions,
    ) -> Result<Client, NatsError> {
        let (options, user) = (&self.options, self.user);
        let mut connect = with_login(options)
            .name(user.name)
            .custom_inbox_prefix(user.inbox)
            .require_tls(options.tls)
            .connection_timeout(CONNECT_TIMEOUT)
            .request_timeout(Some(REQUEST_TIMEOUT))
            .ping_interval(PING_INTERVAL)
            .reconnect_delay_callback(backoff);
        if let Some(credentials) = &self.credentials {
            connect = connect.tls_client_config(credentials.tls());
        }
        let client = more(connect).connect(options.servers.addresses.as_slice());
        client.await.map_err(|source| NatsError::Connect {
            user: user.name,
            advice: advice(&source),
            source,
        })
    }
}

/// Connects, now or not at all; once connected, comes back by itself for ever, and says so to
/// `pulse`.
///
/// # Errors
/// No server could be reached, or none lets us in.
pub async fn connect(
    access: &Access,
    health: Arc<Health>,
    pulse: Arc<Pulse>,
) -> Result<Client, NatsError> {
    let watched = Arc::clone(&health);
    let client = access.open(|connect| {
        connect.event_callback(move |event| {
            let (health, pulse) = (Arc::clone(&watched), Arc::clone(&pulse));
            async move { notice(&event, &health, &pulse) }
        })
    });
    let client = client.await?;
    health.nats.good();
    Ok(client)
}

/// The consumer, which also proves that its stream exists. Asks for nothing that the service has
/// no right to.
///
/// # Errors
/// It is missing, or the server did not say in time.
pub async fn consumer(
    jetstream: &jetstream::Context,
    stream: &str,
    consumer: &'static str,
) -> Result<PullConsumer, NatsError> {
    let asking = jetstream.get_consumer_from_stream(consumer, stream);
    // The client's own deadline begins when the question is sent, which may never be.
    let Ok(found) = timeout(REQUEST_TIMEOUT, asking).await else {
        return Err(NatsError::Silent {
            stream: stream.to_owned(),
            consumer,
        });
    };
    found.map_err(|source| {
        if is_missing(&source) {
            NatsError::NoConsumer {
                stream: stream.to_owned(),
                consumer,
            }
        } else {
            NatsError::Consumer {
                stream: stream.to_owned(),
                consumer,
                source,
            }
        }
    })
}

/// Whether the server says that the stream or the consumer does not exist.
#[must_use]
pub fn is_missing(error: &ConsumerError) -> bool {
    match error.kind() {
        ConsumerErrorKind::JetStream(error) => matches!(
            error.error_code(),
            jetstream::ErrorCode::STREAM_NOT_FOUND | jetstream::ErrorCode::CONSUMER_NOT_FOUND
        ),
        _ => false,
    }
}

/// The login is read for each connection, so that a rotated password is used.
fn with_login(options: &NatsOptions) -> ConnectOptions {
    let Some((user, password)) = options.login.clone() else {
        return ConnectOptions::new();
    };
    ConnectOptions::with_auth_callback(move |_| {
        let (user, password) = (user.clone(), password.clone());
        async move {
            let mut auth = async_nats::Auth::new();
            let password = password.read().map_err(async_nats::AuthError::new)?;
            auth.username = Some(user);
            auth.password = Some(password.expose().to_owned());
            Ok(auth)
        }
    })
}

/// Twice as long each time, up to [`BACKOFF_MAX`].
fn backoff(attempts: usize) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1))
        .unwrap_or(u32::MAX)
        .min(16);
    BACKOFF_MIN.saturating_mul(1 << doublings).min(BACKOFF_MAX)
}

fn advice(error: &ConnectError) -> &'static str {
    if is_refused_by_tls(error) {
        return TLS_ADVICE;
    }
    match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            "the server does not let this certificate or login in"
        }
        ConnectErrorKind::Tls => TLS_ADVICE,
        ConnectErrorKind::Dns => "the host name is not known",
        _ => "is a server running there?",
    }
}

/// Whether one of the two certificates was refused, ours or the server's.
fn is_refused_by_tls(error: &(dyn Error + 'static)) -> bool {
    let causes = std::iter::successors(Some(error), |cause| (*cause).source());
    let is_of_tls = |error: &(dyn Error + 'static)| {
        let error = error.downcast_ref::<io::Error>();
        let inner = error.and_then(io::Error::get_ref);
        inner.is_some_and(<dyn Error + Send + Sync>::is::<rustls::Error>)
    };
    causes
        .into_iter()
        .any(|cause| cause.is::<rustls::Error>() || is_of_tls(cause))
}

fn notice(event: &Event, health: &Health, pulse: &Pulse) {
    match event {
        Event::Connected => {
            health.nats.good();
            pulse.wake();
            tracing::info!(event = "nats.connected");
        }
        Event::Closed => {
            health.nats.bad("closed");
            tracing::info!(event = "nats.closed");
        }
        Event::Disconnected => {
            health.nats.bad("disconnected");
            tracing::warn!(event = "nats.disconnected");
        }
        Event::LameDuckMode | Event::Draining => tracing::info!(event = "nats.server_leaving"),
        Event::SlowConsumer(_) => tracing::warn!(event = "nats.slow_consumer"),
        Event::ServerError(error) => {
            tracing::error!(event = "nats.server_error", error = %error);
        }
        Event::ClientError(error) => {
            tracing::warn!(event = "nats.client_error", error = %error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coming_back_gets_slower_but_never_slow() {
        assert_eq!(backoff(0), BACKOFF_MIN);
        assert_eq!(backoff(1), BACKOFF_MIN);
        assert_eq!(backoff(2), BACKOFF_MIN * 2);
        assert_eq!(backoff(50), BACKOFF_MAX);
        assert_eq!(backoff(usize::MAX), BACKOFF_MAX);
    }
}
