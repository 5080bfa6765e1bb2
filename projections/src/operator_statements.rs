//! Carriers' statements: what comparing them showed, and comparing one.

pub mod comparison;
#[expect(
    clippy::module_inception,
    reason = "a table's module is called like the table"
)]
pub mod operator_statements;

use std::sync::Arc;

use crate::{Page, Projection, ReadError, Reader};

/// Its projections.
pub(crate) fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(operator_statements::OperatorStatements)]
}

/// Asks the table what the edge asks it, about nobody.
pub(crate) async fn probe(reader: &Reader) -> Result<(), ReadError> {
    operator_statements::list(reader, None, Page::ONE).await?;
    Ok(())
}
