//! Adjustments: what an account pays more or less than it was charged, proposed by one person and
//! approved by another.

pub mod commands;
pub mod decide;
