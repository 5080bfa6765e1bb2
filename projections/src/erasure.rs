//! Erasure: which tenants are to be forgotten, and which are.

pub mod erasures;
pub mod verify;

use std::sync::Arc;

use crate::Projection;

/// All of them.
pub(crate) fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(erasures::Erasures)]
}
