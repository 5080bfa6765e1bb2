//! Every setting there is, in groups that the roles combine.
//!
//! A field's name is the variable's name in lower case; the configuration file uses the same
//! name. What is secret can also be named by a file and is never shown.

mod charges;
mod http;
mod identity;
mod receipts;

use std::{net::IpAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use clap::Args;
use eventstore::{
    log::chain,
    postgres::{Database, DatabaseOptions},
};
use tracing_subscriber::filter::LevelFilter;

use crate::{
    config::{
        ConfigError, Secret, SecretSource,
        values::{self, NatsServers, is_this_machine},
    },
    nats::NatsOptions,
    telemetry::{OtlpOptions, TelemetryOptions},
};

pub use charges::ChargeSettings;
pub use http::HttpSettings;
pub use identity::IdentitySettings;
pub use receipts::ReceiptSettings;

/// What every process that runs a service is set up with.
#[derive(Debug, Clone, Args)]
pub struct ServiceSettings {
    /// NATS.
    #[command(flatten)]
    pub nats: NatsSettings,
    /// Postgres.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// Sealing.
    #[command(flatten)]
    pub master_key: MasterKeySettings,
    /// Probes and metrics.
    #[command(flatten)]
    pub probes: ProbeSettings,
    /// Logs and traces.
    #[command(flatten)]
    pub telemetry: TelemetrySettings,
}

/// Logs and traces.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logs and traces")]
pub struct TelemetrySettings {
    /// How much is logged: error, warn, info, debug or trace. Of libraries, warnings at most
    #[arg(long, env = "LOG_LEVEL", default_value = "info")]
    pub log_level: LevelFilter,
    /// The name in logs and traces; by default that of the role
    #[arg(long, env = "SERVICE_NAME")]
    pub service_name: Option<String>,
    /// Where traces go (OTLP over HTTP), for example `https://collector:4318`; without it nowhere
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otel_exporter_otlp_endpoint: Option<String>,
    /// Bearer token for the collector
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TOKEN")]
    pub otel_exporter_otlp_token: Option<Secret>,
    /// File with that token; read again for each export
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TOKEN_FILE")]
    pub otel_exporter_otlp_token_file: Option<PathBuf>,
    /// PEM file with the authorities to trust for the collector; by default the system's
    #[arg(long, env = "OTEL_EXPORTER_OTLP_CERTIFICATE")]
    pub otel_exporter_otlp_certificate: Option<PathBuf>,
    /// Share of traces that begin here which are kept; a caller's own decision is followed
    #[arg(long, env = "OTEL_TRACES_SAMPLER_ARG", default_value = "0.01",
          value_parser = values::share)]
    pub otel_traces_sampler_arg: f64,
    /// The most traces a second that are kept because a receipt, a settlement or a caller asks for
    /// it
    #[arg(long, env = "OTEL_TRACES_PER_SECOND_MAX", default_value = "100", value_parser = not_zero)]
    pub otel_traces_per_second_max: NonZeroU32,
}

impl TelemetrySettings {
    /// How a process logs and traces under this name, unless `SERVICE_NAME` gives it another.
    ///
    /// # Errors
    /// What [`TelemetrySettings::otlp`] says.
    pub fn options(&self, service: &str) -> Result<TelemetryOptions, ConfigError> {
        Ok(TelemetryOptions {
            service: self.service_name.as_deref().unwrap_or(service).to_owned(),
            level: self.log_level,
            otlp: self.otlp()?,
        })
    }

    /// Where traces go; `None` without an endpoint.
    ///
    /// # Errors
    /// The endpoint is no web address, or a token would travel unencrypted.
    fn otlp(&self) -> Result<Option<OtlpOptions>, ConfigError> {
        const KEY: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let token = SecretSource::of(
            "OTEL_EXPORTER_OTLP_TOKEN",
            "OTEL_EXPORTER_OTLP_TOKEN_FILE",
            self.otel_exporter_otlp_token.as_ref(),
            self.otel_exporter_otlp_token_file.as_ref(),
        )?;
        let Some(endpoint) = &self.otel_exporter_otlp_endpoint else {
            return Ok(None);
        };
        let uri = endpoint.parse::<axum::http::Uri>().ok();
        let scheme = uri.as_ref().and_then(|uri| uri.scheme_str());
        let host = uri.as_ref().and_then(|uri| uri.host());
        match (scheme, host) {
            (Some("https"), Some(_)) => {}
            (Some("http"), Some(host)) if token.is_none() || is_this_machine(host) => {}
            (Some("http"), Some(_)) => {
                return Err(ConfigError::value(
                    KEY,
                    "must be https:// when a token is sent",
                ));
            }
            _ => {
                return Err(ConfigError::value(
                    KEY,
                    "must be an address like https://host:4318",
                ));
            }
        }
        readable(
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
            self.otel_exporter_otlp_certificate.as_ref(),
        )?;
        Ok(Some(OtlpOptions {
            address: format!("{}/v1/traces", endpoint.trim_end_matches('/')),
            token,
            certificate: self.otel_exporter_otlp_certificate.clone(),
            share: self.otel_traces_sampler_arg,
            per_second_max: self.otel_traces_per_second_max,
        }))
    }
}

