//! Every endpoint on its path, with what stands around it.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderValue, header::CONTENT_TYPE},
    middleware,
    response::Response,
    routing::{MethodRouter, get},
};
use bytes::Bytes;

use super::{
    edge::Edge,
    endpoint::Endpoint,
    guard::{Guard, guarded},
    observe::observe,
    openapi::document::document,
    problem::{Code, Problem},
};

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

async fn openapi(State(document): State<Bytes>) -> Response {
    let mut response = Response::new(Body::from(document));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
