//! `billing.pricing_tables`: every version of every price.

mod queries;

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{RecordedEvent, postgres::Statement};
use rust_decimal::Decimal;
use schema::{Event, EventType, event::PriceOpened};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

pub use self::queries::{PriceFilter, PriceVersion, by_request, list, one};
use super::versions::{Lives, Versions};
use crate::{ApplyError, Batch, Effect, Projection, Scope};

const OPEN: Statement = Statement::new(include_str!("pricing_tables/open.sql"));
const CLOSE: Statement = Statement::new(include_str!("pricing_tables/close.sql"));

/// Every price, the platform's and tenants' own.
#[derive(Debug, Clone, Copy)]
pub struct PricingTables;

impl PricingTables {
    /// Of its checkpoint; in logs and metrics. It must never change.
    pub const NAME: &str = "pricing_tables";
}

#[async_trait]
impl Projection for PricingTables {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn reads(&self) -> &'static [EventType] {
        &[EventType::PriceOpened, EventType::PriceClosed]
    }

    async fn prepare(&self, batch: &Batch) -> Result<Box<dyn Effect>, ApplyError> {
        Ok(Box::new(Rows(batch.clone())))
    }
}

struct Rows(Batch);

#[async_trait]
impl Effect for Rows {
    async fn apply(&mut self, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        let versions = versions(&self.0);
        if versions.is_empty() {
            return Ok(());
        }
        Scope::EveryTenant.enter(transaction).await?;
        versions.close_all(transaction, self.0.log.0, CLOSE).await?;
        open_all(transaction, self.0.log.0, &versions).await
    }
}

fn versions(events: &[Arc<RecordedEvent>]) -> Versions<'_, PriceOpened> {
    let mut versions = Versions::default();
    for event in events {
        match &event.fact.event {
            Event::PriceOpened(opened) => {
                versions.open(event, opened.pricing_table_id.0, opened, opened.period);
            }
            Event::PriceClosed(closed) => {
                versions.close(event, closed.pricing_table_id.0, closed.effective_to);
            }
            _ => {}
        }
    }
    versions
}

async fn open_all(
    transaction: &Transaction<'_>,
    log: i16,
    versions: &Versions<'_, PriceOpened>,
) -> Result<(), ApplyError> {
    if versions.opened.is_empty() {
        return Ok(());
    }
    let lives = Lives::of(&versions.opened);
    let terms = Terms::of(versions);
    let parameters: [&(dyn ToSql + Sync); 18] = [
        &log,
        &lives.position,
        &terms.version,
        &terms.tenant,
        &terms.tier,
        &terms.operator,
        &terms.direction,
        &terms.currency,
        &terms.model,
        &terms.unit_price,
        &terms.statuses,
        &lives.from,
        &lives.to,
        &lives.opened_by,
        &lives.opened_at,
        &lives.closed_by,
        &lives.changed,
        &terms.request,
    ];
    Ok(OPEN.execute(transaction, &parameters).await?)
}

/// What is paid, and for what.
#[derive(Default)]
struct Terms<'a> {
    version: Vec<Uuid>,
    tenant: Vec<Option<Uuid>>,
    tier: Vec<&'static str>,
    operator: Vec<Uuid>,
    direction: Vec<&'static str>,
    currency: Vec<&'a str>,
    model: Vec<&'static str>,
    unit_price: Vec<Decimal>,
    /// Joined by commas: lists of different lengths do not fit into one array.
    statuses: Vec<String>,
    request: Vec<Uuid>,
}

impl<'a> Terms<'a> {
    fn of(versions: &Versions<'a, PriceOpened>) -> Self {
        let mut terms = Self::default();
        for version in &versions.opened {
            let opened = version.what;
            let statuses = &opened.terms.billable_statuses;
            let statuses: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
            let tenant = version.event.fact.tenant;
            terms.version.push(opened.pricing_table_id.0);
            terms.tenant.push(tenant.map(|tenant| tenant.0));
            terms.tier.push(opened.account_tier.as_str());
            terms.operator.push(opened.operator_id.0);
            terms.direction.push(opened.direction.as_str());
            terms.currency.push(opened.currency.as_str());
            terms.model.push(opened.terms.pricing_model.as_str());
            let unit_price = opened.terms.unit_price.amount();
            terms.unit_price.push(unit_price.decimal());
            terms.statuses.push(statuses.join(","));
            terms.request.push(opened.request);
        }
        terms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_price_is_a_row_with_its_terms() {
        let mut of_the_platform = fixture::recorded((&"PriceOpened", 2));
        of_the_platform.fact.tenant = None;
        let events = fixture::batch([
            fixture::recorded((&"PriceOpened", 1)),
            of_the_platform,
            fixture::recorded((&"CostOpened", 3)),
        ]);
        let versions = versions(&events);
        let terms = Terms::of(&versions);
        assert_eq!(terms.tenant, [Some(fixture::PSEUDONYM.0), None]);
        assert_eq!(terms.statuses, ["DELIVERED,UNDELIVERED"; 2]);
        assert_eq!(terms.unit_price[0].to_string(), "0.045000");
        assert_eq!(Lives::of(&versions.opened).position, [1, 2]);
    }
}
