//! What settled messages cost, on real servers (CONTRACTS 5 and 7): whatever comes in whatever
//! order, however often, and whoever dies meanwhile.
//!
//! [`market`] has the words; [`lists`] draws price lists and settlements from a seed. Every test
//! ends with the auditor, who recomputes each charge at its place in the log.

mod contradictions;
mod flood;
mod held;
mod hostile;
pub(crate) mod lists;
pub(crate) mod market;
mod superseded;
mod whatever_happens;
