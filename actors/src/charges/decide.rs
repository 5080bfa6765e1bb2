//! What follows from a settlement: what it costs, and what it is to the charge of its message.

pub mod assessment;
pub mod charge;
pub mod rating;
