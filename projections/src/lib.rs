//! What shows: tables and published subjects, built from the log and from nothing else.
//!
//! A [`Projection`] turns a batch of events into an [`Effect`]; the [`runtime`] lets the effect
//! happen and advances the projection's checkpoint in one transaction. What is shown stands by
//! capability, each table beside the queries that are asked of it, each publisher beside the
//! tables. Queries are asked through a [`Reader`], for one tenant or for all ([`Scope`]). A
//! projection may be dropped and built again at any time: the log is the truth. Nothing here
//! decides anything, and nothing here writes events.

pub mod access;
pub mod accounts;
pub mod adjustments;
pub mod charges;
pub mod erasure;
#[cfg(test)]
mod fixture;
pub mod migrate;
pub mod operator_statements;
pub mod prices;
pub mod read;
pub mod receipts;
pub mod runtime;
pub mod services;

pub use read::{Page, ReadError, Reader, Scope};
pub use runtime::{
    ApplyError, Batch, Effect, Projection, Table, Unusable,
    projectors::{Deps, Projectors, start},
};
