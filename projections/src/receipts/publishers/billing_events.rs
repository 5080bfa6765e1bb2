//! `billing.events`: once per settled message.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use eventstore::{RecordedEvent, keyring::Keyring};
use schema::{
    Event, EventType, MessageId, Pseudonym, TenantId,
    published::{BILLING_EVENTS, BillingEvent, SCHEMA_VERSION},
};

use crate::{
    ApplyError, Batch, Effect, Projection, Unusable,
    runtime::publishing::{Announcement, Outbox},
};

/// Tells billing and whoever else listens what may be charged.
pub struct BillingEvents {
    outbox: Arc<Outbox>,
    keyring: Arc<dyn Keyring>,
}

impl BillingEvents {
    /// A publisher through `client`.
    #[must_use]
    pub fn new(client: async_nats::Client, keyring: Arc<dyn Keyring>) -> Self {
        let outbox = Outbox::new(client, BILLING_EVENTS);
        Self {
            outbox: Arc::new(outbox),
            keyring,
        }
    }
}

impl BillingEvents {
    /// Of its checkpoint; in logs and metrics. The subject it publishes on, so it never changes.
    pub const NAME: &str = BILLING_EVENTS;
}

#[async_trait]
impl Projection for BillingEvents {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn reads(&self) -> &'static [EventType] {
        &[EventType::MessageSettled]
    }

    fn publishes(&self) -> bool {
        true
    }

    async fn prepare(&self, batch: &Batch) -> Result<Box<dyn Effect>, ApplyError> {
        let settled = batch.iter().map(|event| &**event);
        let tenants = crate::runtime::publishing::tenants_of(&*self.keyring, settled).await?;
        let mut announcements = Vec::with_capacity(batch.len());
        for event in &**batch {
            announcements.extend(announce(event, &tenants)?);
        }
        crate::runtime::publishing::publishing(&self.outbox, announcements)
    }
}

/// The message about a settlement; `None` if the event is none. An erased tenant goes by its
/// pseudonym: what it sent is still to be paid for.
pub(in crate::receipts) fn announce(
    event: &RecordedEvent,
    tenants: &HashMap<Pseudonym, TenantId>,
) -> Result<Option<Announcement>, ApplyError> {
    let Event::MessageSettled(settled) = &event.data.event else {
        return Ok(None);
    };
    let missing = |what| ApplyError::Unusable {
        position: event.position,
        source: Unusable::Missing(what),
    };
    let pseudonym = event.data.tenant.ok_or_else(|| missing("its tenant"))?;
    let account_id = event.data.account.ok_or_else(|| missing("its account"))?;
    let tenant_id = tenants.get(&pseudonym).copied();
    let tenant_id = tenant_id.unwrap_or(TenantId(pseudonym.0));
    let message = BillingEvent {
        schema_version: SCHEMA_VERSION.to_owned(),
        event_id: event.data.id.announced_on(BILLING_EVENTS),
        event_type: "DLR_TERMINAL".to_owned(),
        message_id: MessageId(event.stream.id),
        tenant_id,
        account_id,
        operator_id: settled.receipt.operator_id,
        direction: "MT".to_owned(),
        segment_count: settled.segment_count,
        dlr_status: settled.receipt.dlr_status,
        occurred_at: settled.receipt.delivered_at,
        charged_at: settled.receipt.delivered_at,
        account_tier: None,
        currency: None,
    };
    Announcement::of(event, message.event_id, Some(tenant_id), &message).map(Some)
}

#[cfg(test)]
mod tests {
    use schema::{Position, Status};
    use uuid::Uuid;

    use super::*;
    use crate::fixture;

    #[test]
    fn a_settlement_is_announced_with_what_billing_needs() {
        let event = fixture::recorded((&"MessageSettled", 1));
        let tenant = TenantId(Uuid::from_u128(3));
        let tenants = [(fixture::PSEUDONYM, tenant)].into();
        let made = announce(&event, &tenants)
            .expect("usable")
            .expect("announced");
        let told: BillingEvent = serde_json::from_slice(&made.payload).expect("reads back");
        assert_eq!(told.event_id, event.data.id.announced_on("billing.events"));
        assert_eq!(
            (told.tenant_id, told.account_id),
            (tenant, fixture::ACCOUNT)
        );
        assert_eq!(told.message_id.0, event.stream.id);
        assert_eq!(
            (told.segment_count, told.dlr_status),
            (2, Status::Delivered)
        );
        assert_eq!(told.occurred_at.to_string(), "2026-03-01T11:59:58.000000Z");
        assert_eq!(told.charged_at, told.occurred_at);
        let again = announce(&event, &tenants)
            .expect("usable")
            .expect("announced");
        assert_eq!((again.payload, again.headers), (made.payload, made.headers));
    }

    #[test]
    fn an_erased_tenants_settlement_is_announced_under_its_pseudonym() {
        let event = fixture::recorded((&"MessageSettled", 1));
        let made = announce(&event, &HashMap::new())
            .expect("usable")
            .expect("announced");
        let told: BillingEvent = serde_json::from_slice(&made.payload).expect("reads back");
        assert_eq!(told.tenant_id.0, fixture::PSEUDONYM.0);
        assert_eq!(told.account_id, fixture::ACCOUNT);
    }

    #[test]
    fn a_settlement_of_nobody_is_an_error_with_its_position() {
        let mut event = fixture::recorded((&"MessageSettled", 6));
        event.data.tenant = None;
        let error = announce(&event, &HashMap::new()).err().expect("refused");
        assert_eq!(
            (error.is_final(), error.position()),
            (true, Some(Position(6)))
        );
    }
}
