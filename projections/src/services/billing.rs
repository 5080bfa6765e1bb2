//! What `tollbook billing` shows.

use std::sync::Arc;

use crate::{
    Projection, ReadError, Reader, access, accounts, adjustments, charges, erasure,
    operator_statements, prices,
};

/// Its projections.
#[must_use]
pub fn projections() -> Vec<Arc<dyn Projection>> {
    let all = [
        charges::projections(),
        prices::projections(),
        accounts::projections(),
        adjustments::projections(),
        access::projections(),
        erasure::projections(),
        operator_statements::projections(),
    ];
    all.into_iter().flatten().collect()
}

/// Asks each table what the edge asks it, about nobody: a column, a table or a right may have
/// gone.
///
/// # Errors
/// A query cannot be answered.
pub async fn probe(reader: &Reader) -> Result<(), ReadError> {
    charges::probe(reader).await?;
    prices::probe(reader).await?;
    accounts::probe(reader).await?;
    adjustments::probe(reader).await?;
    operator_statements::probe(reader).await
}
