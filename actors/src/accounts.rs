//! Accounts: whose one is, and what it pays by.

pub mod commands;
pub mod decide;
