//! Who asks billing for something.

use schema::Pseudonym;
use uuid::Uuid;

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Their name as it stands in the log; nobody else has it.
    pub principal: String,
    /// The tenant they belong to.
    pub tenant: Pseudonym,
    /// The request; the same again is a repeat.
    pub request: Uuid,
    /// The `traceparent` it came with.
    pub trace: Option<String>,
}
