//! What callers may ask of billing, by capability.
//!
//! One endpoint per file: what it takes and gives, what it does, what it refuses. Questions go to
//! the projections ([`state::AppState::reader`]), commands to the actors; nothing is
//! decided here. A write is answered once the next question will see it ([`visible`]).

mod access;
mod accounts;
mod adjustments;
mod charges;
mod context;
mod cursor;
mod etag;
mod fault;
mod fields;
mod operator_statements;
mod prices;
mod sealed;
pub mod state;
mod tags;
mod visible;

use std::sync::Arc;

use axum::Router;
use serde_json::Value;

use crate::http::{edge::Edge, endpoint::Endpoint, openapi, router};
use state::AppState;

/// All endpoints, behind `edge`.
pub fn router(shared: AppState, edge: &Arc<Edge>) -> Router {
    router::router(endpoints(), shared, edge)
}

/// The `OpenAPI` document of all endpoints.
#[must_use]
pub fn document() -> Value {
    openapi::document::document(endpoints().iter().map(Endpoint::operation))
}

fn endpoints() -> Vec<Endpoint<AppState>> {
    let all = [
        charges::endpoints(),
        prices::endpoints(),
        accounts::endpoints(),
        adjustments::endpoints(),
        operator_statements::endpoints(),
    ];
    all.into_iter().flatten().map(tags::tagged).collect()
}

#[cfg(test)]
mod tests;
