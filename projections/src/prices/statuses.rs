//! Sets of final statuses, as columns hold them.

use std::collections::BTreeSet;

use schema::Status;
use uuid::Uuid;

use crate::{ReadError, read::Cells};

/// Joined by commas: lists of different lengths do not fit into one array.
pub(super) fn join(statuses: &BTreeSet<Status>) -> String {
    let statuses: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
    statuses.join(",")
}

/// The set in this column.
pub(super) fn statuses(
    cells: &Cells<'_, Uuid>,
    column: &'static str,
) -> Result<BTreeSet<Status>, ReadError> {
    let words: Vec<&str> = cells.get(column)?;
    let statuses: Option<BTreeSet<Status>> = words.into_iter().map(Status::parse).collect();
    cells.known(column, statuses)
}
