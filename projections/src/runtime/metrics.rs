//! How far each projection is (CONTRACTS 11).
//!
//! A lag must go on growing while a projection stands still, so it is computed when somebody
//! asks, from the head of the log and from when that head was first seen. Nothing here may ever
//! hold personal data: the only label is a projection's name, which is a word of ours.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};
use schema::Position;

/// How far apart two remembered heads are at least; the error of a lag.
const SAMPLE: Duration = Duration::from_millis(100);
/// How many heads are remembered. When they are more, every other one is forgotten.
const SAMPLES_MAX: usize = 1_024;

/// Everything the projections tell. Cheap to share; made once per process.
#[derive(Debug, Default)]
pub struct ProjectionMetrics {
    heads: Mutex<Heads>,
    projections: RwLock<Vec<Arc<ProjectionHandle>>>,
    replaced: AtomicU64,
}

/// One projection's place, to be kept by whoever runs it.
#[derive(Debug)]
pub struct ProjectionHandle {
    name: &'static str,
    publishes: bool,
    position: AtomicI64,
    stopped: AtomicBool,
}

impl ProjectionHandle {
    /// Everything up to and including `position` is applied (or published and acknowledged).
    pub fn advanced_to(&self, position: Position) {
        self.position.fetch_max(position.0, Ordering::Relaxed);
    }

    /// The log is another one; where the projection is in it has to be found out.
    pub fn begins_anew(&self) {
        self.position.store(0, Ordering::Relaxed);
    }

    /// Whether it has given up at an event it cannot apply, and needs a person.
    pub fn set_stopped(&self, stopped: bool) {
        self.stopped.store(stopped, Ordering::Relaxed);
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The last position it is known to have applied.
    #[must_use]
    pub fn position(&self) -> Position {
        Position(self.position.load(Ordering::Relaxed))
    }

    /// Whether it has stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

impl ProjectionMetrics {
    /// The handle of the projection `name`; `publishes` if it is an outbox of NATS messages.
    #[must_use]
    pub fn projection(&self, name: &'static str, publishes: bool) -> Arc<ProjectionHandle> {
        let mut projections = self
            .projections
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = projections.iter().find(|known| known.name == name) {
            return Arc::clone(known);
        }
        let handle = Arc::new(ProjectionHandle {
            name,
            publishes,
            position: AtomicI64::new(0),
            stopped: AtomicBool::new(false),
        });
        projections.push(Arc::clone(&handle));
        handle
    }

    /// The log was seen to reach `position`.
    pub fn head_is(&self, position: Position) {
        let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        heads.note(position, Instant::now());
    }

    /// The log has turned out to be another one so often.
    pub fn log_was_replaced(&self, times: u64) {
        self.replaced.fetch_max(times, Ordering::Relaxed);
    }

    /// Events between the head of the log and the slowest publisher: at most so many wait to be
    /// published.
    #[must_use]
    pub fn outbox_pending(&self) -> i64 {
        let head = self
            .heads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .head;
        let projections = self
            .projections
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let publishers = projections.iter().filter(|projection| projection.publishes);
        let slowest = publishers.map(|publisher| publisher.position()).min();
        slowest.map_or(0, |slowest| head.ahead_of(slowest).max(0))
    }

    /// The names of the projections that have stopped.
    #[must_use]
    pub fn stopped(&self) -> Vec<&'static str> {
        let projections = self
            .projections
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        projections
            .iter()
            .filter(|known| known.is_stopped())
            .map(|known| known.name)
            .collect()
    }

    /// Names everything in the registry.
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        registry.register_collector(Box::new(Progress(Arc::clone(self))));
    }
}

/// When the log reached which position, as far as this process saw.
#[derive(Debug, Default)]
struct Heads {
    head: Position,
    /// Ascending in both. An entry says: events beyond the entry before it, up to `position`,
    /// were first seen at `seen`.
    samples: VecDeque<Sample>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    position: Position,
    seen: Instant,
}

impl Heads {
    fn note(&mut self, position: Position, now: Instant) {
        // The log is another one now: what was seen of the one before says nothing.
        if position < self.head {
            *self = Self::default();
        }
        if position == self.head && !self.samples.is_empty() {
            return;
        }
        self.head = position;
        match self.samples.back_mut() {
            // The earlier time stands for both, so a lag is rather told too long than too short.
            Some(last) if now.duration_since(last.seen) < SAMPLE => last.position = self.head,
            _ => self.samples.push_back(Sample {
                position: self.head,
                seen: now,
            }),
        }
        if self.samples.len() > SAMPLES_MAX {
            self.thin();
        }
    }

