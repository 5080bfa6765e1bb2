//! The REST API of a running `tollbook billing`: who may what, what is refused and how, whom it
//! believes, and what holds while servers and clients misbehave.
//!
//! [`fixture`] keeps the world that most of these tests share; each of them uses tenants, operators
//! and callers of its own.

mod altered;
mod bodies;
mod clients;
mod endpoints;
pub(crate) mod fixture;
mod guide;
mod hostile;
mod identity;
mod limits;
mod matrix;
mod metrics;
mod nodes;
mod outage;
pub(crate) mod raw;
mod schemathesis;
mod slow;
mod tls;
pub(crate) mod tokens;
