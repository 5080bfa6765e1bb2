//! Benches.
pub mod append;
