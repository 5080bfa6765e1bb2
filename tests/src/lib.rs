//! Knows everyone, is known by nobody: the embedded servers and everything that proves the rest.

pub mod auditor;
pub mod bench;
pub mod demo;
pub mod drive;
pub mod money;
pub mod orchestrator;
pub mod stack;
pub mod traffic;
pub mod up;
pub mod world;
