//! What a process runs: capabilities, put together.

pub mod billing;
pub mod dlr;
