//! Prices and costs, version by version.

pub mod operator_costs;
pub mod pricing_tables;
mod versions;

use std::sync::Arc;

use crate::{Page, Projection, ReadError, Reader};

/// All of them.
pub(crate) fn projections() -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(pricing_tables::PricingTables),
        Arc::new(operator_costs::OperatorCosts),
    ]
}

/// Asks each table what the edge asks it, about nothing in particular.
pub(crate) async fn probe(reader: &Reader) -> Result<(), ReadError> {
    pricing_tables::list(reader, pricing_tables::PriceFilter::default(), Page::ONE).await?;
    operator_costs::list(reader, operator_costs::CostFilter::default(), Page::ONE).await?;
    Ok(())
}
