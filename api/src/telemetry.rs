//! Logs and traces: started first, flushed last, whatever happened in between.

pub mod line;
pub(crate) mod logs;
mod otlp;
mod sink;
pub mod traceparent;
mod traces;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::time::Duration;
use tokio::runtime::Handle;
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{config::ConfigError, settings::TelemetrySettings};

/// How long the last traces and log lines may take to leave.
const FAREWELL: Duration = Duration::from_secs(2);

/// Running telemetry. Call [`Telemetry::finish`] at the very end.
#[derive(Debug)]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
    sink: sink::Sink,
}

impl Telemetry {
    /// Starts logging to stdout and, with an endpoint, exporting traces through `runtime`.
    ///
    /// # Errors
    /// The settings are wrong.
    pub fn start(
        settings: &TelemetrySettings,
        service: &str,
        runtime: &Handle,
    ) -> Result<Self, ConfigError> {
        let service = settings.service_name.as_deref().unwrap_or(service);
        let provider = settings
            .otlp()?
            .map(|options| traces::provider(options, service, runtime.clone()))
            .transpose()?;
        let sink = sink::Sink::to_stdout();
        let lines = logs::LogLayer::new(service, sink.clone());
        let spans = provider.as_ref().map(|provider| {
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("tollbook"))
                .with_location(false)
                .with_threads(false)
                .with_target(false)
                .with_tracked_inactivity(false)
                .with_filter(logs::spans_of_ours())
        });
        let started = tracing_subscriber::registry()
            .with(lines.with_filter(logs::levels(settings.log_level)))
            .with(spans)
            .try_init();
        if started.is_err() {
            return Err(ConfigError::value(
                "LOG_LEVEL",
                "logging was started before",
            ));
        }
        Ok(Self { provider, sink })
    }

    /// Lets what is still on its way leave, for a few seconds at most. The runtime must still be
    /// there, and this must not be called inside of it.
    pub fn finish(self) {
        if let Some(provider) = self.provider
            && provider.shutdown_with_timeout(FAREWELL).is_err()
        {
            tracing::warn!(event = "telemetry.traces_lost");
        }
        self.sink.finish(FAREWELL);
    }
}
