//! Logs and traces: started first, flushed last, whatever happened in between.

pub mod line;
pub(crate) mod logs;
mod otlp;
mod sink;
pub mod traceparent;
mod traces;

use std::{num::NonZeroU32, path::PathBuf, time::Duration};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing_subscriber::{
    Layer, filter::LevelFilter, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::config::{ConfigError, SecretSource};

/// How long the last traces and log lines may take to leave.
const FAREWELL: Duration = Duration::from_secs(2);

/// How a process logs and traces, checked.
#[derive(Debug, Clone)]
pub struct TelemetryOptions {
    /// The name in each log line and trace.
    pub service: String,
    /// The least severe level that is logged; of libraries, warnings at most.
    pub level: LevelFilter,
    /// Where traces go; nowhere without it.
    pub otlp: Option<OtlpOptions>,
}

/// Where to export traces.
#[derive(Debug, Clone)]
pub struct OtlpOptions {
    /// The full address, `/v1/traces` included.
    pub address: String,
    /// The bearer token.
    pub token: Option<SecretSource>,
    /// PEM file with the authorities to trust; the system's if none.
    pub certificate: Option<PathBuf>,
    /// Share of the traces beginning here that are kept: 0 to 1.
    pub share: f64,
    /// The most traces begun elsewhere that are kept, per second.
    pub per_second_max: NonZeroU32,
}

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
    /// The collector's address or certificate cannot be used, or logging was started before.
    pub fn start(options: TelemetryOptions, runtime: &Handle) -> Result<Self, ConfigError> {
        let TelemetryOptions {
            service,
            level,
            otlp,
        } = options;
        let provider = otlp
            .map(|otlp| traces::provider(otlp, &service, runtime.clone()))
            .transpose()?;
        let sink = sink::Sink::to_stdout();
        let lines = logs::LogLayer::new(&service, sink.clone());
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
            .with(lines.with_filter(logs::levels(level)))
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
