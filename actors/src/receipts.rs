//! Receipts: which message one belongs to, and what follows from it.
//!
//! The [`intake`] brings receipts in, [`correlate`] finds their messages, [`decide`] holds the
//! rules of messages and orphans, and [`reconciliation`] matches orphans later.

pub mod correlate;
pub mod decide;
pub mod intake;
pub mod metrics;
pub mod reconciliation;
