//! What the endpoints share.

use std::sync::Arc;

use actors::services::billing::Commands;
use eventstore::{EventStore, keyring::Keyring};
use projections::{Reader, operator_statements::comparison::Comparisons};
use tokio::sync::Semaphore;

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
    /// Where carriers' statements are compared.
    pub statements: Statements,
}

/// How many statements a process compares at a time. Each is a few megabytes of memory and some
/// statements after each other, which others ask beside.
const STATEMENTS_AT_ONCE: usize = 2;

/// Where carriers' statements are compared, a few at a time.
#[derive(Clone)]
pub struct Statements {
    /// Where.
    pub comparisons: Comparisons,
    /// A place for each at a time.
    pub places: Arc<Semaphore>,
}

impl Statements {
    /// With all places free.
    #[must_use]
    pub fn new(comparisons: Comparisons) -> Self {
        Self {
            comparisons,
            places: Arc::new(Semaphore::new(STATEMENTS_AT_ONCE)),
        }
    }
}
