//! What shows the log, by the service that keeps it going: whoever waits for rest waits for these.

use projections::{
    Table as _,
    access::access_log::AccessLog,
    accounts::accounts::Accounts,
    charges::{
        billing_events::Charges, held_charges::HeldCharges, usage_summaries::UsageSummaries,
    },
    prices::versions::VersionTable as _,
    receipts::{
        delivery_receipts::DeliveryReceipts,
        orphaned_receipts::OrphanedReceipts,
        publishers::{
            billing_events::BillingEvents, unmatched::Unmatched,
            webhook_dispatch::WebhookDispatches,
        },
        sms_messages::SmsMessages,
    },
};
use schema::versioned::{Cost, Price};

/// The projections that `tollbook dlr` keeps.
pub const PROJECTIONS: [&str; 6] = [
    DeliveryReceipts::NAME,
    OrphanedReceipts::NAME,
    SmsMessages::NAME,
    BillingEvents::NAME,
    WebhookDispatches::NAME,
    Unmatched::NAME,
];
/// The projections that `tollbook billing` keeps.
pub const BILLING_PROJECTIONS: [&str; 7] = [
    Charges::NAME,
    UsageSummaries::NAME,
    Price::PROJECTION,
    Cost::PROJECTION,
    Accounts::NAME,
    HeldCharges::NAME,
    AccessLog::NAME,
];
