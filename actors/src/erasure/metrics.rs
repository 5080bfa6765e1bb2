//! What is counted of announcements that tenants are erased.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// The metrics of erasures. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct ErasureMetrics {
    erasures: Family<Labels, Counter>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    result: &'static str,
}

impl ErasureMetrics {
    /// Names them in `registry`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "billing_erasures",
            "announcements that a tenant is erased, by what became of them",
            self.erasures.clone(),
        );
    }

    /// One of them came to this: `requested`, `duplicate`, `invalid` or `error`.
    pub(super) fn count(&self, result: &'static str) {
        self.erasures.get_or_create(&Labels { result }).inc();
    }
}
