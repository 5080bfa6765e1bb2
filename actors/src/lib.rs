//! What decides: actors around pure deciders, one folder per capability.
//!
//! A *decider* ([`runtime::decider`]) is a pure function from a stream's state and a command to a
//! decision. Everything that carries decisions out, whatever they are about, is the [`runtime`].
//! What is decided stands by capability, each with its rules in `decide`. The [`services`] put
//! capabilities together into what a process runs.

pub mod access;
pub mod accounts;
pub mod adjustments;
pub mod charges;
pub mod erasure;
#[cfg(test)]
mod fixture;
pub mod operator_statements;
pub mod prices;
pub mod receipts;
pub mod runtime;
pub mod services;
