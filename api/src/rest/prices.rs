//! Prices and costs: versions that are opened, replaced and closed.

mod operator_costs;
mod pricing;
mod versions;

use super::state::AppState;
use crate::http::endpoint::Endpoint;

/// All of them.
pub(super) fn endpoints() -> Vec<Endpoint<AppState>> {
    vec![
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
    ]
}
