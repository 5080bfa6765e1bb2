//! The edge of Tollbook: roles, configuration, telemetry, probes, lifecycle.
//!
//! Everything that touches the world outside of the log is put together here, and nothing is
//! decided here. The binary `tollbook` is this library and fewer than forty lines.

mod certificate;
pub mod cli;
pub mod config;
pub mod database;
pub mod dev;
pub mod health;
pub mod http;
pub mod identity;
pub mod keys;
pub mod lifecycle;
pub mod nats;
pub mod probes;
pub mod rest;
pub mod role;
pub mod service;
pub mod services;
pub mod settings;
pub mod shutdown;
pub mod start;
pub mod telemetry;
mod trust;
pub mod views;
