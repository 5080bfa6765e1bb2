//! Erasure: that a tenant is to be forgotten, and that it is.

pub mod completion;
pub mod decide;
pub mod intake;
pub mod metrics;
