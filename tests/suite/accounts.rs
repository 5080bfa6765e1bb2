//! Accounts: what cannot be one, whose it is, and what it is over time.

mod attacks;
mod import;
mod over_time;
mod refused;
mod versions;
