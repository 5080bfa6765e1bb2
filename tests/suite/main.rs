//! Everything that takes real servers to prove, each test named after its rule.
//!
//! A folder called like a capability says what that one promises, attacks on it included. Across
//! them: `log` holds the event log to its promises L1 to L7, `projections` is about what is shown,
//! `rights` about who may what in Postgres, `keys` about the keys of personal data, `isolation`
//! about tenants, `rest` about the edge, `nats` about who says and hears what there, `start` about
//! mistakes, `faults` about servers and processes that die, `attacks` about what attackers try on
//! all of it, and `privacy` about what nobody may see. `structure` and `statements` read our own
//! sources. What a folder's tests share is its `fixture`; what all share is the one here, `chain`
//! and `collector`.

mod access;
mod accounts;
mod adjustments;
mod attacks;
mod chain;
mod charges;
mod collector;
mod erasure;
mod faults;
mod fixture;
mod isolation;
mod keys;
mod log;
mod nats;
mod operator_statements;
mod prices;
mod privacy;
mod projections;
mod receipts;
mod rest;
mod rights;
mod secrets;
mod start;
mod statements;
mod structure;
