//! Who wrote something sees it in their next question: a write is answered only then.

use std::time::Duration;

use schema::Position;
use tokio::time::Instant;

use super::{fault, state::AppState};
use crate::http::problem::{Code, Problem};

/// How long a write waits to be visible.
const PATIENCE: Duration = Duration::from_secs(5);

/// What may go wrong once something is written.
pub(super) const CODES: &[Code] = &[Code::Unavailable, Code::Contended, Code::NotYetVisible];

/// Waits until `projection` shows what was written at `position`.
///
/// # Errors
/// It does not in time; the write stands.
pub(super) async fn shown(
    shared: &AppState,
    projection: &str,
    position: Position,
) -> Result<(), Problem> {
    if passed(shared, projection, position).await? {
        Ok(())
    } else {
        Err(Problem::new(Code::NotYetVisible))
    }
}

async fn passed(shared: &AppState, projection: &str, position: Position) -> Result<bool, Problem> {
    let deadline = Instant::now() + PATIENCE;
    let reader = &shared.reader;
    let passed = reader.wait_until(&[projection], position, deadline).await;
    passed.map_err(|error| fault::unreachable(&error))
}
