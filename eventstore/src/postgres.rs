//! The log in Postgres 15 to 18.
//!
//! No session state anywhere (no `SET`, no session advisory locks, no `LISTEN`), so that
//! PgBouncer in transaction mode may stand in between.

pub mod checkpoint;
pub mod database;
mod keyring;
mod rows;
mod store;

pub use database::{Database, DatabaseOptions};
pub use keyring::PgKeyring;
pub use store::PgStore;
