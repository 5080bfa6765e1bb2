//! What may be said in Tollbook: ids, time, status, events and the messages on the wire.
//!
//! Everything here is plain data with its rules: no I/O, no clock, no randomness, no async.
//! Whatever crosses a process boundary (an event in the log, a message on NATS) has its type in
//! this crate, its JSON Schema in `schema/json/` and, for events, a sample of every version that
//! was ever stored in `schema/golden/`.

pub mod account;
pub mod address;
pub mod adjustment;
pub mod conformance;
pub mod day;
pub mod document;
pub mod erasure;
pub mod event;
pub mod id;
pub mod inbound;
pub mod money;
pub mod personal;
pub mod position;
pub mod pricing;
pub mod published;
pub mod receipt;
pub mod settlement;
pub mod status;
pub mod strict_json;
pub mod time;
pub mod versioned;

pub use account::{CountryCode, InvoiceLanguage, PaymentDays, TaxCategory, TaxRate};
pub use address::PostalAddress;
pub use adjustment::AdjustmentAmount;
pub use day::Day;
pub use erasure::ReceivedErasure;
pub use event::{Event, EventType, Sealed, SealedValue};
pub use id::{
    AccountId, AdjustmentId, Category, EventId, ExchangeRateId, MessageId, OperatorCostId,
    OperatorId, OperatorMessageId, PricingTableId, Pseudonym, SheetId, SourceEventId, StatementId,
    StreamId, TenantId,
};
pub use inbound::{Invalid, Reason};
pub use money::{Amount, Currency, Rate, UnitPrice};
pub use personal::Personal;
pub use position::{Position, StreamVersion};
pub use pricing::{
    AccountTier, CostKey, Direction, ExchangeRateKey, Period, PriceKey, PricingModel,
};
pub use receipt::{ReceiptFacts, ReceiptPrivate, ReceivedReceipt};
pub use settlement::{ReceivedSettlement, Settlement};
pub use status::Status;
pub use time::Timestamp;
pub use versioned::Versioned;
