//! Charges: what was used, what each message was charged, what waits for a price, what was settled
//! twice.

mod charge;
mod charge_conflicts;
mod explanation;
mod export;
mod held_charges;
mod list;
mod margins;
mod show;
mod usage;

use super::{access::whose as access, state::AppState};
use crate::http::endpoint::Endpoint;

/// All of them.
pub(super) fn endpoints() -> Vec<Endpoint<AppState>> {
    vec![
        usage::endpoint(),
        list::endpoint(),
        show::endpoint(),
        explanation::endpoint(),
        held_charges::endpoint(),
        charge_conflicts::endpoint(),
        margins::endpoint(),
    ]
}
