//! Processes and servers that die: afterwards the auditor finds nothing, and the log is dense.
//!
//! Each test has a world of its own. Traffic is sent by [`load`], which insists; faults happen
//! while it is under way, at moments drawn from a seed.

mod billing;
pub(crate) mod fixture;
mod kills;
mod lost;
mod lost_tail;
mod master_key;
mod pulling;
mod silence;
mod stopping;
mod transport;
