//! Facts of erased tenants, about which nothing can be said any more.

use std::sync::atomic::{AtomicU64, Ordering};

use schema::Position;

/// Counts what was withheld and says so each time: nothing is left out silently.
#[derive(Debug, Default)]
pub(crate) struct Withheld(AtomicU64);

impl Withheld {
    /// The event at `position` is not published because its tenant is erased.
    pub(crate) fn note(&self, projection: &'static str, position: Position) {
        let total = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::warn!(
            event = "projection.withheld",
            projection,
            position = position.0,
            total,
            reason = "the tenant is erased"
        );
    }
}