/// How to reach NATS.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "NATS")]
pub struct NatsSettings {
    /// The servers, separated by commas
    #[arg(long, env = "NATS_URL", default_value = "nats://127.0.0.1:4222")]
    pub nats_url: NatsServers,
    /// PEM file with the authorities to trust; read again for each connection
    #[arg(long, env = "NATS_CA_FILE")]
    pub nats_ca_file: Option<PathBuf>,
    /// PEM file with our certificate; a new one is noticed and used at once
    #[arg(long, env = "NATS_CERT_FILE")]
    pub nats_cert_file: Option<PathBuf>,
    /// PEM file with its private key
    #[arg(long, env = "NATS_KEY_FILE")]
    pub nats_key_file: Option<PathBuf>,
    /// User, where there are no certificates (for development)
    #[arg(long, env = "NATS_USER")]
    pub nats_user: Option<String>,
    /// Its password
    #[arg(long, env = "NATS_PASSWORD")]
    pub nats_password: Option<Secret>,
    /// File with its password; read again for each connection
    #[arg(long, env = "NATS_PASSWORD_FILE")]
    pub nats_password_file: Option<PathBuf>,
    /// The stream that receipts arrive in
    #[arg(long, env = "NATS_STREAM_DLR", default_value = "SMS_DLR",
          value_parser = stream_name)]
    pub nats_stream_dlr: String,
}

impl NatsSettings {
    /// Checks what belongs together.
    ///
    /// # Errors
    /// Half of a pair is missing, a file cannot be read, or the way would be unencrypted.
    pub fn options(&self) -> Result<NatsOptions, ConfigError> {
        let certificate = match (&self.nats_cert_file, &self.nats_key_file) {
            (Some(cert), Some(key)) => Some((cert.clone(), key.clone())),
            (None, None) => None,
            (Some(_), None) => return Err(ConfigError::missing("NATS_KEY_FILE")),
            (None, Some(_)) => return Err(ConfigError::missing("NATS_CERT_FILE")),
        };
        readable("NATS_CA_FILE", self.nats_ca_file.as_ref())?;
        readable("NATS_CERT_FILE", self.nats_cert_file.as_ref())?;
        readable("NATS_KEY_FILE", self.nats_key_file.as_ref())?;
        let servers = self.nats_url.clone();
        let tls = certificate.is_some() || self.nats_ca_file.is_some() || servers.ask_for_tls();
        if !tls && !servers.are_here() {
            let problem = "must say tls:// unless it names only this machine";
            return Err(ConfigError::value("NATS_URL", problem));
        }
        let login = self.login(&servers)?;
        Ok(NatsOptions {
            servers,
            ca: self.nats_ca_file.clone(),
            certificate,
            login,
            tls,
        })
    }

    fn login(&self, servers: &NatsServers) -> Result<Option<(String, SecretSource)>, ConfigError> {
        let password = SecretSource::of(
            "NATS_PASSWORD",
            "NATS_PASSWORD_FILE",
            self.nats_password.as_ref(),
            self.nats_password_file.as_ref(),
        )?;
        match (&self.nats_user, password, &servers.login) {
            (Some(user), Some(password), None) => Ok(Some((user.clone(), password))),
            (None, None, Some((user, password))) => {
                Ok(Some((user.clone(), SecretSource::Value(password.clone()))))
            }
            (None, None, None) => Ok(None),
            (Some(_), None, _) => Err(ConfigError::missing("NATS_PASSWORD")),
            (None, Some(_), _) => Err(ConfigError::missing("NATS_USER")),
            (Some(_), Some(_), Some(_)) => Err(ConfigError::value(
                "NATS_USER",
                "NATS_URL holds a login as well",
            )),
        }
    }
}

