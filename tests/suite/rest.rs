//! The REST API of a running `tollbook billing`: who may what, what is refused and how, whom it
//! believes, and what holds while servers and clients misbehave.
//!
//! [`desk`] keeps the world that most of these tests share; each of them uses tenants, operators
//! and callers of its own.

mod accounts;
mod altered;
mod bodies;
pub(crate) mod desk;
mod endpoints;
mod guide;
mod hostile;
mod identity;
mod limits;
mod looks;
mod nodes;
mod outage;
mod prices;
pub(crate) mod raw;
mod schemathesis;
mod slow;
mod tls;
pub(crate) mod tokens;
mod versions;
