//! Structured logs on stdout, one JSON object a line.
//!
//! What a log line may never hold: phone numbers, payloads, secrets. Types that wrap those
//! cannot be printed; a panic is told by its place and never by its message; and libraries, which
//! know nothing of this, log warnings at most, whatever the level of our own code.

use std::{cell::RefCell, panic};

use opentelemetry::{Context as OtelContext, trace::TraceContextExt};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    Layer,
    filter::{FilterFn, LevelFilter, Targets, filter_fn},
    layer::Context,
    registry::LookupSpan,
};

use super::{
    line::{Line, escape},
    sink::Sink,
};

/// Our own code: the crates of this workspace.
const OURS: [&str; 6] = [
    "actors",
    "api",
    "eventstore",
    "projections",
    "schema",
    "tollbook",
];

thread_local! {
    static LINE: RefCell<Line> = RefCell::default();
}

/// Writes events as lines.
pub(super) struct LogLayer {
    /// Escaped.
    service: String,
    sink: Sink,
}

impl LogLayer {
    pub(super) fn new(service: &str, sink: Sink) -> Self {
        let mut escaped = String::new();
        escape(&mut escaped, service);
        Self {
            service: escaped,
            sink,
        }
    }

    fn write(&self, line: &mut Line, event: &Event<'_>) {
        line.clear();
        event.record(line);
        let now = eventstore::clock::now();
        let metadata = event.metadata();
        OtelContext::map_current(|context| {
            let span = context
                .has_active_span()
                .then(|| context.span().span_context().clone());
            let span = span.filter(opentelemetry::trace::SpanContext::is_valid);
            line.finish(
                now,
                *metadata.level(),
                &self.service,
                metadata.target(),
                span.as_ref(),
            );
        });
        self.sink.write(&line.text);
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LogLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        LINE.with(|line| match line.try_borrow_mut() {
            Ok(mut line) => self.write(&mut line, event),
            // Somebody logs, or panics, while being logged.
            Err(_) => self.write(&mut Line::default(), event),
        });
    }
}

/// What is logged: of ours what `level` says, of libraries warnings at most.
pub(super) fn levels(level: LevelFilter) -> Targets {
    let libraries = level.min(LevelFilter::WARN);
    Targets::new()
        .with_default(libraries)
        .with_targets(OURS.map(|target| (target, level)))
}

/// What is traced: our own spans, whatever the level of the logs.
pub(super) fn spans_of_ours() -> FilterFn {
    filter_fn(|metadata| {
        let crate_name = metadata.target().split("::").next().unwrap_or_default();
        metadata.is_span() && *metadata.level() <= Level::INFO && OURS.contains(&crate_name)
    })
}

/// Lets a panic be told by its place. Its message may hold anything and is never printed.
pub(crate) fn tell_panics() {
    panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let (file, line) = panic
            .location()
            .map_or(("", 0), |at| (at.file(), at.line()));
        let thread = thread.name().unwrap_or_default();
        tracing::error!(event = "process.panicked", file, line, thread);
        eprintln!("tollbook: panicked at {file}:{line} in thread {thread}");
    }));
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
        time::Duration,
    };

    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
    use serde_json::Value;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0
                .lock()
                .expect("not poisoned")
                .extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What `work` logs at `level`.
    fn logged(level: LevelFilter, work: impl FnOnce()) -> Vec<Value> {
        let paper = Paper::default();
        let sink = Sink::to(paper.clone());
        let layer = LogLayer::new("dlr-processor", sink.clone()).with_filter(levels(level));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
        sink.finish(Duration::from_secs(5));
        let text = paper.0.lock().expect("not poisoned").clone();
        let text = String::from_utf8(text).expect("UTF-8");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a JSON object"))
            .collect()
    }

    #[test]
    fn a_line_is_flat_and_in_camel_case() {
        let lines = logged(LevelFilter::INFO, || {
            let message = uuid::Uuid::nil();
            tracing::info!(
                event = "dlr.correlated",
                message_id = %message,
                dlr_status = "DELIVERED",
                duration_ms = 1.5,
                attempt = 2,
                "told \"well\"\nand good"
            );
        });
        let line = &lines[0];
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["service"], "dlr-processor");
        assert_eq!(line["event"], "dlr.correlated");
        assert_eq!(line["messageId"], uuid::Uuid::nil().to_string());
        assert_eq!(line["dlrStatus"], "DELIVERED");
        assert_eq!(line["durationMs"], 1.5);
        assert_eq!(line["attempt"], 2);
        assert_eq!(line["message"], "told \"well\"\nand good");
        let time = line["time"].as_str().expect("a time");
        assert!(schema::Timestamp::parse(time).is_some(), "{time}");
        assert!(line["traceId"].is_null());
    }

    #[test]
    fn a_line_hangs_on_the_current_trace() {
        let span = SpanContext::new(
            TraceId::from(0xabc_u128),
            SpanId::from(0xdef_u64),
            TraceFlags::SAMPLED,
            true,
            TraceState::NONE,
        );
        let lines = logged(LevelFilter::INFO, || {
            let _entered = OtelContext::new().with_remote_span_context(span).attach();
            tracing::info!(event = "a");
            tracing::info!(event = "b", trace_id = "own");
        });
        assert_eq!(lines[0]["traceId"], "00000000000000000000000000000abc");
        assert_eq!(lines[0]["spanId"], "0000000000000def");
        assert_eq!(lines[1]["traceId"], "own");
    }

    /// In the environment of a process that is there to panic.
    const PANICS: &str = "TOLLBOOK_TEST_PANICS";
    const NUMBER: &str = "+99900000123456";

    /// Panics, as a thread and as a task, with a number in the words; only in a process of its own,
    /// because the hook is everybody's.
    #[tokio::test]
    async fn panics_with_personal_data_in_its_words() {
        if std::env::var_os(PANICS).is_none() {
            return;
        }
        tell_panics();
        let number = schema::Personal::new(NUMBER.to_owned());
        let other = number.clone();
        let thread = std::thread::spawn(move || panic!("no such number: {}", other.expose()));
        assert!(thread.join().is_err());
        let task = tokio::spawn(async move { panic!("no such number: {}", number.expose()) });
        let died = task.await.expect_err("it panicked");
        eprintln!("tollbook: {}", eventstore::log::chain(&died));
    }

    #[test]
    fn what_a_panic_says_reaches_neither_stdout_nor_stderr() {
        let itself = std::env::current_exe().expect("a test program");
        let test = "telemetry::logs::tests::panics_with_personal_data_in_its_words";
        let output = std::process::Command::new(itself)
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(PANICS, "yes")
            .output()
            .expect("runs");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(
            output.status.success() && said.contains("1 passed"),
            "{said}"
        );
        assert_eq!(said.matches("tollbook: panicked at").count(), 2, "{said}");
        assert!(said.contains("tollbook: a task panicked"), "{said}");
        assert!(!said.contains(NUMBER), "{said}");
    }

    #[test]
    fn libraries_log_warnings_at_most() {
        let lines = logged(LevelFilter::TRACE, || {
            tracing::debug!(target: "tokio_postgres::query", "parameters: +49151");
            tracing::warn!(target: "async_nats", "slow");
            tracing::trace!(event = "ours");
        });
        let events: Vec<_> = lines.iter().map(|line| line["event"].clone()).collect();
        assert_eq!(events, ["async_nats", "ours"]);
        assert!(logged(LevelFilter::ERROR, || tracing::warn!(event = "x")).is_empty());
    }
}
