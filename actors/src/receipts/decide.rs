//! What follows from a receipt: for its message, or for an orphan.

pub mod message;
pub mod orphan;
