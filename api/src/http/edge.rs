//! What stands around every endpoint: who calls, how often, with which right, for how long.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header::CONTENT_TYPE},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use bytes::Bytes;

use super::{
    body::BodyLimits,
    endpoint::Endpoint,
    limits::RateLimits,
    observe::observe,
    openapi::{Operation, document::document},
    peer::Peer,
    problem::{Code, Problem},
};
use crate::identity::{CallerRef, Identity};

/// What all endpoints share.
#[derive(Debug)]
pub struct Edge {
    /// Tells who calls.
    pub identity: Identity,
    /// Counts the calls.
    pub limits: RateLimits,
    /// How much of a body is read.
    pub body: BodyLimits,
    /// The longest time until an answer.
    pub timeout: Duration,
}

/// Serves `endpoints` and, to everybody, the document that describes them.
pub fn router<S: Clone + Send + Sync + 'static>(
    endpoints: Vec<Endpoint<S>>,
    state: S,
    edge: &Arc<Edge>,
) -> Router {
    let described = document(endpoints.iter().map(|endpoint| &endpoint.operation));
    let described = Bytes::from(described.to_string());
    let mut paths = BTreeMap::<&str, MethodRouter<S>>::new();
    for Endpoint { operation, handler } in endpoints {
        let path = operation.path();
        let guard = Guard {
            edge: Arc::clone(edge),
            operation,
        };
        let handler = handler.layer(middleware::from_fn_with_state(Arc::new(guard), guarded));
        let others = paths.remove(path).unwrap_or_default();
        paths.insert(path, others.merge(handler));
    }
    let shown = Shown {
        edge: Arc::clone(edge),
        document: described,
    };
    let mut router = Router::new().route("/openapi.json", get(openapi).with_state(shown));
    for (path, methods) in paths {
        router = router.route(path, methods);
    }
    router
        .fallback(|| async { Problem::new(Code::NoSuchRoute) })
        .method_not_allowed_fallback(|| async { Problem::new(Code::MethodNotAllowed) })
        .with_state(state)
        .layer(middleware::from_fn(observe))
}

/// What stands before one endpoint.
struct Guard {
    edge: Arc<Edge>,
    operation: Operation,
}

impl Guard {
    async fn admit(&self, peer: Option<&Peer>, headers: &HeaderMap) -> Result<CallerRef, Problem> {
        // A request that came by no connection is a mistake of ours.
        let peer = peer.ok_or(Problem::new(Code::Internal))?;
        let caller = match self.edge.identity.of(peer, headers).await {
            Ok(caller) => caller,
            Err(problem) => {
                self.edge.limits.stranger(peer.address)?;
                return Err(problem);
            }
        };
        self.edge.limits.known(&caller.principal)?;
        match self.operation.right() {
            Some(right) if !caller.may(right) => {
                Err(Problem::new(Code::RightMissing).because(format!("needs {right}")))
            }
            Some(_) | None => Ok(CallerRef(Arc::new(caller))),
        }
    }

    /// An answer that the document does not promise is a mistake of ours; the caller gets it all
    /// the same, and we hear of it.
    fn check(&self, response: &Response) {
        let status = response.status();
        let problem = response.extensions().get::<Problem>().map(Problem::code);
        if !self.operation.promises(status, problem) {
            let (route, problem) = (self.operation.path(), problem.map(Code::as_str));
            let status = status.as_u16();
            tracing::error!(event = "http.undocumented_answer", route, status, problem);
        }
    }
}

async fn guarded(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>();
    let caller = match guard.admit(peer, request.headers()).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    request.extensions_mut().insert(caller.clone());
    request.extensions_mut().insert(guard.edge.body);
    let answer = tokio::time::timeout(guard.edge.timeout, next.run(request)).await;
    let mut response = answer.unwrap_or_else(|_| Problem::new(Code::TimedOut).into_response());
    guard.check(&response);
    response.extensions_mut().insert(caller);
    response
}

/// The document, and whom to count its readers with.
#[derive(Clone)]
struct Shown {
    edge: Arc<Edge>,
    document: Bytes,
}

async fn openapi(State(shown): State<Shown>, request: Request) -> Result<Response, Problem> {
    let peer = request.extensions().get::<Peer>();
    let peer = peer.ok_or(Problem::new(Code::Internal))?;
    shown.edge.limits.stranger(peer.address)?;
    let mut response = Response::new(Body::from(shown.document));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Ok(response)
}
