//! `sms.dlr.unmatched`: once per orphan.

use std::sync::Arc;

use async_trait::async_trait;
use eventstore::RecordedEvent;
use schema::{
    Event, EventType,
    published::{SCHEMA_VERSION, SMS_DLR_UNMATCHED, UnmatchedReceipt},
};

use crate::{
    ApplyError, Batch, Effect, Projection,
    runtime::publishing::{Announcement, Outbox},
};

/// Tells reconciliation about receipts that matched no message.
pub struct Unmatched {
    outbox: Arc<Outbox>,
}

impl Unmatched {
    /// A publisher through `client`.
    #[must_use]
    pub fn new(client: async_nats::Client) -> Self {
        Self {
            outbox: Arc::new(Outbox::new(client, SMS_DLR_UNMATCHED)),
        }
    }
}

impl Unmatched {
    /// Of its checkpoint; in logs and metrics. The subject it publishes on, so it never changes.
    pub const NAME: &str = SMS_DLR_UNMATCHED;
}

#[async_trait]
impl Projection for Unmatched {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn reads(&self) -> &'static [EventType] {
        &[EventType::ReceiptOrphaned]
    }

    fn publishes(&self) -> bool {
        true
    }

    async fn prepare(&self, batch: &Batch) -> Result<Box<dyn Effect>, ApplyError> {
        let announcements = batch
            .iter()
            .filter_map(|event| announce(event))
            .collect::<Result<_, _>>()?;
        crate::runtime::publishing::publishing(&self.outbox, announcements)
    }
}

/// The message about an orphan; `None` about anything else.
fn announce(event: &RecordedEvent) -> Option<Result<Announcement, ApplyError>> {
    let Event::ReceiptOrphaned(orphaned) = &event.data.event else {
        return None;
    };
    let receipt = &orphaned.receipt;
    let message = UnmatchedReceipt {
        schema_version: SCHEMA_VERSION.to_owned(),
        event_id: event.data.id.announced_on(SMS_DLR_UNMATCHED),
        orphan_id: event.data.id.0,
        operator_id: receipt.operator_id,
        operator_message_id: receipt.operator_message_id.clone(),
        stat: receipt.raw_stat.clone(),
        dlr_status: receipt.dlr_status,
        delivered_at: receipt.delivered_at,
        received_at: receipt.received_at,
    };
    Some(Announcement::of(event, message.event_id, None, &message))
}

#[cfg(test)]
mod tests {
    use schema::Status;

    use super::*;
    use crate::fixture;

    #[test]
    fn an_orphan_is_announced_and_its_resolution_is_not() {
        let event = fixture::recorded((&"ReceiptOrphaned", 4));
        let made = announce(&event).expect("announced").expect("small enough");
        let told: UnmatchedReceipt = serde_json::from_slice(&made.payload).expect("reads back");
        assert_eq!(
            told.event_id,
            event.data.id.announced_on("sms.dlr.unmatched")
        );
        assert_eq!(
            (told.orphan_id, told.stat.as_str()),
            (event.data.id.0, "UNDELIV")
        );
        assert_eq!(told.dlr_status, Status::Undelivered);
        assert!(announce(&fixture::recorded((&"OrphanMatched", 5))).is_none());
    }
}
