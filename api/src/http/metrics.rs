//! What is counted of calls (CONTRACTS 11).
//!
//! A label holds only words of ours: the route as it is declared, never the path that was called,
//! which may hold ids and whatever else somebody writes there; the method where it is one of
//! HTTP's own; a class of status; a code of a problem. So nobody outside can add labels.

use std::time::Duration;

use axum::http::StatusCode;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use super::problem::Code;

/// The route of calls where there is none.
pub(super) const NO_ROUTE: &str = "none";
/// From the first line of a call to the first of its answer, in seconds: the platform's limit for
/// usage (300 ms), and the longest that an answer may take by default.
const DURATION_SECONDS: [f64; 14] = [
    0.001, 0.002, 0.005, 0.010, 0.020, 0.050, 0.100, 0.200, 0.300, 0.500, 1.0, 2.5, 5.0, 30.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    route: String,
    method: &'static str,
    status_class: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
    method: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: &'static str,
}

/// Everything that is counted of calls. Made once per process.
#[derive(Debug)]
pub struct HttpMetrics {
    requests: Family<AnswerLabels, Counter>,
    duration: Family<RouteLabels, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    refusals: Family<CodeLabel, Counter>,
}

/// A call that was answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered<'a> {
    /// Its route as it is declared, or [`NO_ROUTE`].
    pub(super) route: &'a str,
    /// Its method, in words of ours.
    pub(super) method: &'static str,
    /// What was answered.
    pub(super) status: StatusCode,
    /// The problem, if it was one.
    pub(super) problem: Option<Code>,
    /// How long it took.
    pub(super) took: Duration,
}

/// A call under way, for as long as this lives: also one whose caller goes away has ended.
#[derive(Debug)]
pub(super) struct InFlight(Gauge);

impl Default for HttpMetrics {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(DURATION_SECONDS)),
            in_flight: Gauge::default(),
            refusals: Family::default(),
        }
    }
}

impl HttpMetrics {
    /// Names everything in the registry. Counters get `_total` when they are written.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "billing_http_requests",
            "calls answered",
            self.requests.clone(),
        );
        registry.register(
            "billing_http_request_duration_seconds",
            "from the first line of a call to the first of its answer",
            self.duration.clone(),
        );
        registry.register(
            "billing_http_requests_in_flight",
            "calls under way",
            self.in_flight.clone(),
        );
        registry.register(
            "billing_http_refusals",
            "problems answered, by their code",
            self.refusals.clone(),
        );
    }

    /// A call begins.
    pub(super) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// A call is answered.
    pub(super) fn answered(&self, call: &Answered<'_>) {
        let &Answered { method, .. } = call;
        let labels = AnswerLabels {
            route: call.route.to_owned(),
            method,
            status_class: class(call.status),
        };
        self.requests.get_or_create(&labels).inc();
        let route = labels.route;
        let duration = self.duration.get_or_create(&RouteLabels { route, method });
        duration.observe(call.took.as_secs_f64());
        if let Some(code) = call.problem.map(Code::as_str) {
            self.refusals.get_or_create(&CodeLabel { code }).inc();
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

const fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        ..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500.. => "5xx",
    }
}
