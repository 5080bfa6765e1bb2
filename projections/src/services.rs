//! What a process shows: capabilities, put together.

pub mod billing;
pub mod dlr;
