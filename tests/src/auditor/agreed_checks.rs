//! Compares charges and holds with what was agreed before anything was sent, by the
//! traffic's own arithmetic.

use schema::{AccountId, MessageId, OperatorId, TenantId};

use super::{
    Invariant,
    charge_checks::Charges,
    facts::{Body, Log, LogEvent},
    findings::Findings,
};
use crate::traffic::{
    Agreement,
    agreement::{self, Comes, Outcome},
};

/// Compares what was charged with what was agreed before anything was sent.
pub(super) fn check(
    log: &Log,
    agreement: &Agreement,
    known: &Charges<'_>,
    findings: &mut Findings,
) {
    for (message, fate) in &known.by_message {
        let Some(event) = fate.charged.or(fate.held) else {
            continue;
        };
        let Some(settled) = settled(log, event) else {
            continue;
        };
        let first = agreement.outcome(&settled, Comes::First);
        let outcome = match first {
            // What is charged stays charged, whatever becomes known later.
            Outcome::Charged(_) => first,
            Outcome::Held(_) => agreement.outcome(&settled, Comes::Later),
        };
        let as_agreed = match (&event.body, outcome) {
            (Body::Charged(charged), Outcome::Charged(due)) => {
                *charged.currency == *due.currency
                    && charged.customer_price == due.price
                    && charged.assessment.operator_cost == due.cost
                    && charged.assessment.converted_cost == due.converted
                    && charged.billed == due.billed
                    && charged.price.own == due.own
                    && charged.rated_at == due.rated_at
                    && charged.assessment.cost.is_some() == due.cost_known
            }
            (Body::Held(_), Outcome::Held(_)) => true,
            _ => false,
        };
        let waited = match (fate.held.map(|event| &event.body), first) {
            (Some(Body::Held(held)), Outcome::Held(reason)) => *held.reason == *reason,
            (None, Outcome::Charged(_)) => true,
            _ => false,
        };
        let holds = as_agreed && waited;
        findings.hold(Invariant::ChargedAsAgreed, holds, || {
            format!(
                "position {}: message {message}, {outcome:?}",
                event.position
            )
        });
    }
}

/// What an event of billing says, as the agreement wants to know it.
fn settled(log: &Log, event: &LogEvent) -> Option<agreement::Settled> {
    let settlement = event.settlement()?;
    Some(agreement::Settled {
        message: MessageId(settlement.message_id),
        tenant: TenantId(log.tenants.get(&event.tenant?).copied()?),
        account: AccountId(event.account?),
        operator: OperatorId(settlement.operator_id),
        segments: settlement.segment_count,
        status: settlement.dlr_status,
        charged_at: settlement.charged_at,
        received_at: settlement.received_at,
        tier: agreement::word(settlement.stated_tier.as_deref()),
        currency: agreement::word(settlement.stated_currency.as_deref()),
    })
}
