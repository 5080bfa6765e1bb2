//! The tracer: batches of spans, exported by OTLP; the caller's decision to sample is followed, up
//! to so many traces a second: who sends receipts cannot make us export all of them.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceContextExt as _, TraceId},
};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SamplingDecision, SamplingResult, SdkTracerProvider, ShouldSample},
};
use tokio::runtime::Handle;

use super::{OtlpOptions, otlp::OtlpClient};
use crate::config::ConfigError;

/// How long one export may take.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// A provider whose spans go to the collector that `options` name.
pub(super) fn provider(
    options: OtlpOptions,
    service: &str,
    runtime: Handle,
) -> Result<SdkTracerProvider, ConfigError> {
    let (share, per_second) = (options.share, options.per_second_max);
    let address = options.address.clone();
    let client = OtlpClient::new(options, EXPORT_TIMEOUT, runtime)?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(EXPORT_TIMEOUT)
        .with_endpoint(address)
        .build()
        .map_err(|_| ConfigError::value("OTEL_EXPORTER_OTLP_ENDPOINT", "cannot be used"))?;
    let resource = Resource::builder()
        .with_service_name(service.to_owned())
        .build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Capped::new(share, per_second))
        .with_resource(resource)
        .build())
}

/// Keeps a share of the traces that begin here, and follows the decision of whoever began the
/// others, for at most so many a second.
#[derive(Debug, Clone)]
struct Capped {
    usual: Sampler,
    followed: Arc<DefaultDirectRateLimiter>,
}

impl Capped {
    fn new(share: f64, per_second: NonZeroU32) -> Self {
        let begun_here = Sampler::TraceIdRatioBased(share);
        Self {
            usual: Sampler::ParentBased(Box::new(begun_here)),
            followed: Arc::new(RateLimiter::direct(Quota::per_second(per_second))),
        }
    }
}

impl ShouldSample for Capped {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let mut result = (self.usual).should_sample(parent, trace, name, kind, attributes, links);
        let asked = parent.is_some_and(|parent| {
            let parent = parent.span();
            let parent = parent.span_context();
            parent.is_remote() && parent.is_sampled()
        });
        if asked && self.followed.check().is_err() {
            result.decision = SamplingDecision::Drop;
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use opentelemetry::trace::TracerProvider as _;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };
    use tracing_subscriber::{Layer, layer::SubscriberExt};

    use super::*;
    use crate::{config::SecretSource, telemetry::traceparent};

    const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn what_others_decide_is_followed_up_to_a_number_a_second() {
        let sampler = Capped::new(0.0, NonZeroU32::new(3).expect("some"));
        let decide = |header: &str| {
            let parent = traceparent::parse(header).expect("valid");
            let trace = parent.trace_id();
            let parent = Context::new().with_remote_span_context(parent);
            let result =
                sampler.should_sample(Some(&parent), trace, "x", &SpanKind::Internal, &[], &[]);
            result.decision == SamplingDecision::RecordAndSample
        };
        let unsampled = HEADER.replace("-01", "-00");
        for _ in 0..100 {
            assert!(!decide(&unsampled));
        }
        let kept = (0..100).filter(|_| decide(HEADER)).count();
        assert!((3..100).contains(&kept), "{kept}");
    }

    /// Answers one export and returns what it was asked.
    async fn collect(listener: &TcpListener) -> Vec<u8> {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = Vec::new();
        let mut part = [0; 4096];
        // The body ends with the attributes of the resource; a span's name is in it before.
        while !request.windows(9).any(|window| window == b"a.receipt") {
            let read = stream.read(&mut part).await.expect("reads");
            assert!(read > 0, "the request ended early");
            request.extend_from_slice(&part[..read]);
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(answer).await.expect("writes");
        request
    }

    /// Traces one receipt; what is shut down has been sent.
    fn trace_one(options: OtlpOptions, runtime: Handle) {
        let provider = provider(options, "dlr-processor", runtime).expect("good options");
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("tollbook"))
            .with_filter(crate::telemetry::logs::spans_of_ours());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let span = tracing::info_span!("a.receipt");
            traceparent::adopt(&span, HEADER);
            let onward = span.in_scope(|| traceparent::of(&tracing::Span::current()));
            let onward = onward.expect("a traced span");
            assert!(
                onward.starts_with(&HEADER[..36]) && onward.ends_with("-01"),
                "{onward}"
            );
        });
        provider
            .shutdown_with_timeout(Duration::from_secs(5))
            .expect("sent");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_receipts_span_is_exported_in_its_trace_with_the_token_of_the_day() {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0").await.expect("a port"));
        let address = format!("http://{}/v1/traces", listener.local_addr().expect("bound"));
        let path = std::env::temp_dir().join(format!("tollbook-otlp-{}", std::process::id()));
        fs::write(&path, "sunday").expect("writes");
        let token = SecretSource::of("TOKEN", "TOKEN_FILE", None, Some(&path));
        let token = token.expect("readable");
        // No new traces are kept: the span is exported because its caller's was.
        let options = OtlpOptions {
            address,
            token,
            certificate: None,
            share: 0.0,
            per_second_max: NonZeroU32::MIN,
        };
        for day in ["monday", "tuesday"] {
            fs::write(&path, day).expect("writes");
            let (options, runtime) = (options.clone(), Handle::current());
            let tracing = tokio::task::spawn_blocking(move || trace_one(options, runtime));
            let request = collect(&listener).await;
            tracing.await.expect("traced");
            let text = String::from_utf8_lossy(&request);
            assert!(text.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{text}");
            assert!(
                text.contains(&format!("authorization: Bearer {day}\r\n")),
                "{text}"
            );
            let trace: Vec<u8> = (0..16)
                .map(|at| u8::from_str_radix(&HEADER[3 + 2 * at..5 + 2 * at], 16).expect("hex"))
                .collect();
            assert!(
                request.windows(16).any(|window| window == trace),
                "the caller's trace id"
            );
        }
        fs::remove_file(&path).expect("removes");
    }
}
