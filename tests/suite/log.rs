//! The event log's promises L1 to L7, each by its number, on real Postgres.

mod contract;
mod dense;
mod durable;
mod grants;
mod guarded;
mod immutable;
mod races;
mod refused;
mod snapshot;
pub(crate) mod unreadable;
