//! The schemas of this crate's projections, for `eventstore::migrate`.
//!
//! Must never touch `eventlog` or `orch`.

use eventstore::migrate::Schema;

pub mod rights;

mod dlr {
    refinery::embed_migrations!("migrations/dlr");
}

mod billing {
    refinery::embed_migrations!("migrations/billing");
}

/// The schemas, in the order in which they are made.
#[must_use]
pub fn schemas() -> Vec<Schema> {
    vec![
        Schema {
            name: "dlr",
            migrations: dlr::migrations::runner(),
            rights: rights::dlr(),
        },
        Schema {
            name: "billing",
            migrations: billing::migrations::runner(),
            rights: rights::billing(),
        },
    ]
}
