//! One request from its first line to its log line: id, who calls, trace, panic, problem body,
//! access log, metrics.
//!
//! Whoever calls too often is turned away before any of that costs something: such a call is
//! counted and leaves neither a line of its own nor a trace. A caller's decision to keep a trace is
//! followed only where we know the caller; anybody could make us export otherwise.
//!
//! The access line tells the route and not the path, and neither query, header values nor
//! bodies, because any of them may hold what must not be logged.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use tracing::Instrument;

use super::{
    caller::CallerRef,
    edge::{Edge, Visitor},
    metrics::{Answered, NO_ROUTE},
    problem::{Code, Problem},
    request_id::{self, RequestId},
};
use crate::{identity::peer::Peer, telemetry::traceparent};

/// Goes around every route, and around what happens where there is none.
pub(super) async fn observe(
    State(edge): State<Arc<Edge>>,
    request: Request,
    next: Next,
) -> Response {
    let call = Call {
        begun: Instant::now(),
        method: known(request.method()),
        route: request.extensions().get::<MatchedPath>().cloned(),
    };
    let _in_flight = edge.metrics.begin();
    let (response, problem) = answered(&edge, &call, request, next).await;
    edge.metrics.answered(&Answered {
        route: call.route(),
        method: call.method,
        status: response.status(),
        problem,
        took: call.begun.elapsed(),
    });
    response
}

/// What is known of a call before anything is done for it.
struct Call {
    begun: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
}

impl Call {
    /// The route as it is declared.
    fn route(&self) -> &str {
        self.route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str)
    }
}

/// The answer to a call as it leaves, and the problem if it is one.
async fn answered(
    edge: &Edge,
    call: &Call,
    mut request: Request,
    next: Next,
) -> (Response, Option<Code>) {
    let id = RequestId::of(request.headers());
    let peer = request.extensions().get::<Peer>();
    let visitor = match edge.visitor(peer, request.headers()).await {
        Ok(visitor) => visitor,
        Err(too_many) => return signed(too_many.into_response(), &id),
    };
    let (method, route) = (call.method, call.route());
    let span = tracing::info_span!(
        "http.request",
        method,
        route,
        request_id = %id.own(),
        status = tracing::field::Empty,
    );
    let header = request.headers().get("traceparent");
    if let (Visitor::Known(_), Some(Ok(header))) = (&visitor, header.map(HeaderValue::to_str)) {
        traceparent::adopt(&span, header);
    }
    let caller = match &visitor {
        Visitor::Known(caller) => Some(caller.clone()),
        Visitor::Stranger(_) => None,
    };
    request.extensions_mut().insert(visitor);
    request.extensions_mut().insert(id.clone());

    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    // The panic hook has told its place, and nobody is told its message.
    let response = match answer.instrument(span.clone()).await {
        Ok(response) => response,
        Err(_) => Problem::new(Code::Internal).into_response(),
    };
    let (response, problem) = signed(response, &id);
    span.record("status", response.status().as_u16());
    span.in_scope(|| {
        log(&Line {
            method,
            route,
            status: response.status(),
            problem,
            id: &id,
            caller: caller.as_ref(),
            begun: call.begun,
        });
    });
    (response, problem)
}

/// An answer as it leaves, with the request's id in head and body, and its problem if it is one.
fn signed(mut response: Response, id: &RequestId) -> (Response, Option<Code>) {
    let problem = problem_of(&mut response, id);
    let headers = response.headers_mut();
    headers.insert(request_id::HEADER, id.answered());
    (response, problem)
}

/// Writes the body of a problem. An error that a library answered becomes a problem of ours.
fn problem_of(response: &mut Response, id: &RequestId) -> Option<Code> {
    let mut problem = response.extensions_mut().remove::<Problem>();
    let status = response.status();
    if problem.is_none() && (status.is_client_error() || status.is_server_error()) {
        let stranger = Problem::new(Code::Internal);
        tracing::error!(event = "http.foreign_error", status = status.as_u16());
        *response = stranger.clone().into_response();
        problem = Some(stranger);
    }
    let problem = problem?;
    *response.body_mut() = Body::from(problem.document(id.own()));
    Some(problem.code())
}

/// What the access line tells.
struct Line<'a> {
    method: &'static str,
    route: &'a str,
    status: StatusCode,
    problem: Option<Code>,
    id: &'a RequestId,
    caller: Option<&'a CallerRef>,
    begun: Instant,
}

fn log(line: &Line<'_>) {
    let caller = line.caller.map(|caller| caller.0.as_ref());
    let duration_ms = u64::try_from(line.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        event = "http.request",
        method = line.method,
        route = line.route,
        status = line.status.as_u16(),
        problem = line.problem.map(Code::as_str),
        duration_ms,
        request_id = %line.id.own(),
        caller = caller.map(|caller| caller.principal.kind.as_str()),
        subject = caller.map(|caller| caller.principal.subject.as_str()),
        account_id = caller
            .and_then(|caller| caller.account)
            .map(tracing::field::display),
    );
}

/// Only names that we know: a method is a text of the caller's like any other.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        _ => "OTHER",
    }
}
