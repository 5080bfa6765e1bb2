//! Recorded events of versions as the columns that only their kind has.

use eventstore::RecordedEvent;

use super::{VersionTable, batch::Versions};
use crate::fixture;

/// These columns, each as Rust writes it.
pub(in crate::prices) fn columns<K: VersionTable>(
    events: impl IntoIterator<Item = RecordedEvent>,
) -> Vec<String> {
    let events = fixture::batch(events);
    let versions = Versions::<K>::of(&events);
    let columns = K::columns(&versions.opened);
    columns.iter().map(|column| format!("{column:?}")).collect()
}