    /// Lets pairs of samples become one: the earlier's time, the later's position.
    fn thin(&mut self) {
        let pairs = self.samples.make_contiguous().chunks(2);
        self.samples = pairs
            .map(|pair| Sample {
                seen: pair[0].seen,
                position: pair[pair.len() - 1].position,
            })
            .collect();
    }

    /// How long the first event beyond `position` has been there; zero if there is none.
    fn lag(&self, position: Position, now: Instant) -> Duration {
        let next = self
            .samples
            .partition_point(|sample| sample.position <= position);
        self.samples
            .get(next)
            .map_or(Duration::ZERO, |sample| now.duration_since(sample.seen))
    }
}

/// Writes the state of all projections when it is asked for.
#[derive(Debug)]
struct Progress(Arc<ProjectionMetrics>);

impl Collector for Progress {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let now = Instant::now();
        let projections = self
            .0
            .projections
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let heads = self.0.heads.lock().unwrap_or_else(PoisonError::into_inner);
        let head = heads.head;
        let lags: Vec<f64> = projections
            .iter()
            .map(|projection| heads.lag(projection.position(), now).as_secs_f64())
            .collect();
        drop(heads);
        let log_head =
            encoder.encode_descriptor("log_head", "newest position", None, MetricType::Gauge)?;
        ConstGauge::new(head.0).encode(log_head)?;
        let help = "times the log lost its end";
        let replaced =
            encoder.encode_descriptor("log_replaced", help, None, MetricType::Counter)?;
        ConstCounter::new(self.0.replaced.load(Ordering::Relaxed)).encode(replaced)?;
        let mut gauge = |name: &str, help: &str, value: &dyn Fn(usize) -> f64| {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (number, projection) in projections.iter().enumerate() {
                let label = [("projection", projection.name)];
                ConstGauge::new(value(number)).encode(family.encode_family(&label)?)?;
            }
            Ok::<_, fmt::Error>(())
        };
        gauge("projection_position", "last position applied", &|number| {
            as_float(projections[number].position().0)
        })?;
        gauge(
            "projection_lag_events",
            "events between it and the head",
            &|number| as_float(head.ahead_of(projections[number].position()).max(0)),
        )?;
        gauge(
            "projection_lag_seconds",
            "age of the oldest event not applied",
            &|number| lags[number],
        )?;
        gauge(
            "projection_stopped",
            "1 if it met an event it cannot apply",
            &|number| f64::from(u8::from(projections[number].is_stopped())),
        )?;
        let pending = ConstGauge::new(self.0.outbox_pending());
        let help = "events between the head and the slowest publisher";
        let name = "dlr_outbox_pending_count";
        pending.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 events")]
fn as_float(events: i64) -> f64 {
    events as f64
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn the_names_are_the_contracts() {
        let metrics = Arc::new(ProjectionMetrics::default());
        metrics.head_is(Position(10));
        metrics.log_was_replaced(1);
        metrics
            .projection("delivery_receipts", false)
            .advanced_to(Position(10));
        let publisher = metrics.projection("billing_events", true);
        publisher.advanced_to(Position(7));
        publisher.set_stopped(true);
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).expect("encodes");
        for line in [
            "projection_position{projection=\"delivery_receipts\"} 10.0",
            "projection_lag_events{projection=\"delivery_receipts\"} 0.0",
            "projection_lag_seconds{projection=\"delivery_receipts\"} 0.0",
            "projection_lag_events{projection=\"billing_events\"} 3.0",
            "projection_stopped{projection=\"billing_events\"} 1.0",
            "dlr_outbox_pending_count 3",
            "log_replaced_total 1",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is missing in\n{text}"
            );
        }
        assert_eq!(metrics.stopped(), ["billing_events"]);
    }

    #[test]
    fn a_lag_is_the_age_of_the_first_event_not_applied() {
        let start = Instant::now();
        let second = |number| start + Duration::from_secs(number);
        let mut heads = Heads::default();
        heads.note(Position(5), second(0));
        heads.note(Position(9), second(10));
        assert_eq!(heads.lag(Position(9), second(60)), Duration::ZERO);
        assert_eq!(heads.lag(Position(5), second(60)), Duration::from_secs(50));
        assert_eq!(heads.lag(Position(8), second(60)), Duration::from_secs(50));
        assert_eq!(heads.lag(Position(0), second(60)), Duration::from_mins(1));
    }

    #[test]
    fn thinning_never_tells_a_lag_too_short() {
        let start = Instant::now();
        let mut heads = Heads::default();
        for number in 1..=3_000 {
            heads.note(Position(number.into()), start + SAMPLE * number);
        }
        assert!(heads.samples.len() <= SAMPLES_MAX);
        let now = start + SAMPLE * 3_001;
        assert!(heads.lag(Position(1_500), now) >= SAMPLE * 1_500);
        assert_eq!(heads.lag(Position(3_000), now), Duration::ZERO);
    }
}
