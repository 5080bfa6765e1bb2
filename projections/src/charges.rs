//! Charges: each one and what it costs, what waits to be charged, what contradicts them, and what they
//! add up to.

pub mod billing_events;
pub mod charge_conflicts;
pub mod cost_assessments;
pub mod cost_changes;
pub mod held_charges;
pub mod margins;
pub mod usage_summaries;

use std::sync::Arc;

use schema::{AccountId, MessageId, Position, TenantId};
use time::OffsetDateTime;
use uuid::Uuid;

use self::{
    billing_events::{ChargeFilter, ChargeStretch, ChargesOf},
    charge_conflicts::ConflictFilter,
    held_charges::HeldFilter,
    margins::{Grouping, MarginsOf},
    usage_summaries::{Granularity, UsageOf},
};
use crate::{Page, Projection, ReadError, Reader, Scope};

/// All of them.
pub(crate) fn projections() -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(billing_events::Charges),
        Arc::new(cost_assessments::CostAssessments),
        Arc::new(cost_changes::CostChanges),
        Arc::new(usage_summaries::UsageSummaries),
        Arc::new(held_charges::HeldCharges),
        Arc::new(charge_conflicts::ChargeConflicts),
    ]
}

/// Asks each table what the edge asks it, about nobody.
pub(crate) async fn probe(reader: &Reader) -> Result<(), ReadError> {
    let filter = HeldFilter::default();
    cost_changes::pending(reader, 1).await?;
    held_charges::list(reader, Scope::EveryTenant, filter, Page::ONE).await?;
    let filter = ConflictFilter::default();
    charge_conflicts::list(reader, Scope::EveryTenant, filter, Page::ONE).await?;
    held_charges::find(reader, MessageId(Uuid::nil())).await?;
    let tenant = TenantId(Uuid::nil());
    let none = ChargesOf {
        tenant,
        account: AccountId(Uuid::nil()),
        filter: ChargeFilter::default(),
        through: Position::default(),
    };
    billing_events::list(reader, none, ChargeStretch::ONE).await?;
    billing_events::find(reader, MessageId(Uuid::nil()), Some(tenant), None).await?;
    let day = OffsetDateTime::UNIX_EPOCH.date();
    let of = UsageOf {
        tenant,
        account: AccountId(Uuid::nil()),
        from: day,
        to: day,
        granularity: Granularity::Day,
        operator: None,
    };
    usage_summaries::usage(reader, Scope::Tenant(tenant), of).await?;
    for by in [Grouping::Currency, Grouping::Tier] {
        let of = MarginsOf {
            by,
            from: day,
            to: day,
        };
        margins::margins(reader, of, None, 1).await?;
    }
    Ok(())
}
