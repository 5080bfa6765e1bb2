//! Mistakes are told at the start, in one line that names the thing and what mends it.

mod configuration;
mod database;
mod streams;
mod waiting;
