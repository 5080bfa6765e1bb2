//! Asking a view: what projections show of the log, for actors that have to find work.
//!
//! A view is at most a hint, because it may be behind; whoever acts on it decides with the log. No
//! capability knows where a view is kept: it says in a trait of its own what it has to be shown.

use std::error::Error;

/// A view could not be asked. The source says what was asked of it, and why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("asking a view")]
pub struct ViewError(#[source] Box<dyn Error + Send + Sync>);

impl ViewError {
    /// Because of `source`.
    pub fn new(source: impl Error + Send + Sync + 'static) -> Self {
        Self(Box::new(source))
    }
}
