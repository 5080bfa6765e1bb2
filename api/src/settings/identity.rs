//! Whom callers may say they are.

use std::{path::PathBuf, sync::Arc, time::Duration};

use axum::http::Uri;
use clap::Args;
use schema::TenantId;

use super::{http::HttpSettings, readable};
use crate::{
    config::{
        ConfigError, Secret, SecretSource,
        values::{self, is_this_machine},
    },
    identity::{
        Identity,
        jwks::{JwksSource, Keys, PAUSE},
        subject::SubjectKey,
        token::Expected,
    },
};

/// Tokens and the gateway.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Identity")]
pub struct IdentitySettings {
    /// File with the keys (JWKS) that tokens are verified with; noticed when changed
    #[arg(long, env = "JWT_JWKS_FILE")]
    pub jwt_jwks_file: Option<PathBuf>,
    /// Web address of those keys instead; `https://` unless it is on this machine
    #[arg(long, env = "JWT_JWKS_URL")]
    pub jwt_jwks_url: Option<Uri>,
    /// PEM file with the authorities to trust for that address; by default the system's
    #[arg(long, env = "JWT_JWKS_CA_FILE")]
    pub jwt_jwks_ca_file: Option<PathBuf>,
    /// How long keys count that could not be read again
    #[arg(long, env = "JWT_JWKS_MAX_AGE", default_value = "1h", value_parser = values::duration)]
    pub jwt_jwks_max_age: Duration,
    /// Who must have made a token (`iss`); needed
    #[arg(long, env = "JWT_ISSUER")]
    pub jwt_issuer: Option<String>,
    /// The platform's own tenants, separated by commas: `platform.*` roles count only in tokens of
    /// these; without any such role counts nowhere
    #[arg(long, env = "JWT_PLATFORM_TENANTS", value_delimiter = ',', value_parser = values::tenant)]
    pub jwt_platform_tenants: Vec<TenantId>,
    /// Secret of at least 32 bytes under which `sub` is hashed before it is logged or kept; without
    /// it `sub` must be opaque
    #[arg(long, env = "JWT_SUBJECT_KEY")]
    pub jwt_subject_key: Option<Secret>,
    /// File with that secret; read at the start
    #[arg(long, env = "JWT_SUBJECT_KEY_FILE")]
    pub jwt_subject_key_file: Option<PathBuf>,
    /// Whom a token must be meant for (`aud`); needed
    #[arg(long, env = "JWT_AUDIENCE")]
    pub jwt_audience: Option<String>,
    /// Alternative name (DNS name or URI) in Kong's client certificate; without it no API keys
    #[arg(long, env = "BILLING_KONG_SUBJECT")]
    pub billing_kong_subject: Option<String>,
}

impl IdentitySettings {
    /// What tells who calls on the port that `http` describes.
    ///
    /// # Errors
    /// Something needed is not set, or a file cannot be used.
    pub fn identity(&self, http: &HttpSettings) -> Result<Identity, ConfigError> {
        let needed = |key, value: &Option<String>| {
            let given = value.clone().filter(|value| !value.is_empty());
            given.ok_or_else(|| ConfigError::missing(key))
        };
        let expected = Expected {
            issuer: spaceless("JWT_ISSUER", &needed("JWT_ISSUER", &self.jwt_issuer)?)?,
            audience: needed("JWT_AUDIENCE", &self.jwt_audience)?,
        };
        let gateway = self.billing_kong_subject.clone();
        let gateway = gateway.filter(|name| !name.is_empty());
        let gateway = gateway.map(|name| spaceless("BILLING_KONG_SUBJECT", &name));
        if gateway.is_some() && http.billing_tls_client_ca_file.is_none() {
            // Without it there are no certificates to find the name in.
            return Err(ConfigError::missing("BILLING_TLS_CLIENT_CA_FILE"));
        }
        Ok(Identity {
            keys: Arc::new(Keys::new(self.source()?, PAUSE, self.jwt_jwks_max_age)?),
            expected,
            gateway: gateway.transpose()?,
            platform: self.jwt_platform_tenants.iter().copied().collect(),
            subjects: self.subjects()?,
        })
    }

    fn subjects(&self) -> Result<Option<SubjectKey>, ConfigError> {
        let secret = SecretSource::of(
            "JWT_SUBJECT_KEY",
            "JWT_SUBJECT_KEY_FILE",
            self.jwt_subject_key.as_ref(),
            self.jwt_subject_key_file.as_ref(),
        )?;
        let Some(secret) = secret else {
            return Ok(None);
        };
        let key = SubjectKey::new(secret.read()?.expose().as_bytes());
        let short = || ConfigError::value("JWT_SUBJECT_KEY", "must have at least 32 bytes");
        key.ok_or_else(short).map(Some)
    }

    fn source(&self) -> Result<JwksSource, ConfigError> {
        readable("JWT_JWKS_FILE", self.jwt_jwks_file.as_ref())?;
        readable("JWT_JWKS_CA_FILE", self.jwt_jwks_ca_file.as_ref())?;
        match (&self.jwt_jwks_file, &self.jwt_jwks_url) {
            (Some(file), None) => Ok(JwksSource::File(file.clone())),
            (None, Some(url)) => {
                let safe = match (url.scheme_str(), url.host()) {
                    (Some("https"), Some(_)) => true,
                    (Some("http"), Some(host)) => is_this_machine(host),
                    _ => false,
                };
                if !safe {
                    let problem = "must be https:// unless it is on this machine";
                    return Err(ConfigError::value("JWT_JWKS_URL", problem));
                }
                Ok(JwksSource::Url {
                    url: url.clone(),
                    ca: self.jwt_jwks_ca_file.clone(),
                })
            }
            (Some(_), Some(_)) => Err(ConfigError::value(
                "JWT_JWKS_FILE",
                "JWT_JWKS_URL is set as well",
            )),
            (None, None) => Err(ConfigError::missing("JWT_JWKS_FILE")),
        }
    }
}

/// A name that is a part of what callers are called in the log, where a space ends it.
fn spaceless(key: &'static str, name: &str) -> Result<Arc<str>, ConfigError> {
    if name.contains(char::is_whitespace) {
        return Err(ConfigError::value(key, "must hold no space"));
    }
    Ok(name.into())
}
