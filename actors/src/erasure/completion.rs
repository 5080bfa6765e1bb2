//! That an erasure was carried out: recorded by the job that did it, without actors, because there
//! is one stream and one event.

use std::sync::Arc;

use eventstore::{EventStore, LogId, Outcome, StoreError};
use schema::{Pseudonym, StreamId, event::TenantErased};

use super::decide::{Erasure, NotRequested, TenantCommand, TenantDecider};
use crate::runtime::{
    decider::{Decider, folded, version_of},
    origin::Origin,
};

/// In whose name it is recorded.
const PRINCIPAL: &str = "tollbook-erasure";
/// How often it is decided anew when somebody else was faster.
const TRIES: usize = 8;

/// Why it is not recorded.
#[derive(Debug, thiserror::Error)]
pub enum CompletionError {
    /// The log failed.
    #[error("recording that tenant {} is erased", tenant.0)]
    Store {
        /// By its pseudonym.
        tenant: Pseudonym,
        /// How.
        source: StoreError,
    },
    /// Nobody asked for it.
    #[error(transparent)]
    NotRequested(#[from] NotRequested),
    /// Somebody else writes into the tenant's stream all the time, or something else than this.
    #[error("the stream of tenant {} is not as it must be", tenant.0)]
    Contended {
        /// By its pseudonym.
        tenant: Pseudonym,
    },
}

/// Records that `tenant` was erased, unless that is known; says whether it is news.
///
/// # Errors
/// Nobody asked for it, or the log failed.
pub async fn complete(
    store: &Arc<dyn EventStore>,
    log: LogId,
    tenant: Pseudonym,
    erased: TenantErased,
) -> Result<bool, CompletionError> {
    let failed = |source| CompletionError::Store { tenant, source };
    let stream = StreamId::tenant(tenant);
    for _ in 0..TRIES {
        let histories = store.read_streams(&[stream]).await.map_err(failed)?;
        let history = histories.into_iter().next().unwrap_or_default();
        let state = folded::<TenantDecider>(&history);
        let requested = history.last().ok_or(NotRequested)?;
        let command = TenantCommand {
            tenant,
            erasure: Erasure::Complete(erased),
            origin: Origin {
                request: requested.data.id.0,
                time: erased.erased_at,
                principal: PRINCIPAL.into(),
                trace: requested.data.trace.clone(),
            },
        };
        let decision = TenantDecider::decide(&state, &command)?;
        if decision.events.is_empty() {
            return Ok(false);
        }
        let append = decision.append(log, stream, version_of(&history), &command);
        let outcomes = store.append(vec![append]).await.map_err(failed)?;
        match outcomes.first() {
            Some(Outcome::Recorded { .. }) => return Ok(true),
            Some(Outcome::AlreadyRecorded) => return Ok(false),
            Some(Outcome::Conflict { .. }) => {}
            _ => break,
        }
    }
    Err(CompletionError::Contended { tenant })
}
