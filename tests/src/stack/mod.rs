//! The embedded stack: real servers for the demo, the tests, the benches and `./dev up`.
//!
//! Every server has its own run folder, its own free port on 127.0.0.1 and a leash (see
//! [`leash`]): when this process ends, by whatever cause, the server stops and its folder goes.
//! Nothing here needs to be cleaned up by hand, and any number of stacks run side by side.
//!
//! The binaries are unpacked by `./dev` (see [`servers`]). This module must never use a server it
//! did not start itself, and never touch a file outside its run folder.

mod account;
pub mod certs;
#[cfg(test)]
mod checks;
mod error;
mod folder;
pub mod leash;
pub mod nats;
mod nats_accounts;
mod nats_leaf;
pub mod nats_rights;
mod port;
pub mod postgres;
mod probe;
pub mod s3;
pub mod servers;
pub mod vault;
pub mod vault_agent;
mod vault_api;
mod wire;

pub use error::{Error, Result};
pub use leash::Leash;
pub use nats::{ClientFiles, Nats, NatsOptions};
pub use nats_leaf::Leaf;
pub use postgres::{PgOptions, PgVersion, Postgres};
pub use s3::S3;
pub use vault::Vault;
pub use vault_agent::{Agent, Template};
pub use vault_api::PkiRole;
pub use wire::Wire;
