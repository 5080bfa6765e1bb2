//! Access: who looked, or was refused to look, at whose data.

pub mod decide;
pub(crate) mod refusals;
