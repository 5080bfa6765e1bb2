//! What shows: tables and published subjects, built from the log and from nothing else.
//!
//! A [`Projection`] turns a batch of events into an [`Effect`]; the runner ([`start`]) lets the
//! effect happen and advances the projection's checkpoint in one transaction. Tables are in
//! [`tables`], subjects in [`publishers`]. A projection may be dropped and built again at any
//! time: the log is the truth. What the tables of billing show is asked through a [`Reader`], for
//! one tenant or for all ([`Scope`]). Nothing here decides anything, and nothing here writes
//! events.

mod gauges;
pub mod metrics;
pub mod migrate;
mod pace;
mod projection;
mod projector;
mod projectors;
pub mod publishers;
mod reader;
#[cfg(test)]
mod samples;
pub mod tables;
mod tenancy;

pub use projection::{ApplyError, Batch, Effect, Projection, Unusable};
pub use projectors::{Deps, Projectors, billing, dlr, start};
pub use reader::{ReadError, Reader};
pub use tenancy::Scope;
