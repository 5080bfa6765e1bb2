//! Accounts: what cannot be one, and whose it is.

mod attacks;
mod refused;
