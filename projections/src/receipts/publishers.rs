//! Who is told of receipts: billing, customers, and whoever looks after unmatched ones.

pub mod billing_events;
pub mod unmatched;
pub mod webhook_dispatch;
