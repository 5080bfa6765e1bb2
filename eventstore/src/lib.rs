//! What is kept: the append-only event log, its checkpoints, the keyring and the seal.
//!
//! This is the only crate that writes events. Its promises L1 to L7 stand in words at
//! [`EventStore`]; [`contract`] holds every implementation to them.

pub mod clock;
pub mod contract;
pub mod feed;
pub mod files;
pub mod guard;
pub mod keyring;
pub mod log;
pub mod memory;
pub mod migrate;
pub mod postgres;
pub mod rights;
mod rounds;
pub mod seal;
mod secret;
mod told;

pub use feed::Feed;
pub use log::{
    Append, EventData, EventStore, Guard, LogId, Outcome, RecordedEvent, StoreError, Stretch,
    Together, UnreadableRow,
};
pub use secret::Secret;
