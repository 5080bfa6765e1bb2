//! A world where everything is logged and traced, and what was said in it.

use std::{collections::BTreeSet, fmt::Write as _, sync::Mutex};

use async_nats::{HeaderMap, jetstream};
use bytes::Bytes;
use hyper::Method;
use serde_json::Value;
use tests::{
    orchestrator::{self, OrchestratorRow},
    world::{
        Rest, Service, World,
        rest::{Answer, RestClient},
    },
};
use tokio_postgres::Client;
use uuid::Uuid;

use super::sinks::{OfATest, Sink};
use crate::{
    collector::Collector,
    fixture::{eventually, unique},
    rest::tokens::Issuer,
};

/// A key that names subjects, long enough.
const SUBJECT_KEY: &str = "the key that names subjects in this world";

/// A trace that somebody else began.
pub(crate) struct Trace(Uuid);

impl Trace {
    pub(crate) fn fresh() -> Self {
        Self(unique())
    }

    /// The header that asks to keep it.
    pub(crate) fn parent(&self) -> String {
        format!("00-{}-b7ad6b7169203331-01", self.0.simple())
    }
}

/// The servers, both services, and everything that was answered.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) dlr: Service,
    pub(crate) billing: Service,
    pub(crate) rest: Rest,
    pub(crate) issuer: Issuer,
    pub(crate) database: Client,
    pub(crate) collector: Collector,
    connector: jetstream::Context,
    announcer: jetstream::Context,
    identity: jetstream::Context,
    answers: Mutex<Vec<Sink>>,
    published: Mutex<BTreeSet<OfATest>>,
}

impl Stage {
    /// Both services in `world`, with the most to say that they can be told to.
    pub(crate) async fn in_world(world: World) -> Self {
        let collector = Collector::open().await;
        let talkative = [
            ("LOG_LEVEL", "trace"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()),
            ("OTEL_TRACES_SAMPLER_ARG", "1"),
            ("OTEL_TRACES_PER_SECOND_MAX", "1000000"),
            // How long spans are gathered, in milliseconds.
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ];
        let receipts = [&talkative[..], &[("DLR_GRACE", "1s")]].concat();
        let charges = [&talkative[..], &[("JWT_SUBJECT_KEY", SUBJECT_KEY)]].concat();
        let dlr = world.service(&receipts).await.expect("a service");
        let billing = world.billing(&charges).await.expect("a service");
        Self {
            rest: world.rest(&billing).await.expect("reached"),
            issuer: Issuer::of(&world),
            database: world.admin().await.expect("postgres"),
            connector: world.jetstream("smpp-connector").await.expect("nats"),
            announcer: world.jetstream("dlr-processor").await.expect("nats"),
            identity: world.jetstream("identity").await.expect("nats"),
            answers: Mutex::default(),
            published: Mutex::default(),
            collector,
            dlr,
            billing,
            world,
        }
    }

    /// Calls, and keeps what is answered under `name`; an echo of `x-request-id` is the caller's own.
    pub(crate) async fn call(
        &self,
        name: &str,
        caller: &RestClient,
        (method, path): (Method, &str),
        body: Option<(&str, Bytes)>,
    ) -> Answer {
        // Who refuses a request may close the connection before all of it is read.
        let caller = caller.clone().saying("connection", "close");
        let answer = eventually("an answer", async || {
            let sent = caller.send(method.clone(), path, body.clone());
            sent.await.ok()
        })
        .await;
        let mut text = format!("{}\n", answer.status);
        for (header, value) in &answer.headers {
            if header != "x-request-id" {
                let _ = writeln!(text, "{header}: {value:?}");
            }
        }
        text.push_str(&answer.text);
        self.keep(Sink::new(format!("the answer to {name}"), text));
        answer
    }

    /// The same with a body of JSON.
    pub(crate) async fn put_json(
        &self,
        name: &str,
        caller: &RestClient,
        to: (Method, &str),
        body: &Value,
    ) -> Answer {
        let body = Some(("application/json", Bytes::from(body.to_string())));
        self.call(name, caller, to, body).await
    }

    /// Keeps what somebody was answered.
    pub(crate) fn keep(&self, answer: Sink) {
        self.answers.lock().expect("not poisoned").push(answer);
    }

    /// Everything that was answered.
    pub(crate) fn answers(&self) -> Vec<Sink> {
        self.answers.lock().expect("not poisoned").clone()
    }

    /// What this test itself published where services publish.
    pub(crate) fn published(&self) -> BTreeSet<OfATest> {
        self.published.lock().expect("not poisoned").clone()
    }

    /// A receipt arrives.
    pub(crate) async fn receive(&self, headers: HeaderMap, payload: Bytes) {
        let subject = "sms.dlr.inbound";
        let sent = (self.connector).publish_with_headers(subject, headers, payload);
        sent.await.expect("sent").await.expect("stored");
    }

    /// A settled message is announced.
    pub(crate) async fn announce(&self, headers: HeaderMap, payload: Bytes) {
        let subject = "billing.events";
        let sent = (self.announcer).publish_with_headers(subject, headers, payload);
        let place = sent.await.expect("sent").await.expect("stored").sequence;
        let mut published = self.published.lock().expect("not poisoned");
        published.insert(("BILLING_EVENTS", place));
    }

    /// Identity says that a tenant is to be forgotten.
    pub(crate) async fn erase(&self, headers: HeaderMap, payload: Bytes) {
        let subject = "tenant.erased";
        let sent = (self.identity).publish_with_headers(subject, headers, payload);
        let place = sent.await.expect("sent").await.expect("stored").sequence;
        let mut published = self.published.lock().expect("not poisoned");
        published.insert(("TENANT_EVENTS", place));
    }

    /// Waits until a span of this trace is exported, and with it what its process did before.
    pub(crate) async fn exported(&self, trace: &Trace) {
        eventually("the trace is exported", async || {
            self.collector.has(trace.0.as_bytes()).then_some(())
        })
        .await;
    }

    /// The orchestrator writes messages down.
    pub(crate) async fn enqueue(&self, rows: &[OrchestratorRow]) {
        let written = orchestrator::enqueue(&self.database, rows).await;
        written.expect("the orchestrator may");
    }
}
