//! Everything that takes real servers to prove, each test named after its rule.
//!
//! `log` holds the event log to its promises L1 to L7, `isolation` is about tenants, `receipts`
//! about what comes in, `charges` about what it costs, `projections` about what is shown, `rest`
//! about the API, `start` about mistakes, `faults` about servers and processes that die, and `attacks`
//! mounts what attackers of the running product tried. `structure` reads our own sources.
//! `support` starts the servers.

mod attacks;
mod charges;
mod faults;
mod isolation;
mod log;
mod projections;
mod receipts;
mod rest;
mod start;
mod structure;
mod support;
