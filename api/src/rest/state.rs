//! What the endpoints share.

use std::sync::Arc;

use actors::services::billing::Commands;
use eventstore::{EventStore, keyring::Keyring};
use projections::Reader;

use crate::http::exports::Exports;

/// Cheap to clone; each request has one.
#[derive(Clone)]
pub struct AppState {
    /// Where questions are asked: its connections are nobody else's, so that many or long ones
    /// hold up no write.
    pub questions: Reader,
    /// Where a write looks, before and after: beside appends and projections.
    pub reader: Reader,
    /// Where commands are brought.
    pub commands: Commands,
    /// The keys that billing names and addresses open with.
    pub keyring: Arc<dyn Keyring>,
    /// Where the history of a thing is read.
    pub store: Arc<dyn EventStore>,
    /// How many tables are sent at a time.
    pub exports: Arc<Exports>,
}
