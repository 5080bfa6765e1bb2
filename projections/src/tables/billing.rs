//! What was charged, at which prices, and what it adds up to: the tables of the schema `billing`.
//!
//! Each projection stands beside the questions that are asked of its table.

pub mod access_log;
pub mod accounts;
mod ask_all;
pub mod charges;
pub mod held_charges;
pub mod operator_costs;
pub mod pricing_tables;
pub mod usage;
pub mod usage_summaries;
mod versions;

pub use ask_all::ask_all;

/// A piece of a list, in the order in which its rows were recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The position of the last row of the piece before; `None` for the first piece.
    pub after: Option<i64>,
    /// The most rows.
    pub limit: i64,
}

impl Page {
    /// All there is, for lists that are known to be short.
    pub const WHOLE: Self = Self {
        after: None,
        limit: i64::MAX,
    };
}
