//! What stands before every route, known or not: who calls, and how often.

use std::{sync::Arc, time::Duration};

use axum::http::HeaderMap;
use schema::TenantId;

use super::{
    body::BodyLimits,
    caller::CallerRef,
    limits::RateLimits,
    metrics::HttpMetrics,
    problem::{Code, Problem},
    shares::Shares,
};
use crate::identity::{Identity, peer::Peer};

/// What all endpoints share.
#[derive(Debug)]
pub struct Edge {
    /// Tells who calls.
    pub identity: Identity,
    /// Counts the calls.
    pub limits: RateLimits,
    /// How many questions each tenant may have under way; more wait for their own to be answered.
    pub questions: Shares<TenantId>,
    /// How much of a body is read.
    pub body: BodyLimits,
    /// How much of a file that is sent in is read and for how long; its answer may take as long
    /// again.
    pub upload: BodyLimits,
    /// The longest time until an answer.
    pub timeout: Duration,
    /// What is counted of calls.
    pub metrics: HttpMetrics,
}

/// Who makes a call, once it is counted.
#[derive(Debug, Clone)]
pub(super) enum Visitor {
    /// Somebody we know.
    Known(CallerRef),
    /// Somebody we do not know, and what they hear where one must be known.
    Stranger(Problem),
}

impl Edge {
    /// Who makes a call. It is counted before anything is done for it or written about it.
    ///
    /// # Errors
    /// They have made too many.
    pub(super) async fn visitor(
        &self,
        peer: Option<&Peer>,
        headers: &HeaderMap,
    ) -> Result<Visitor, Problem> {
        let Some(peer) = peer else {
            // A request that came by no connection is a mistake of ours.
            return Ok(Visitor::Stranger(Problem::new(Code::Internal)));
        };
        match self.identity.of(peer, headers).await {
            Ok(caller) => {
                self.limits.known(&caller.principal)?;
                Ok(Visitor::Known(CallerRef(Arc::new(caller))))
            }
            Err(stranger) => {
                self.limits.stranger(peer.address)?;
                stranger.tell();
                Ok(Visitor::Stranger(stranger.into()))
            }
        }
    }
}
