//! What carries projections along the log, whatever they show.
//!
//! A [`projector`] takes the next stretch of the log, lets its projection apply it and moves the
//! checkpoint, in one transaction; [`pace`] says when. [`publishing`] is what projections whose
//! effect is messages share. Nothing in here knows what is shown.

mod gauges;
pub mod metrics;
mod pace;
mod projection;
mod projector;
pub(crate) mod projectors;
pub mod publishing;
mod table;

pub use self::{
    projection::{ApplyError, Batch, Effect, Projection, Unusable},
    table::Table,
};