/// How to reach Postgres.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Postgres")]
pub struct DatabaseSettings {
    /// `postgres://user:password@host,host/database?sslmode=require`; needed, here or in a file
    #[arg(long, env = "DATABASE_URL")]
    pub database_url: Option<Secret>,
    /// File with that address; read again for each connection
    #[arg(long, env = "DATABASE_URL_FILE")]
    pub database_url_file: Option<PathBuf>,
    /// PEM file with the authorities to trust; read again for each connection
    #[arg(long, env = "DATABASE_CA_FILE")]
    pub database_ca_file: Option<PathBuf>,
    /// The most connections to keep
    #[arg(long, env = "DB_POOL_MAX", default_value_t = 10,
          value_parser = values::number::<u16, 2, 500>)]
    pub db_pool_max: u16,
    /// How long a statement or a transaction may take before its connection is given up
    #[arg(long, env = "DB_TIMEOUT", default_value = "15s", value_parser = values::duration)]
    pub db_timeout: Duration,
    /// How often the defences of the log are looked at
    #[arg(long, env = "DB_DEFENCE_CHECK", default_value = "1m", value_parser = values::duration)]
    pub db_defence_check: Duration,
}

impl DatabaseSettings {
    /// What the event store needs to connect as `application`.
    ///
    /// # Errors
    /// There is no address, or a file cannot be read.
    pub fn options(&self, application: &str) -> Result<DatabaseOptions, ConfigError> {
        let source = SecretSource::of(
            "DATABASE_URL",
            "DATABASE_URL_FILE",
            self.database_url.as_ref(),
            self.database_url_file.as_ref(),
        )?;
        if source.is_none() {
            return Err(ConfigError::missing("DATABASE_URL"));
        }
        readable("DATABASE_CA_FILE", self.database_ca_file.as_ref())?;
        Ok(DatabaseOptions {
            url: self
                .database_url
                .clone()
                .unwrap_or_else(|| Secret::new(String::new())),
            url_file: self.database_url_file.clone(),
            ca_file: self.database_ca_file.clone(),
            pool_max: usize::from(self.db_pool_max),
            deadline: self.db_timeout,
            application: application.to_owned(),
        })
    }
}

/// The connections that questions over REST are asked on, and nothing else.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Postgres")]
pub struct QuestionSettings {
    /// The most connections for questions over REST, beside `DB_POOL_MAX`
    #[arg(long, env = "DB_POOL_QUESTIONS", default_value_t = 5,
          value_parser = values::number::<u16, 1, 500>)]
    pub db_pool_questions: u16,
}

impl QuestionSettings {
    /// A pool that connects as everything else does.
    ///
    /// # Errors
    /// What `database` says is wrong.
    pub fn pool(
        &self,
        database: &DatabaseSettings,
        application: &str,
    ) -> Result<Database, ConfigError> {
        let mut options = database.options(application)?;
        options.pool_max = usize::from(self.db_pool_questions);
        Database::new(options).map_err(|error| ConfigError::value("DATABASE_URL", chain(&error)))
    }
}

/// Probes and metrics.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Probes and metrics")]
pub struct ProbeSettings {
    /// Where /health, /ready and /metrics listen
    #[arg(long, env = "PROBE_ADDRESS", default_value = "0.0.0.0")]
    pub probe_address: IpAddr,
    /// Their port; by default 3000, for `billing` 9464; 0 takes a free one and logs it
    #[arg(long, env = "PROBE_PORT", value_parser = values::number::<u16, 0, 65_535>)]
    pub probe_port: Option<u16>,
}

/// The keys that personal data is sealed under.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Data protection")]
pub struct MasterKeySettings {
    /// File with the master keys; needed. Old versions stay in it so that they stay readable
    #[arg(long, env = "MASTER_KEY_FILE")]
    pub master_key_file: Option<PathBuf>,
}

impl MasterKeySettings {
    /// The file.
    ///
    /// # Errors
    /// It is not named or cannot be read.
    pub fn path(&self) -> Result<PathBuf, ConfigError> {
        readable("MASTER_KEY_FILE", self.master_key_file.as_ref())?;
        self.master_key_file
            .clone()
            .ok_or_else(|| ConfigError::missing("MASTER_KEY_FILE"))
    }
}

fn stream_name(text: &str) -> Result<String, values::Expected> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let named = (1..=255).contains(&text.len()) && text.chars().all(good);
    named
        .then(|| text.to_owned())
        .ok_or(values::Expected::words("must be letters, digits, _ and -"))
}

fn not_zero(text: &str) -> Result<NonZeroU32, values::Expected> {
    let number = values::number::<u32, 1, 1_000_000>(text)?;
    NonZeroU32::new(number).ok_or(values::Expected::words("must not be zero"))
}

fn readable(key: &'static str, path: Option<&PathBuf>) -> Result<(), ConfigError> {
    match path.map(|path| (path, std::fs::File::open(path))) {
        Some((path, Err(source))) => Err(ConfigError::unreadable(key, path, &source)),
        Some((_, Ok(_))) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
