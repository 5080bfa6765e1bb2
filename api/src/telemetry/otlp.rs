//! The way to the collector: HTTP over rustls, with a token that is read again for each export.
//!
//! The exporter works on a thread of its own, the connection in our runtime. A collector that is
//! away costs spans and one warning, never more.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use axum::http::{HeaderValue, Request, Response, header::AUTHORIZATION};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use opentelemetry_http::{Bytes, HttpClient, HttpError, hyper::HyperClient};
use tokio::runtime::Handle;

use super::OtlpOptions;
use crate::{
    config::{ConfigError, SecretSource},
    trust,
};

/// The setting that names whom to trust.
const KEY: &str = "OTEL_EXPORTER_OTLP_CERTIFICATE";

/// An OTLP client.
#[derive(Debug)]
pub(super) struct OtlpClient {
    runtime: Handle,
    http: HyperClient<HttpsConnector<HttpConnector>>,
    token: Option<SecretSource>,
    failing: AtomicBool,
}

impl OtlpClient {
    /// A client that connects when first used.
    ///
    /// # Errors
    /// The authorities to trust cannot be read.
    pub(super) fn new(
        options: OtlpOptions,
        timeout: Duration,
        runtime: Handle,
    ) -> Result<Self, ConfigError> {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(trust::client(KEY, options.certificate.as_deref())?)
            .https_or_http()
            .enable_http1()
            .build();
        let http = HyperClient::new(connector, timeout, None);
        Ok(Self {
            runtime,
            http,
            token: options.token,
            failing: AtomicBool::new(false),
        })
    }

    fn authorize(&self, request: &mut Request<Bytes>) -> Result<(), HttpError> {
        if let Some(token) = &self.token {
            let token = token.read()?;
            let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        Ok(())
    }

    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.authorize(&mut request)?;
        let http = self.http.clone();
        self.runtime
            .spawn(async move { http.send_bytes(request).await })
            .await?
    }
}

#[async_trait]
impl HttpClient for OtlpClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.send(request).await;
        let works = matches!(&answer, Ok(answer) if answer.status().is_success());
        if self.failing.swap(!works, Ordering::Relaxed) == works {
            match &answer {
                _ if works => tracing::info!(event = "telemetry.traces_resumed"),
                Ok(answer) => {
                    let status = answer.status().as_u16();
                    tracing::warn!(event = "telemetry.traces_refused", status);
                }
                Err(error) => {
                    let error = eventstore::log::chain(error.as_ref());
                    tracing::warn!(event = "telemetry.traces_not_sent", error);
                }
            }
        }
        answer
    }
}
