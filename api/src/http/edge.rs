//! What stands around every endpoint: with which right, for how long; and before every route, known
//! or not: who calls, and how often.

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
use schema::TenantId;

use super::{
    body::BodyLimits,
    endpoint::Endpoint,
    limits::RateLimits,
    observe::observe,
    openapi::{Operation, document::document},
    peer::Peer,
    problem::{Code, Problem},
    shares::{Part, Shares},
};
use crate::identity::{CallerRef, Identity};

/// What all endpoints share.
#[derive(Debug)]
pub struct Edge {
    /// Tells who calls.
    pub identity: Identity,
    /// Counts the calls.
    pub limits: RateLimits,
    /// How many questions each tenant may have under way; more wait for their own to be answered.
    pub questions: Shares<TenantId>,
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
    let mut router = Router::new().route("/openapi.json", get(openapi).with_state(described));
    for (path, methods) in paths {
        router = router.route(path, methods);
    }
    router
        .fallback(|| async { Problem::new(Code::NoSuchRoute) })
        .method_not_allowed_fallback(|| async { Problem::new(Code::MethodNotAllowed) })
        .with_state(state)
        .layer(middleware::from_fn_with_state(Arc::clone(edge), observe))
}

/// Who makes a call, once it is counted.
#[derive(Debug, Clone)]
pub(super) enum Visitor {
    /// Somebody we know.
    Known(CallerRef),
    /// Somebody we do not know, and what they hear where one must be known.
    Stranger(Problem),
}

impl Edge {
    /// Who makes a call. It is counted before anything is done for it or written about it.
    ///
    /// # Errors
    /// They have made too many.
    pub(super) async fn visitor(
        &self,
        peer: Option<&Peer>,
        headers: &HeaderMap,
    ) -> Result<Visitor, Problem> {
        let Some(peer) = peer else {
            // A request that came by no connection is a mistake of ours.
            return Ok(Visitor::Stranger(Problem::new(Code::Internal)));
        };
        match self.identity.of(peer, headers).await {
            Ok(caller) => {
                self.limits.known(&caller.principal)?;
                Ok(Visitor::Known(CallerRef(Arc::new(caller))))
            }
            Err(stranger) => {
                self.limits.stranger(peer.address)?;
                stranger.tell();
                Ok(Visitor::Stranger(stranger.problem))
            }
        }
    }
}

/// What stands before one endpoint.
struct Guard {
    edge: Arc<Edge>,
    operation: Operation,
}

impl Guard {
    fn admit(&self, visitor: Option<Visitor>) -> Result<CallerRef, Problem> {
        let caller = match visitor {
            Some(Visitor::Known(caller)) => caller,
            Some(Visitor::Stranger(problem)) => return Err(problem),
            // A route that nobody observes is a mistake of ours.
            None => return Err(Problem::new(Code::Internal)),
        };
        match self.operation.right() {
            Some(right) if !caller.may(right) => {
                Err(Problem::new(Code::RightMissing).because(format!("needs {right}")))
            }
            Some(_) | None => Ok(caller),
        }
    }

    /// A place for a question among those of the caller's tenant. Writes are few and need none.
    async fn place(&self, tenant: TenantId) -> Option<Part> {
        if !self.operation.is_question() {
            return None;
        }
        Some(self.edge.questions.wait(tenant).await)
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
    let visitor = request.extensions().get::<Visitor>().cloned();
    let caller = match guard.admit(visitor) {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    let tenant = caller.tenant();
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(guard.edge.body);
    let answer = async {
        let _place = guard.place(tenant).await;
        next.run(request).await
    };
    let answer = tokio::time::timeout(guard.edge.timeout, answer).await;
    let response = answer.unwrap_or_else(|_| Problem::new(Code::TimedOut).into_response());
    guard.check(&response);
    response
}

async fn openapi(State(document): State<Bytes>) -> Response {
    let mut response = Response::new(Body::from(document));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
