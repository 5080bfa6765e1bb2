//! What shows the log, by the service that keeps it going: whoever waits for rest waits for these.

use projections::{
    Table as _,
    receipts::{
        delivery_receipts::DeliveryReceipts,
        orphaned_receipts::OrphanedReceipts,
        publishers::{
            billing_events::BillingEvents, unmatched::Unmatched,
            webhook_dispatch::WebhookDispatches,
        },
        sms_messages::SmsMessages,
    },
    services::billing,
};

/// The projections that `tollbook dlr` keeps. They are made with a connection to NATS, so they
/// cannot be asked for their names as those of billing are.
pub const PROJECTIONS: [&str; 6] = [
    DeliveryReceipts::NAME,
    OrphanedReceipts::NAME,
    SmsMessages::NAME,
    BillingEvents::NAME,
    WebhookDispatches::NAME,
    Unmatched::NAME,
];

/// The projections that `tollbook billing` keeps.
#[must_use]
pub fn billing_projections() -> Vec<&'static str> {
    let all = billing::projections();
    all.iter().map(|projection| projection.name()).collect()
}
