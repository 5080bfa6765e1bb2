//! `/health`, `/ready` and `/metrics`, on a port of their own.
//!
//! For the cluster's eyes only: no personal data, no identity, nothing that changes anything.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::task::JoinHandle;

use crate::{
    config::ConfigError,
    health::Health,
    http::server::{Server, ServerOptions},
    settings::ProbeSettings,
    shutdown::Shutdown,
};

/// The most connections at a time: for the kubelet, Prometheus and a few people.
const CONNECTIONS_MAX: usize = 64;
/// The most of them from one address.
const CONNECTIONS_PER_ADDRESS: usize = 16;
/// How long a request may take to arrive; a connection on which none does is closed.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest life of a connection. Prometheus keeps one from scrape to scrape.
const LIFE: Duration = Duration::from_mins(10);
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the probes show: the state of the process and its metrics.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The state of the process.
    pub health: Arc<Health>,
    /// All metrics.
    pub registry: Arc<Registry>,
}

/// Listening probes; they end when this is dropped.
#[derive(Debug)]
pub struct Probes {
    /// The address they listen on, with the port that was had.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Probes {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Begins to answer; on `usual_port` if the settings name none.
///
/// # Errors
/// The port cannot be had.
pub async fn start(
    settings: &ProbeSettings,
    usual_port: u16,
    shown: Shown,
) -> Result<Probes, ConfigError> {
    let port = settings.probe_port.unwrap_or(usual_port);
    let server = Server::bind(ServerOptions {
        setting: "PROBE_PORT",
        address: SocketAddr::from((settings.probe_address, port)),
        tls: None,
        connections_max: CONNECTIONS_MAX,
        connections_per_address: CONNECTIONS_PER_ADDRESS,
        patience: PATIENCE,
        life: LIFE,
    });
    let server = server.await?;
    let address = server.address;
    // They answer until the very end, also while the rest is being stopped.
    let task = tokio::spawn(async move {
        let never = Shutdown::default();
        server.serve(router(shown), &never).await;
    });
    tracing::info!(event = "probes.listening", %address);
    Ok(Probes { address, task })
}

fn router(shown: Shown) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(shown)
}

/// 200 while this process can make progress: if it could not, it would have ended or not answer.
async fn health(State(shown): State<Shown>) -> Response {
    report(&shown, true)
}

/// 200 while work may be sent here.
async fn ready(State(shown): State<Shown>) -> Response {
    report(&shown, shown.health.is_ready())
}

async fn metrics(State(shown): State<Shown>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &shown.registry) {
        Ok(()) => ([(CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn report(shown: &Shown, good: bool) -> Response {
    let status = if good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    match serde_json::to_string(&shown.health.report()) {
        Ok(body) => (status, [(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    use super::*;

    async fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("writes");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("reads");
        answer
    }

    #[tokio::test]
    async fn dependencies_decide_readiness_and_never_health() {
        let health = Arc::new(Health::default());
        let metrics = Arc::new(projections::runtime::metrics::ProjectionMetrics::default());
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        actors::services::dlr::DlrMetrics::default().register(&mut registry);
        let shown = Shown {
            health: Arc::clone(&health),
            registry: Arc::new(registry),
        };
        let settings = ProbeSettings {
            probe_address: Ipv4Addr::LOCALHOST.into(),
            probe_port: Some(0),
        };
        let probes = start(&settings, 3000, shown).await.expect("a free port");
        let at = probes.address;

        assert!(get(at, "/health").await.starts_with("HTTP/1.1 200"));
        let unready = get(at, "/ready").await;
        assert!(unready.starts_with("HTTP/1.1 503"), "{unready}");
        assert!(unready.contains("\"nats\":{\"up\":false,\"detail\":\"not seen yet\""));

        health.nats.good();
        health.postgres.good();
        health.consumer.good();
        health.intake.good();
        health.questions.good();
        assert!(get(at, "/ready").await.starts_with("HTTP/1.1 200"));

        health.nats.bad("away");
        assert!(get(at, "/ready").await.starts_with("HTTP/1.1 503"));
        assert!(
            get(at, "/health").await.starts_with("HTTP/1.1 200"),
            "no reason to restart"
        );

        let text = get(at, "/metrics").await;
        assert!(text.contains("dlr_outbox_pending_count 0") && text.ends_with("# EOF\n"));
    }
}
