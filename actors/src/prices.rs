//! Prices and costs: versions over time.

pub mod commands;
pub mod decide;
