//! Recorded events of versions as the columns that only their kind has.

use std::sync::Arc;

use eventstore::RecordedEvent;

use super::{VersionTable, batch::Versions};

/// These columns, each as Rust writes it.
pub(in crate::prices) fn columns<K: VersionTable>(events: &[Arc<RecordedEvent>]) -> Vec<String> {
    let versions = Versions::<K>::of(events);
    let columns = K::columns(&versions.opened);
    columns.iter().map(|column| format!("{column:?}")).collect()
}
