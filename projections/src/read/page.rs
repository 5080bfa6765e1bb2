//! A piece of a list.

use schema::Position;

/// A piece of a list, in the order in which its rows were recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The position of the last row of the piece before; `None` for the first piece.
    pub after: Option<Position>,
    /// The most rows.
    pub limit: i64,
}

impl Page {
    /// At most one row: enough to know that the list can be read.
    pub(crate) const ONE: Self = Self {
        after: None,
        limit: 1,
    };
    /// All there is, for lists that are known to be short.
    pub const WHOLE: Self = Self {
        after: None,
        limit: i64::MAX,
    };
}
