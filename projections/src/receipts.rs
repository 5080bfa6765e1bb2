//! Receipts: what came, what it means for its message, and who is told.

pub mod delivery_receipts;
pub mod orphaned_receipts;
pub mod publishers;
pub mod republish;
pub mod sms_messages;

use std::sync::Arc;

use eventstore::keyring::Keyring;

use self::publishers::{
    billing_events::BillingEvents, unmatched::Unmatched, webhook_dispatch::WebhookDispatches,
};
use crate::Projection;

/// All of them, those that publish through `client`.
pub(crate) fn projections(
    client: &async_nats::Client,
    keyring: &Arc<dyn Keyring>,
) -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(delivery_receipts::DeliveryReceipts),
        Arc::new(orphaned_receipts::OrphanedReceipts),
        Arc::new(sms_messages::SmsMessages),
        Arc::new(BillingEvents::new(client.clone(), Arc::clone(keyring))),
        Arc::new(WebhookDispatches::new(client.clone(), Arc::clone(keyring))),
        Arc::new(Unmatched::new(client.clone())),
    ]
}
