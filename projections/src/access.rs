//! Access: who looked at whose data.

pub mod access_log;

use std::sync::Arc;

use crate::Projection;

/// All of them.
pub(crate) fn projections() -> Vec<Arc<dyn Projection>> {
    vec![Arc::new(access_log::AccessLog)]
}
