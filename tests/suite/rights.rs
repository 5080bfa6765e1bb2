//! Who may what in Postgres (CONTRACTS 6). What is declared (`eventstore/rights/`,
//! `projections/rights/`) is tried, and so is everything that is not.

mod declared;
mod document;
mod matrix;
mod timeouts;

use std::collections::BTreeSet;

use eventstore::rights::Right;

/// All that is declared, for the orchestrator's schema too.
fn declared() -> BTreeSet<Right> {
    let mut all = eventstore::rights::eventlog();
    all.extend(eventstore::rights::guard());
    all.extend(projections::migrate::rights::dlr());
    all.extend(projections::migrate::rights::billing());
    all.extend(projections::migrate::rights::orch());
    all
}
