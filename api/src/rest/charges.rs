//! Charges: what was used, and what waits for a price.

mod held_charges;
mod usage;

use super::state::AppState;
use crate::http::endpoint::Endpoint;

/// All of them.
pub(super) fn endpoints() -> Vec<Endpoint<AppState>> {
    vec![usage::endpoint(), held_charges::endpoint()]
}
