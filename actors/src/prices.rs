//! Prices and costs: versions over time.

pub mod decide;
