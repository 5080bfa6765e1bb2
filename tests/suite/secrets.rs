//! Secrets that change while services run: used without a restart, and survived while they are of
//! no use.

mod collector;
mod database;
mod files;
mod rotation;
mod source;
