//! What callers may ask of billing: usage, prices, costs, accounts, what waits for a price.
//!
//! One endpoint per file: what it takes and gives, what it does, what it refuses. Questions go to
//! the projections ([`state::Shared::reader`]), wishes to the desk of the actors; nothing is
//! decided here. A write is answered once the next question will see it ([`visible`]).

mod accounts;
mod cursor;
mod errand;
mod fault;
mod fields;
mod held_charges;
mod look;
mod operator_costs;
mod pricing;
pub mod state;
mod usage;
mod versions;
mod visible;

use std::sync::Arc;

use axum::Router;
use serde_json::Value;

use crate::http::{edge::Edge, endpoint::Endpoint, openapi, router};
use state::Shared;

/// All endpoints, behind `edge`.
pub fn router(shared: Shared, edge: &Arc<Edge>) -> Router {
    router::router(endpoints(), shared, edge)
}

/// The `OpenAPI` document of all endpoints.
#[must_use]
pub fn document() -> Value {
    openapi::document::document(endpoints().iter().map(Endpoint::operation))
}

fn endpoints() -> Vec<Endpoint<Shared>> {
    vec![
        usage::endpoint(),
        accounts::show::endpoint(),
        accounts::put::endpoint(),
        pricing::list::endpoint(),
        pricing::open::endpoint(),
        pricing::show::endpoint(),
        pricing::replace::endpoint(),
        pricing::close::endpoint(),
        operator_costs::list::endpoint(),
        operator_costs::open::endpoint(),
        operator_costs::show::endpoint(),
        operator_costs::replace::endpoint(),
        operator_costs::close::endpoint(),
        held_charges::endpoint(),
    ]
}

#[cfg(test)]
mod tests;
