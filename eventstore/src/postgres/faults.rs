//! What a fault of Postgres means for whoever may try again.

use std::{error::Error, io};

use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

use crate::StoreError;

/// Classes of SQLSTATE that pass: connection lost, no resources left, shut down or starting.
const PASSING: [&str; 3] = ["08", "53", "57P"];

/// Whether Postgres refused a prepared statement because a table it reads was altered since. The
/// connections have forgotten their statements by then, so trying again helps.
#[must_use]
pub fn is_stale_plan(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| {
        let cause = cause.downcast_ref::<tokio_postgres::Error>();
        cause.and_then(tokio_postgres::Error::code) == Some(&SqlState::FEATURE_NOT_SUPPORTED)
    })
}

impl StoreError {
    /// Whether Postgres is merely away, starting or full. What a person must mend is not passing:
    /// a password or a certificate that is refused, a database, a table or a right that is
    /// missing.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Overdue { .. }
            | Self::Pool {
                source: PoolError::Timeout(_),
                ..
            } => true,
            _ => causes(self).find_map(passes).unwrap_or(false),
        }
    }
}

/// The same of one error of Postgres: what it says itself, or else what caused it.
pub(super) fn is_passing(error: &tokio_postgres::Error) -> bool {
    causes(error).find_map(passes).unwrap_or(false)
}

/// What one cause says about it, if anything.
fn passes(cause: &(dyn Error + 'static)) -> Option<bool> {
    if let Some(error) = cause.downcast_ref::<tokio_postgres::Error>() {
        if error.is_closed() {
            return Some(true);
        }
        let state = error.code()?.code();
        return Some(PASSING.iter().any(|class| state.starts_with(class)));
    }
    let error = cause.downcast_ref::<io::Error>()?;
    // What TLS refuses comes as a fault of the connection.
    let inner = error.get_ref();
    Some(
        inner
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
            .is_none(),
    )
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause| (*cause).source())
}
