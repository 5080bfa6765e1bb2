//! What may become of a price or a cost: both are versions over time.

pub mod cost;
pub mod price;
pub mod timeline;
