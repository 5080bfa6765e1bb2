//! What may be said in Tollbook: ids, time, status, events and the messages on the wire.
//!
//! Everything here is plain data with its rules: no I/O, no clock, no randomness, no async.
//! Whatever crosses a process boundary (an event in the log, a message on NATS) has its type in
//! this crate, its JSON Schema in `schema/json/` and, for events, a sample of every version that
//! was ever stored in `schema/golden/`.

pub mod document;
pub mod event;
pub mod id;
pub mod personal;
pub mod published;
pub mod receipt;
pub mod status;
pub mod strict_json;
pub mod time;

pub use event::{Event, Sealed, SealedValue};
pub use id::{
    AccountId, Category, EventId, MessageId, OperatorId, OperatorMessageId, Pseudonym, StreamId,
    TenantId,
};
pub use personal::Personal;
pub use receipt::{Invalid, ReceiptFacts, ReceiptPrivate, ReceivedReceipt};
pub use status::Status;
pub use time::Timestamp;
