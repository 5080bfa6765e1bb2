//! What settled messages cost, on real servers (CONTRACTS 5 and 7): whatever comes in whatever
//! order, however often, and whoever dies meanwhile.
//!
//! [`fixture`] has the words; [`lists`] draws price lists and settlements from a seed. Every test
//! ends with the auditor, who recomputes each charge at its place in the log.

mod contradictions;
mod costs;
mod explained;
pub(crate) mod fixture;
mod flood;
mod held;
mod hostile;
mod listed;
pub(crate) mod lists;
mod margins;
mod superseded;
mod times;
mod whatever_happens;
