//! What was told of a message's settlement: by the log of receipts, and by whoever announced it.

use schema::{EventId, MessageId, Status, StreamId, Timestamp};
use uuid::Uuid;

use super::{
    billing_facts::Settlement,
    facts::{Body, Log, LogEvent},
};
use crate::traffic::Expected;

/// A settlement as it was told: by the log or by whoever announced it.
pub(super) struct Told {
    source: Uuid,
    tenant: Uuid,
    account: Uuid,
    operator: Uuid,
    segments: i16,
    status: Status,
    occurred_at: Timestamp,
    charged_at: Timestamp,
    tier: Option<&'static str>,
    currency: Option<&'static str>,
}

impl Told {
    /// What it says, whoever said it, but for who pays.
    pub(super) fn content(&self) -> impl Ord + use<> {
        (
            (self.tenant, self.account, self.operator, self.segments),
            (self.status, self.occurred_at, self.charged_at),
        )
    }

    /// What it says of who pays.
    pub(super) const fn payer(&self) -> (Option<&'static str>, Option<&'static str>) {
        (self.tier, self.currency)
    }

    pub(super) fn is(&self, log: &Log, event: &LogEvent, settlement: &Settlement) -> bool {
        let tenant = event.tenant.and_then(|it| log.tenants.get(&it));
        tenant.is_none_or(|tenant| *tenant == self.tenant)
            && event.tenant.is_some_and(|it| it != self.tenant)
            && event.account == Some(self.account)
            && settlement.source_event_id == self.source
            && settlement.operator_id == self.operator
            && &*settlement.direction == "MT"
            && settlement.segment_count == self.segments
            && settlement.dlr_status == self.status
            && settlement.occurred_at == self.occurred_at
            && settlement.charged_at == self.charged_at
            && settlement.stated_tier.as_deref() == self.tier
            && settlement.stated_currency.as_deref() == self.currency
    }
}

/// Everything that was told of a message's settlement.
pub(super) fn tellings(log: &Log, expected: &Expected, message: Uuid) -> Vec<Told> {
    let message = MessageId(message);
    let stream = log.stream(StreamId::message(message));
    let settled = stream.iter().filter_map(|event| match &event.body {
        Body::Settled { receipt, segments } => Some(Told {
            source: EventId(event.event_id).announced_on("billing.events"),
            tenant: log.tenants.get(&event.tenant?).copied()?,
            account: event.account?,
            operator: receipt.operator_id,
            segments: *segments,
            status: receipt.dlr_status,
            occurred_at: receipt.delivered_at,
            charged_at: receipt.delivered_at,
            tier: None,
            currency: None,
        }),
        _ => None,
    });
    let announced = expected.announced.get(&message).into_iter().flatten();
    let announced = announced.map(|it| Told {
        source: it.event_id,
        tenant: it.tenant.0,
        account: it.account.0,
        operator: it.operator.0,
        segments: it.segments,
        status: it.status,
        occurred_at: it.charged_at,
        charged_at: it.charged_at,
        tier: it.tier,
        currency: it.currency,
    });
    settled.chain(announced).collect()
}
