//! What attackers of the running product tried, mounted against real servers on every run.
//!
//! A file per target. Each test is named after the rule that holds against the attack and begins
//! with what the attacker has: a role, a user, a token, a connection.

mod administrators;
mod alarms;
mod callers;
mod crowds;
mod database;
mod gateway;
mod keys;
mod keyset;
mod log;
mod nats;
mod streams;
