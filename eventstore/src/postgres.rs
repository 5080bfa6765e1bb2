//! The log in Postgres 15 to 18.
//!
//! The services keep no session state (no `SET`, no session advisory locks, no `LISTEN`), so that
//! PgBouncer in transaction mode may stand in between. Migrations do, and connect directly.

pub mod checkpoint;
mod connector;
mod database;
mod erasure;
mod faults;
mod keyring;
mod renewal;
mod rows;
mod statement;
mod store;

pub use connector::{DatabaseOptions, DatabaseOptionsError};
pub use database::Database;
pub use erasure::{Erased, Eraser};
pub use faults::is_stale_plan;
pub use keyring::{
    Expired, MissingMasterKey, PgKeyring, RewrapError, Rewrapped, TellLocked, expire_keys_of_days,
};
pub use statement::{Parameters, Statement, register_statement_metrics};
pub use store::PgStore;
