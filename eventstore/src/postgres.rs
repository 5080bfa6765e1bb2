//! The log in Postgres 15 to 18.
//!
//! The services keep no session state (no `SET`, no session advisory locks, no `LISTEN`), so that
//! PgBouncer in transaction mode may stand in between. Migrations do, and connect directly.

pub mod checkpoint;
pub mod database;
mod keyring;
mod rows;
mod store;

pub use database::{Database, DatabaseOptions};
pub use keyring::{MissingMasterKey, PgKeyring, TellLocked};
pub use store::PgStore;
