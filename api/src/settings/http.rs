//! The port that callers reach, and how much each of them may ask of it.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use clap::Args;

use super::{not_zero, readable};
use crate::{
    config::{ConfigError, values},
    http::{
        body::BodyLimits,
        exports::Exports,
        limits::Allowance,
        server::ServerOptions,
        tls::{Tls, TlsFiles},
    },
};

/// The longest time for a TLS handshake and for the headers of a request.
const PATIENCE: Duration = Duration::from_secs(15);

/// The most bytes of a file that is sent in: a million lines of 256.
const UPLOAD_MAX: usize = 256 * 1024 * 1024;

/// The REST port.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "REST")]
pub struct HttpSettings {
    /// Where the REST API listens; without TLS only this machine's own addresses are allowed
    #[arg(long, env = "BILLING_ADDRESS", default_value = "0.0.0.0")]
    pub billing_address: IpAddr,
    /// Its port; 0 takes a free one and logs it
    #[arg(long, env = "BILLING_PORT", default_value_t = 3020,
          value_parser = values::number::<u16, 0, 65_535>)]
    pub billing_port: u16,
    /// PEM file with its certificate and those between it and its authority; noticed when changed
    #[arg(long, env = "BILLING_TLS_CERT_FILE")]
    pub billing_tls_cert_file: Option<PathBuf>,
    /// PEM file with the key to that certificate; noticed when changed
    #[arg(long, env = "BILLING_TLS_KEY_FILE")]
    pub billing_tls_key_file: Option<PathBuf>,
    /// PEM file with the authorities of client certificates; without it none is asked for
    #[arg(long, env = "BILLING_TLS_CLIENT_CA_FILE")]
    pub billing_tls_client_ca_file: Option<PathBuf>,
    /// The most bytes of a request's body
    #[arg(long, env = "HTTP_BODY_MAX", default_value_t = 65_536,
          value_parser = values::number::<u32, 1_024, 16_777_216>)]
    pub http_body_max: u32,
    /// The longest time until an answer; half of it is for the body to arrive
    #[arg(long, env = "HTTP_TIMEOUT", default_value = "10s", value_parser = values::duration)]
    pub http_timeout: Duration,
    /// The longest time until an answer to a file that is sent in; half of it is for the file to
    /// arrive
    #[arg(long, env = "HTTP_UPLOAD_TIMEOUT", default_value = "10m", value_parser = values::duration)]
    pub http_upload_timeout: Duration,
    /// The most connections at a time; more wait to be accepted
    #[arg(long, env = "HTTP_CONNECTIONS_MAX", default_value_t = 1_000,
          value_parser = values::number::<u32, 1, 100_000>)]
    pub http_connections_max: u32,
    /// The most of them from one address (IPv6: one /64); more are closed at once. Kong is one
    #[arg(long, env = "HTTP_CONNECTIONS_PER_ADDRESS", default_value_t = 250,
          value_parser = values::number::<u32, 1, 100_000>)]
    pub http_connections_per_address: u32,
    /// The longest life of a connection; what is under way is still answered
    #[arg(long, env = "HTTP_CONNECTION_LIFE", default_value = "1h", value_parser = values::duration)]
    pub http_connection_life: Duration,
    /// Calls per second of one caller in the long run
    #[arg(long, env = "HTTP_RATE", default_value = "50", value_parser = not_zero)]
    pub http_rate: NonZeroU32,
    /// Calls of one caller at once after a quiet time
    #[arg(long, env = "HTTP_BURST", default_value = "100", value_parser = not_zero)]
    pub http_burst: NonZeroU32,
    /// Calls per second of all callers of one tenant in the long run
    #[arg(long, env = "HTTP_TENANT_RATE", default_value = "200", value_parser = not_zero)]
    pub http_tenant_rate: NonZeroU32,
    /// Calls of all callers of one tenant at once after a quiet time
    #[arg(long, env = "HTTP_TENANT_BURST", default_value = "400", value_parser = not_zero)]
    pub http_tenant_burst: NonZeroU32,
    /// Questions of one tenant under way at a time; more wait for one of them to be answered
    #[arg(long, env = "HTTP_TENANT_QUESTIONS", default_value_t = 2,
          value_parser = values::number::<u32, 1, 10_000>)]
    pub http_tenant_questions: u32,
    /// Tables (`text/csv`) of one tenant under way at a time; one more is refused
    #[arg(long, env = "HTTP_TENANT_EXPORTS", default_value_t = 2,
          value_parser = values::number::<u32, 1, 10_000>)]
    pub http_tenant_exports: u32,
    /// Tables of all callers under way at a time; one more is refused
    #[arg(long, env = "HTTP_EXPORTS_MAX", default_value_t = 16,
          value_parser = values::number::<u32, 1, 10_000>)]
    pub http_exports_max: u32,
}

impl HttpSettings {
    /// Where and how to listen, checked.
    ///
    /// # Errors
    /// Half of a pair is missing, a file cannot be used, or the way would be unencrypted.
    pub fn server(&self) -> Result<ServerOptions, ConfigError> {
        readable("BILLING_TLS_CERT_FILE", self.billing_tls_cert_file.as_ref())?;
        readable("BILLING_TLS_KEY_FILE", self.billing_tls_key_file.as_ref())?;
        let client_ca = self.billing_tls_client_ca_file.clone();
        readable("BILLING_TLS_CLIENT_CA_FILE", client_ca.as_ref())?;
        let tls = match (&self.billing_tls_cert_file, &self.billing_tls_key_file) {
            (Some(certificate), Some(key)) => Some(Arc::new(Tls::new(TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
                client_ca,
            })?)),
            (None, None) if client_ca.is_none() && self.billing_address.is_loopback() => None,
            (None, None) if client_ca.is_none() => {
                let problem = "is needed unless BILLING_ADDRESS is this machine's own";
                return Err(ConfigError::value("BILLING_TLS_CERT_FILE", problem));
            }
            (_, None) => return Err(ConfigError::missing("BILLING_TLS_KEY_FILE")),
            (None, _) => return Err(ConfigError::missing("BILLING_TLS_CERT_FILE")),
        };
        Ok(ServerOptions {
            setting: "BILLING_PORT",
            address: SocketAddr::from((self.billing_address, self.billing_port)),
            tls,
            connections_max: size(self.http_connections_max),
            connections_per_address: size(self.http_connections_per_address),
            life: self.http_connection_life,
            patience: PATIENCE,
        })
    }

    /// How much of a body is read and for how long.
    #[must_use]
    pub fn body(&self) -> BodyLimits {
        BodyLimits {
            max: size(self.http_body_max),
            patience: self.http_timeout / 2,
        }
    }

    /// How many tables are sent at a time.
    #[must_use]
    pub fn exports(&self) -> Exports {
        Exports::new(size(self.http_tenant_exports), size(self.http_exports_max))
    }

    /// How much of a file that is sent in is read and for how long.
    #[must_use]
    pub fn upload(&self) -> BodyLimits {
        BodyLimits {
            max: UPLOAD_MAX,
            patience: self.http_upload_timeout / 2,
        }
    }

    /// How often one caller may call.
    #[must_use]
    pub const fn allowance(&self) -> Allowance {
        Allowance {
            rate: self.http_rate,
            burst: self.http_burst,
        }
    }

    /// How often all callers of one tenant may call together.
    #[must_use]
    pub const fn tenant_allowance(&self) -> Allowance {
        Allowance {
            rate: self.http_tenant_rate,
            burst: self.http_tenant_burst,
        }
    }
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
