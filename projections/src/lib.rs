//! What shows: tables and published subjects, built from the log and from nothing else.
//!
//! A [`Projection`] turns a batch of events into an [`Effect`]; the runner ([`start`]) lets the
//! effect happen and advances the projection's checkpoint in one transaction. Tables are in
//! [`tables`], subjects in [`publishers`]. A projection may be dropped and built again at any
//! time: the log is the truth. Nothing here decides anything, and nothing here writes events.

mod convoy;
mod gauges;
pub mod metrics;
pub mod migrate;
mod pace;
mod projection;
mod projector;
mod projectors;
pub mod publishers;
#[cfg(test)]
mod samples;
pub mod tables;

pub use projection::{ApplyError, Batch, Effect, Projection, Unusable};
pub use projectors::{Deps, Projectors, every, start};
