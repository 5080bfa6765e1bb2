//! The names under which the log keeps what a service recorded by itself.

/// Of the receipt processor.
pub const DLR: &str = "dlr-processor";
/// Of billing.
pub const BILLING: &str = "billing-service";
