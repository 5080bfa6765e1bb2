//! Carriers' statements: that one was compared with what is recorded, and what that showed.

pub mod commands;
pub mod decide;
