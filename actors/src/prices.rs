//! Prices and costs: versions over time, one by one and by sheets.

pub mod commands;
pub mod decide;
pub mod sheets;
