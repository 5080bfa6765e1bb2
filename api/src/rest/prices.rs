//! Prices and costs: versions that are opened, replaced and closed.

mod operator_costs;
mod pricing;
mod versions;

use schema::versioned::{Cost, Price};

use super::state::AppState;
use crate::http::endpoint::Endpoint;

/// All of them.
pub(super) fn endpoints() -> Vec<Endpoint<AppState>> {
    let of_prices = versions::endpoints::<Price>();
    let of_costs = versions::endpoints::<Cost>();
    of_prices.into_iter().chain(of_costs).collect()
}
