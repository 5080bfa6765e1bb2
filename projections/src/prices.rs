//! Prices, costs and exchange rates, version by version.

pub mod exchange_rates;
pub mod operator_costs;
pub mod pricing_tables;
mod statuses;
pub mod versions;

use std::sync::Arc;

use schema::versioned::{Cost, ExchangeRate, Price};

use self::versions::{VersionRows, VersionTable};
use crate::{Page, Projection, ReadError, Reader};

/// All of them.
pub(crate) fn projections() -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(VersionRows::<Price>::default()),
        Arc::new(VersionRows::<Cost>::default()),
        Arc::new(VersionRows::<ExchangeRate>::default()),
    ]
}

/// Asks each table what the edge asks it, about nothing in particular.
pub(crate) async fn probe(reader: &Reader) -> Result<(), ReadError> {
    probe_versions::<Price>(reader).await?;
    probe_versions::<Cost>(reader).await?;
    probe_versions::<ExchangeRate>(reader).await
}

async fn probe_versions<K: VersionTable>(reader: &Reader) -> Result<(), ReadError> {
    let all = versions::list::<K>(reader, K::Filter::default(), None, Page::ONE);
    all.await.map(drop)
}
