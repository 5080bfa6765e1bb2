//! Access: who looked, or was refused to look, at whose data.

pub mod commands;
pub mod decide;
mod refusals;
pub mod reveal;
